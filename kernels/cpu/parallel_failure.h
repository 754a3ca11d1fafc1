// Exceptions in parallel regions.
#pragma once

#include <atomic>
#include <exception>

namespace maskrt::kernels {

/// Carries an exception out of an OpenMP region, which none may leave. Made before the region; each thread does its
/// work inside of guard(); rethrow() comes after the region. Once a piece of work has failed the others are left out. A
/// thread must reach every worksharing loop of its region: guard the body of a loop, not the loop.
class ParallelFailure {
 public:
  template <typename Work>
  void guard(const Work& work) noexcept {
    if (failed_.load(std::memory_order_relaxed)) return;
    try {
      work();
    } catch (...) {
      if (!failed_.exchange(true)) first_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::atomic<bool> failed_{false};
  std::exception_ptr first_;
};

}  // namespace maskrt::kernels
