// The number of OpenMP threads of the calling thread, for a while.
#pragma once

#include <omp.h>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace maskrt::cpu {

/// Sets the number of threads for parallel loops that the calling thread starts, and has them treat numbers too small
/// for fp32's normal range as 0: they take a processor a hundred times as long and mean nothing in a network. The end
/// restores both, for the threads are shared with the host program.
class OpenMpThreads {
 public:
  explicit OpenMpThreads(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
    flush_denormals(true);
  }
  ~OpenMpThreads() {
    flush_denormals(false);
    omp_set_num_threads(before_);
  }
  OpenMpThreads(const OpenMpThreads&) = delete;
  OpenMpThreads& operator=(const OpenMpThreads&) = delete;

 private:
  static void flush_denormals(bool on) {
#if defined(__SSE2__)
    constexpr unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
#pragma omp parallel
    {
      thread_local unsigned own = 0;
      if (on) {
        own = _mm_getcsr();
        _mm_setcsr(own | flush_to_zero | denormals_are_zero);
      } else {
        _mm_setcsr(own);
      }
    }
#else
    static_cast<void>(on);
#endif
  }
  int before_;
};

}  // namespace maskrt::cpu
