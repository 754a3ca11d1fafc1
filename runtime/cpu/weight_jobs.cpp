#include "weight_jobs.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "kernels/cpu/parallel_failure.h"

namespace maskrt::cpu {
namespace {

/// Memory that jobs share.
class Room {
 public:
  /// One job's share, as long as it lives; waits until there is so much, or all of it.
  class Place {
   public:
    Place(Room& room, std::size_t bytes) : room_(room), bytes_(bytes) {
      std::unique_lock lock(room.mutex_);
      room.changed_.wait(lock, [&] { return room.used_ == 0 || room.used_ + bytes <= kMost; });
      room.used_ += bytes;
    }
    ~Place() {
      const std::lock_guard lock(room_.mutex_);
      room_.used_ -= bytes_;
      room_.changed_.notify_all();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    Room& room_;
    std::size_t bytes_;
  };

 private:
  static constexpr std::size_t kMost = 80'000'000;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t used_ = 0;
};

}  // namespace

void run_weight_jobs(std::vector<WeightJob> jobs, int threads) {
  std::stable_sort(jobs.begin(), jobs.end(), [](const WeightJob& a, const WeightJob& b) { return a.bytes > b.bytes; });
  Room room;
  kernels::ParallelFailure failure;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (std::size_t i = 0; i < jobs.size(); ++i)
    failure.guard([&] {
      const Room::Place place(room, jobs[i].bytes);
      jobs[i].run();
    });
  failure.rethrow();
}

}  // namespace maskrt::cpu
