#include "checks/global_shadow.h"

#include <algorithm>

namespace vgpu {
namespace {

// Tags are shared by worker threads without locks: a lost update can hide a race, a torn one can't be (they are
// aligned).
std::uint64_t load(const std::uint64_t& tag) { return __atomic_load_n(&tag, __ATOMIC_RELAXED); }
void store(std::uint64_t& tag, std::uint64_t value) { __atomic_store_n(&tag, value, __ATOMIC_RELAXED); }

std::uint32_t block_of(std::uint64_t tag) { return static_cast<std::uint32_t>(tag >> 35) & 0x1fffff; }
std::uint32_t warp_of(std::uint64_t tag) { return static_cast<std::uint32_t>(tag >> 30) & 31; }
std::uint32_t tick_of(std::uint64_t tag) { return static_cast<std::uint32_t>(tag >> 19) & 0x7ff; }
std::uint32_t pc_of(std::uint64_t tag) { return static_cast<std::uint32_t>(tag >> 5) & 0x3fff; }

/// A tag of another block of the same launch.
bool elsewhere(std::uint64_t tag, std::uint64_t mine) { return (tag ^ mine) >> 56 == 0 && (tag ^ mine) >> 35 != 0; }

GlobalRace race(std::uint64_t tag, bool wrote, std::uint64_t address) {
  return {true, wrote, address, block_of(tag), warp_of(tag), pc_of(tag)};
}

}  // namespace

std::uint64_t GlobalShadow::make(const BlockOrder& order, std::uint32_t warp, std::uint32_t pc, bool strong) const {
  const std::uint64_t tick = std::min(order.tick, kLastTick);
  return static_cast<std::uint64_t>(launch_) << 56 | static_cast<std::uint64_t>(order.block & 0x1fffff) << 35 |
         static_cast<std::uint64_t>(warp) << 30 | tick << 19 | static_cast<std::uint64_t>(pc & 0x3fff) << 5 |
         (strong ? 16u : 0u);
}

bool GlobalShadow::conflicts(std::uint64_t tag, const BlockOrder& order, bool strong, std::uint32_t mask) const {
  if ((tag & mask) == 0) return false;
  if (strong && (tag & 16) != 0) return false;
  if (tick_of(tag) == kLastTick) return false;  // too many fences to tell apart
  const auto seen = order.acquired.find(block_of(tag));
  return seen == order.acquired.end() || seen->second[warp_of(tag)] <= tick_of(tag);
}

GlobalRace GlobalShadow::read(BlockOrder& order, std::uint32_t warp, std::uint32_t pc, std::uint64_t address,
                              std::uint32_t bytes, bool strong) {
  order.touched = true;
  const std::uint64_t mine = make(order, warp, pc, strong);
  const std::uint64_t end = address + bytes;
  for (std::uint64_t at = address & ~std::uint64_t{3}; at < end; at += 4) {
    std::uint32_t part = 15;
    if (at < address) part &= 15u << (address - at);
    if (at + 4 > end) part &= 15u >> (at + 4 - end);
    GlobalTags& tags = *memory_.tags(at);
    const std::uint64_t write = load(tags.write);
    if (elsewhere(write, mine) && conflicts(write, order, strong, part)) return race(write, true, at);
    store(tags.read, mine | part);
  }
  return {};
}

GlobalRace GlobalShadow::write(BlockOrder& order, std::uint32_t warp, std::uint32_t pc, std::uint64_t address,
                               std::uint32_t bytes, bool strong) {
  order.touched = true;
  const std::uint64_t mine = make(order, warp, pc, strong);
  const std::uint64_t end = address + bytes;
  for (std::uint64_t at = address & ~std::uint64_t{3}; at < end; at += 4) {
    std::uint32_t part = 15;
    if (at < address) part &= 15u << (address - at);
    if (at + 4 > end) part &= 15u >> (at + 4 - end);
    GlobalTags& tags = *memory_.tags(at);
    const std::uint64_t write = load(tags.write);
    if (elsewhere(write, mine) && conflicts(write, order, strong, part)) return race(write, true, at);
    const std::uint64_t read = load(tags.read);
    if (elsewhere(read, mine) && conflicts(read, order, strong, part)) return race(read, false, at);
    store(tags.write, mine | part);
  }
  return {};
}

void GlobalShadow::release(BlockOrder& order, std::uint64_t address) {
  if (!order.any_published) return;
  any_release_.store(true, std::memory_order_relaxed);
  Stripe& stripe = stripes_[(address >> 2) % stripes_.size()];
  const std::lock_guard lock(stripe.mutex);
  PublishedBlocks& location = stripe.locations[address];
  const auto merge = [&](std::uint32_t block, const Published& published) {
    Published& known = location[block];
    for (int w = 0; w < kMaxWarps; ++w) known[w] = std::max(known[w], published[w]);
  };
  merge(order.block & 0x1fffff, order.published);
  for (const auto& [block, published] : order.acquired) merge(block, published);
}

void GlobalShadow::acquire(BlockOrder& order, std::uint64_t address) {
  if (!any_release_.load(std::memory_order_relaxed)) return;
  Stripe& stripe = stripes_[(address >> 2) % stripes_.size()];
  const std::lock_guard lock(stripe.mutex);
  const auto location = stripe.locations.find(address);
  if (location == stripe.locations.end()) return;
  for (const auto& [block, published] : location->second) {
    Published& known = order.acquired[block];
    for (int w = 0; w < kMaxWarps; ++w) known[w] = std::max(known[w], published[w]);
  }
}

}  // namespace vgpu
