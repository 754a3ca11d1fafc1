// What computing wants of the calling thread's own state, for a while.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cfenv>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace maskrt::cpu {

/// Sets the number of threads of the parallel loops that the calling thread starts, exactly (OMP_DYNAMIC would take
/// some away, which oneDNN does not expect), and the usual floating-point environment: rounding to nearest, no traps,
/// and numbers too small for fp32's normal range are 0, for they take a processor a hundred times as long and mean
/// nothing in a network. Threads that OpenMP starts meanwhile inherit the environment; no other thread's is touched.
/// The end restores all of it.
class ComputeState {
 public:
  explicit ComputeState(int threads) : threads_before_(omp_get_max_threads()), dynamic_before_(omp_get_dynamic()) {
    omp_set_dynamic(0);
    omp_set_num_threads(std::min(threads, omp_get_thread_limit()));
    std::fegetenv(&environment_before_);
    std::fesetenv(FE_DFL_ENV);
#if defined(__SSE2__)
    constexpr unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
    _mm_setcsr(_mm_getcsr() | flush_to_zero | denormals_are_zero);
#endif
  }
  ~ComputeState() {
    std::fesetenv(&environment_before_);
    omp_set_num_threads(threads_before_);
    omp_set_dynamic(dynamic_before_);
  }
  ComputeState(const ComputeState&) = delete;
  ComputeState& operator=(const ComputeState&) = delete;

 private:
  int threads_before_, dynamic_before_;
  std::fenv_t environment_before_;
};

}  // namespace maskrt::cpu
