#include "session_pool.h"

#include <algorithm>
#include <cmath>

namespace maskrt::cli {
namespace {

/// Throughput of a session's threads relative to as many sessions of one thread: measured at 2 threads, R-50 at
/// 640x864 0.95 and the demo's small network 0.92; each doubling costs as much again.
double efficiency(int threads) { return 1 / (1 + 0.09 * std::log2(threads)); }

constexpr double kRunsToMeasure = 2;  ///< runs of the network that measuring its algorithms takes about as long as
constexpr std::size_t kMostPictures = 16;
constexpr std::size_t kPlans = 4;  ///< plans that a session keeps

}  // namespace

SessionShares shares_on_processors(std::size_t batches, std::size_t batch, int processors, bool measures) {
  const std::size_t most =
      std::min({static_cast<std::size_t>(std::max(1, processors)), std::max<std::size_t>(1, batches),
                std::max<std::size_t>(1, kMostPictures / std::max<std::size_t>(1, batch))});
  SessionShares best;
  double least = 0;
  for (std::size_t sessions = 1; sessions <= most; ++sessions) {
    const int threads = std::max(1, processors / static_cast<int>(sessions));
    const auto rounds = static_cast<double>((batches + sessions - 1) / sessions);
    const double duration = (rounds + (measures ? kRunsToMeasure : 0)) / (threads * efficiency(threads));
    if (sessions > 1 && duration >= least) continue;
    best = {sessions, threads};
    least = duration;
  }
  return best;
}

SessionShares shares_on_gpu(std::size_t batches) {
  return {std::min<std::size_t>(2, std::max<std::size_t>(1, batches)), 1};
}

SessionPool::SessionPool(const Model& model, SessionShares shares) : model_(model), shares_(shares) {
  free_.reserve(shares_.sessions);  // giving one back then needs no memory
  free_.push_back(made());
}

std::unique_ptr<SessionPool::Entry> SessionPool::made() const {
  SessionOptions options;
  options.threads = shares_.threads;
  options.plans = kPlans;
  return std::make_unique<Entry>(Entry{Session(model_, options), {}});
}

std::unique_ptr<SessionPool::Entry> SessionPool::take(std::pair<int, int> size) {
  std::unique_ptr<Entry> entry = take_free(size);
  if (entry == nullptr) entry = made();
  std::erase(entry->sizes, size);
  if (entry->sizes.size() >= kPlans) entry->sizes.erase(entry->sizes.begin());
  entry->sizes.push_back(size);
  return entry;
}

std::unique_ptr<SessionPool::Entry> SessionPool::take_free(std::pair<int, int> size) {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return nullptr;
  auto found = std::find_if(free_.begin(), free_.end(), [&](const std::unique_ptr<Entry>& entry) {
    return std::find(entry->sizes.begin(), entry->sizes.end(), size) != entry->sizes.end();
  });
  if (found == free_.end()) found = free_.begin();
  std::unique_ptr<Entry> entry = std::move(*found);
  free_.erase(found);
  return entry;
}

void SessionPool::give_back(std::unique_ptr<Entry> entry) {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(entry));
}

}  // namespace maskrt::cli
