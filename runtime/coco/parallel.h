// One job for each index, from several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/support/usable_processors.h"

namespace maskrt::coco {

/// Calls job(0) ... job(count - 1) from `threads` threads, the caller's among them (0: all that the process may use).
/// Where jobs throw, the exception of the lowest index is rethrown, as it would be with one thread: jobs start in
/// order, none starts after a failure, and all that have started are finished.
template <typename Job>
void parallel_for(std::size_t count, int threads, const Job& job) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  std::mutex mutex;
  std::size_t failed_job = count;
  std::exception_ptr failure;
  const auto work = [&] {
    while (!failed) {
      const std::size_t i = next++;
      if (i >= count) return;
      try {
        job(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        failed = true;
        if (i < failed_job) {
          failed_job = i;
          failure = std::current_exception();
        }
      }
    }
  };
  {
    const auto wanted = static_cast<std::size_t>(threads > 0 ? threads : usable_processors());
    std::vector<std::jthread> helpers;
    for (std::size_t t = 1; t < std::min(wanted, count); ++t) helpers.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace maskrt::coco
