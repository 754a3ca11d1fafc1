// Races in global memory between the blocks of one launch, with release and acquire through fences and atomics, and
// between a launch, copy or set and other work on the device that nothing orders before it.
//
// A write is published when its warp (or, after a barrier, any warp of its block) executes a fence at gpu scope or
// wider. An atomic or strong access to some location publishes the block's writes; a thread that reads or updates that
// location later, and then fences or passes a barrier, is ordered after them. PTX ISA, 8.8 "Axioms", in particular
// release and acquire patterns; a barrier instead of the reader's fence is what the CUDA C++ Programming Guide shows.
//
// Warps of one block are ordered by its barriers, as in shared memory, and by strong accesses to the same place.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "checks/vector_clock.h"
#include "checks/work_order.h"
#include "machine/memory.h"

namespace vgpu {

/// Per warp of a block, the tick up to which its writes are published.
using Published = std::array<std::uint32_t, kMaxWarps>;
/// The blocks whose published writes a warp is ordered after.
using PublishedBlocks = std::unordered_map<std::uint32_t, Published>;

/// A block's side.
struct BlockOrder {
  std::uint32_t block = 0;         ///< linear index in the grid
  std::uint32_t tick = 1;          ///< advances at fences and barriers that follow accesses
  std::uint32_t barrier_tick = 0;  ///< writes below this tick are ordered before everything that follows in the block
  bool touched = false;            ///< global memory, since the tick last advanced
  bool any_published = false;
  Published published{};
  PublishedBlocks acquired;
  /// By warp: what strong reads without .acquire have seen, until the warp fences or synchronises.
  std::array<PublishedBlocks, kMaxWarps> observed;
  bool any_observed = false;

  /// What the warp has observed orders the block from here on.
  void settle(std::uint32_t warp) {
    if (!any_observed) return;
    for (const auto& [other, published_by] : observed[warp]) join(acquired[other], published_by);
    observed[warp].clear();
  }
  static void join(Published& known, const Published& more) {
    for (int w = 0; w < kMaxWarps; ++w) known[w] = known[w] > more[w] ? known[w] : more[w];
  }
  void advance() {
    if (touched) ++tick;
    touched = false;
  }
  /// At a barrier of the whole block.
  void barrier() {
    advance();
    barrier_tick = tick;
    for (std::uint32_t w = 0; w < kMaxWarps; ++w) settle(w);
  }
  /// At a fence of gpu or system scope by one warp.
  void fence(std::uint32_t warp) {
    advance();
    for (auto& p : published) p = p > barrier_tick ? p : barrier_tick;
    published[warp] = tick;
    any_published = true;
    settle(warp);
  }
};

struct GlobalRace {
  bool found = false;
  std::uint32_t work = 0;  ///< number of the launch, copy or set that made the other access
  bool other_wrote = false;
  std::uint64_t address = 0;
  std::uint32_t block = 0;
  std::uint32_t warp = 0;
  std::uint32_t pc = 0;
  bool repeats = false;  ///< both are writes by the same instruction: no race where they write the same
};

/// A launch's side; used by all worker threads.
class GlobalShadow {
 public:
  /// `order` is null where the launch is ordered after all other work, and outlives the shadow.
  GlobalShadow(Memory& memory, std::uint32_t launch, const WorkOrder* order)
      : memory_(memory), launch_(launch & 0xff), work_(order) {}

  /// An access as a warp makes it. `strong`: an atomic, or a volatile, relaxed, acquire or release access, which never
  /// races with its like. `grids_waited`: the warp is ordered after a griddepcontrol.wait.
  struct Access {
    std::uint32_t warp = 0;
    std::uint32_t pc = 0;
    bool strong = false;
    bool grids_waited = false;
    /// What the warp is ordered after in its own block; null where only other blocks are checked.
    const VectorClock* seen = nullptr;
    bool may_repeat = false;  ///< two writes by one instruction are no race where they write the same
  };
  GlobalRace read(BlockOrder& order, const Access& access, std::uint64_t address, std::uint32_t bytes);
  GlobalRace write(BlockOrder& order, const Access& access, std::uint64_t address, std::uint32_t bytes);

  std::uint32_t launch() const { return launch_; }
  /// Null where no other work matters.
  const WorkOrder* work() const { return work_; }

  /// An atomic or strong write to `address`.
  void release(BlockOrder& order, std::uint64_t address);
  /// An atomic or strong read of `address` by a warp. Without `acquires` it counts once the warp fences or passes
  /// others.
  void acquire(BlockOrder& order, std::uint32_t warp, std::uint64_t address, bool acquires);

 private:
  // launch:8 block:21 warp:5 tick:11 pc:14 strong:1 mask:4; tick 0: no access.
  static constexpr std::uint32_t kLastTick = (1u << 11) - 1;
  std::uint64_t make(const BlockOrder& order, const Access& access) const;
  /// By number of other work, whether it races with the accessing warp; null where none does.
  const bool* unordered(const Access& access) const {
    if (work_ == nullptr || !work_->any_unordered) return nullptr;
    return (access.grids_waited ? work_->unordered : work_->unordered_before_wait).data();
  }
  /// For a tag of this launch, and the clock beside it.
  bool conflicts(std::uint64_t tag, std::uint32_t clock, std::uint64_t mine, const BlockOrder& order,
                 const Access& access, std::uint32_t mask) const;

  struct Stripe {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, PublishedBlocks> locations;
  };
  Memory& memory_;
  std::uint32_t launch_;
  const WorkOrder* work_;
  std::atomic<bool> any_release_{false};
  std::array<Stripe, 16> stripes_;
};

/// An access by a copy or set as a whole: looks for work in `order` that nothing orders before it, and, where the order
/// has a number, records the access. `strong` as above.
GlobalRace touch_range(Memory& memory, const WorkOrder& order, bool write, bool strong, std::uint64_t address,
                       std::uint64_t bytes);

}  // namespace vgpu
