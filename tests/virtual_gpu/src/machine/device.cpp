#include "machine/device.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <random>
#include <set>
#include <thread>

namespace vgpu {
namespace {

std::uint64_t volume(const Dim3& d) { return std::uint64_t{d[0]} * d[1] * d[2]; }

/// Which clusters of a grid run: all, or a sample with the corners, the edges and the middle.
std::vector<std::uint64_t> chosen_clusters(const LaunchConfig& config, std::uint32_t sample, std::uint64_t seed,
                                           std::uint64_t window) {
  Dim3 clusters{};
  for (int i = 0; i < 3; ++i) clusters[i] = config.grid[i] / config.cluster[i];
  const std::uint64_t total = volume(clusters);
  std::vector<std::uint64_t> list;
  if (sample != 0 && sample < total) {
    std::set<std::uint64_t> chosen;
    const auto positions = [](std::uint32_t n) { return std::vector<std::uint32_t>{0, n - 1, n / 2}; };
    for (const std::uint32_t z : positions(clusters[2])) {
      for (const std::uint32_t y : positions(clusters[1])) {
        for (const std::uint32_t x : positions(clusters[0])) {
          if (chosen.size() < sample) chosen.insert((std::uint64_t{z} * clusters[1] + y) * clusters[0] + x);
        }
      }
    }
    for (std::uint64_t i = 0; chosen.size() < sample; ++i) chosen.insert(i * 7919 % total);
    list.assign(chosen.begin(), chosen.end());
  } else {
    list.resize(total);
    for (std::uint64_t i = 0; i < total; ++i) list[i] = i;
  }
  // Blocks start in any order among those that could be resident together, seed 0 in the plain one.
  if (seed != 0) {
    std::mt19937_64 random(seed);
    for (std::size_t first = 0; first < list.size(); first += window) {
      const auto end = list.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(first + window, list.size()));
      std::shuffle(list.begin() + static_cast<std::ptrdiff_t>(first), end, random);
    }
  }
  return list;
}

/// The clusters of one launch and the threads that run them. A cluster that has had a long turn steps back for others
/// that may be resident with it, so that blocks can wait for each other.
class Workers {
 public:
  Workers(Launch& launch, std::vector<std::uint64_t> clusters, std::uint64_t resident)
      : launch_(launch), clusters_(std::move(clusters)), resident_(resident) {}

  void run(unsigned threads, LaunchResult& result) {
    threads =
        static_cast<unsigned>(std::min<std::uint64_t>(threads, std::min(resident_, std::uint64_t{clusters_.size()})));
    std::vector<std::vector<LineCount>> counts(threads);
    std::vector<std::thread> pool;
    for (unsigned t = 1; t < threads; ++t) pool.emplace_back([this, &counts, t] { work(counts[t]); });
    work(counts[0]);
    for (auto& thread : pool) thread.join();
    if (error_) std::rethrow_exception(error_);
    result.report = std::move(report_);
    for (const auto& part : counts) {
      if (result.counts.size() < part.size()) result.counts.resize(part.size());
      for (std::size_t i = 0; i < part.size(); ++i) result.counts[i].add(part[i]);
    }
  }

 private:
  static constexpr int kTurns = 64;
  static constexpr std::uint32_t kStalled = 96;

  void work(std::vector<LineCount>& counts) {
    if (launch_.settings.counters) counts.resize(launch_.module.instructions());
    try {
      while (std::unique_ptr<Cluster> cluster = next()) {
        cluster->counts = counts.empty() ? nullptr : &counts;
        auto outcome = Cluster::Outcome::running;
        const std::uint64_t before = cluster->progress;
        for (int turn = 0; turn < kTurns && outcome == Cluster::Outcome::running && !launch_.stop; ++turn) {
          outcome = cluster->run();
        }
        cluster->stalled_turns = cluster->progress == before ? cluster->stalled_turns + 1 : 0;
        if (all_stalled(*cluster)) cluster->report_deadlock();
        put_back(std::move(cluster), outcome == Cluster::Outcome::finished);
      }
    } catch (const Fault& fault) {
      const std::lock_guard lock(mutex_);
      if (!report_) report_ = fault.report;
      stop();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
      stop();
    }
  }

  /// True where `cluster` and every other that is resident have long done nothing that could end another's wait.
  bool all_stalled(const Cluster& cluster) {
    if (cluster.stalled_turns < kStalled) return false;
    const std::lock_guard lock(mutex_);
    return paused_.size() + 1 == live_ && (next_ >= clusters_.size() || live_ >= resident_) &&
           std::all_of(paused_.begin(), paused_.end(),
                       [](const auto& other) { return other->stalled_turns >= kStalled; });
  }

  void stop() {
    launch_.stop = true;
    changed_.notify_all();
  }

  std::unique_ptr<Cluster> next() {
    std::unique_lock lock(mutex_);
    while (true) {
      if (launch_.stop) return nullptr;
      const bool may_start = next_ < clusters_.size() && live_ < resident_;
      // New blocks join when those that run have had a turn each.
      if (may_start && (paused_.empty() || fresh_)) {
        fresh_ = false;
        ++live_;
        const std::uint64_t linear = clusters_[next_++];
        lock.unlock();
        return std::make_unique<Cluster>(launch_, linear);
      }
      if (!paused_.empty()) {
        auto cluster = std::move(paused_.front());
        paused_.pop_front();
        fresh_ = true;
        return cluster;
      }
      if (live_ == 0 && next_ >= clusters_.size()) return nullptr;
      changed_.wait(lock);
    }
  }

  void put_back(std::unique_ptr<Cluster> cluster, bool finished) {
    const std::lock_guard lock(mutex_);
    if (finished) {
      --live_;
    } else {
      paused_.push_back(std::move(cluster));
      fresh_ = true;
    }
    changed_.notify_all();
  }

  Launch& launch_;
  std::vector<std::uint64_t> clusters_;
  std::uint64_t resident_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Cluster>> paused_;
  std::size_t next_ = 0;
  std::uint64_t live_ = 0;
  bool fresh_ = false;
  std::optional<Report> report_;
  std::exception_ptr error_;
};

}  // namespace

Limits Limits::of(int cc) {
  Limits limits;
  limits.shared_per_block_optin = cc >= 90 ? 232448 : cc == 80 ? 166912 : cc >= 86 ? 101376 : 65536;
  limits.shared_per_sm = cc >= 90 ? 233472 : cc == 80 ? 167936 : cc >= 86 ? 102400 : 65536;
  limits.threads_per_sm = cc >= 90 || cc == 80 ? 2048 : cc >= 86 ? 1536 : 1024;
  limits.blocks_per_sm = cc >= 90 || cc == 80 ? 32 : cc == 89 ? 24 : 16;
  limits.cluster_blocks = cc >= 90 ? 16 : 1;
  return limits;
}

Device::Device(const Settings& settings)
    : settings_(settings), limits_(Limits::of(settings.compute_capability)), memory_(settings.memory) {}

std::uint32_t Device::occupancy(const Program& kernel, std::uint32_t threads, std::uint32_t dynamic_shared) const {
  const std::uint32_t warps = (threads + kWarpSize - 1) / kWarpSize;
  const std::uint32_t shared = kernel.static_shared + dynamic_shared + (settings_.compute_capability >= 80 ? 1024 : 0);
  std::uint32_t blocks = std::min(limits_.blocks_per_sm, limits_.threads_per_sm / (warps * kWarpSize));
  if (shared != 0) blocks = std::min(blocks, limits_.shared_per_sm / shared);
  const auto maxnreg = kernel.directives.find("maxnreg");
  if (maxnreg != kernel.directives.end()) {
    blocks = std::min(blocks, limits_.registers_per_sm / (warps * kWarpSize * std::max(1u, maxnreg->second[0])));
  }
  return blocks;
}

void Device::check(const Program& kernel, const LaunchConfig& config, std::size_t param_bytes) const {
  const std::uint64_t threads = volume(config.block);
  const auto expect = [&](bool holds, const std::string& what) {
    if (!holds) throw Error("kernel " + kernel.name + ": expected " + what);
  };
  expect(kernel.is_entry, "an entry, found a device function");
  expect(threads >= 1 && threads <= limits_.threads_per_block,
         "1 to " + std::to_string(limits_.threads_per_block) + " threads a block, found " + std::to_string(threads));
  expect(volume(config.grid) >= 1, "at least one block, found an empty grid");
  for (int i = 0; i < 3; ++i) {
    expect(config.cluster[i] >= 1 && config.grid[i] % config.cluster[i] == 0, "a grid made of whole clusters");
  }
  expect(volume(config.cluster) <= limits_.cluster_blocks, "at most " + std::to_string(limits_.cluster_blocks) +
                                                               " blocks a cluster, found " +
                                                               std::to_string(volume(config.cluster)));
  if (const auto it = kernel.directives.find("reqntid"); it != kernel.directives.end()) {
    for (std::size_t i = 0; i < 3; ++i) {
      const std::uint32_t want = i < it->second.size() ? it->second[i] : 1;
      expect(config.block[i] == want, ".reqntid's " + std::to_string(want) + " threads in dimension " +
                                          std::to_string(i) + ", found " + std::to_string(config.block[i]));
    }
  }
  if (const auto it = kernel.directives.find("maxntid"); it != kernel.directives.end()) {
    std::uint64_t most = 1;
    for (const std::uint32_t n : it->second) most *= n;
    expect(threads <= most,
           "at most .maxntid's " + std::to_string(most) + " threads, found " + std::to_string(threads));
  }
  const std::uint64_t shared = std::uint64_t{kernel.static_shared} + config.dynamic_shared;
  expect(shared <= limits_.shared_per_block_optin, "at most " + std::to_string(limits_.shared_per_block_optin) +
                                                       " bytes of shared memory, found " + std::to_string(shared));
  std::size_t need = 0;
  for (const ParamSlot& slot : kernel.parameters) need = std::max<std::size_t>(need, slot.offset + slot.bytes);
  expect(param_bytes == need, std::to_string(need) + " bytes of parameters, found " + std::to_string(param_bytes));
}

LaunchResult Device::launch(const Module& module, const Program& kernel, const LaunchConfig& given,
                            std::span<const std::uint8_t> params, const WorkOrder* order) {
  LaunchConfig config = given;
  if (const auto it = kernel.directives.find("reqnctapercluster"); it != kernel.directives.end()) {
    // A kernel compiled for one cluster size is launched with that size, whether the launch names it or not.
    Dim3 size{1, 1, 1};
    std::copy_n(it->second.begin(), std::min<std::size_t>(it->second.size(), 3), size.begin());
    if (config.cluster == Dim3{1, 1, 1}) config.cluster = size;
    if (config.cluster != size)
      throw Error("kernel " + kernel.name + ": expected the cluster size that .reqnctapercluster names");
  }
  check(kernel, config, params.size());
  // Tags in the shadow of global memory hold 8 bits of the launch's number.
  if (order == nullptr && ++launches_ % 256 == 0) {
    memory_.clear_tags();
    ++launches_;
  }
  const std::uint32_t number = order != nullptr ? order->number : launches_;
  const auto begin = std::chrono::steady_clock::now();
  LaunchResult result;
  Launch launch(memory_, module, kernel, config, settings_, number, order);
  launch.params.assign(params.begin(), params.end());
  const std::uint64_t per_cluster = volume(config.cluster);
  const std::uint64_t per_sm =
      std::max(1u, occupancy(kernel, static_cast<std::uint32_t>(volume(config.block)), config.dynamic_shared));
  const std::uint64_t resident = std::max<std::uint64_t>(1, settings_.sms * per_sm / per_cluster);
  std::vector<std::uint64_t> clusters =
      chosen_clusters(config, config.cooperative ? 0 : settings_.sample_blocks, settings_.seed, resident);
  result.blocks = clusters.size() * per_cluster;
  const unsigned threads =
      settings_.threads != 0 ? settings_.threads : std::max(1u, std::thread::hardware_concurrency());
  Workers(launch, std::move(clusters), resident).run(threads, result);
  result.output = std::move(launch.output);
  if (result.blocks != volume(config.grid)) {
    const double factor = static_cast<double>(volume(config.grid)) / static_cast<double>(result.blocks);
    for (LineCount& count : result.counts) count.scale(factor);
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace vgpu
