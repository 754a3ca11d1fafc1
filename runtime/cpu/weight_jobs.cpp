#include "weight_jobs.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>

namespace maskrt::cpu {
namespace {

/// Memory that jobs share.
class Room {
 public:
  void enter(std::size_t bytes) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return used_ == 0 || used_ + bytes <= most; });
    used_ += bytes;
  }
  void leave(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    used_ -= bytes;
    changed_.notify_all();
  }

 private:
  static constexpr std::size_t most = 80'000'000;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t used_ = 0;
};

}  // namespace

void run_weight_jobs(std::vector<WeightJob> jobs, int threads) {
  std::stable_sort(jobs.begin(), jobs.end(), [](const WeightJob& a, const WeightJob& b) { return a.bytes > b.bytes; });
  Room room;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto failed = [&] {
    const std::lock_guard lock(mutex);
    return failure != nullptr;
  };
  const auto run = [&](const WeightJob& job) {
    if (failed()) return;
    room.enter(job.bytes);
    try {
      job.run();
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
    room.leave(job.bytes);
  };
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (std::size_t i = 0; i < jobs.size(); ++i) run(jobs[i]);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace maskrt::cpu
