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

/// Block, warp, tick and instruction of a tag that no kernel made; tick 1, because 0 means no access.
constexpr std::uint64_t kWholeRange =
    std::uint64_t{0x1fffff} << 35 | std::uint64_t{1} << 19 | std::uint64_t{0x3fff} << 5;

GlobalRace race(std::uint64_t tag, bool wrote, std::uint64_t address) {
  return {true, static_cast<std::uint32_t>(tag >> 56), wrote, address, block_of(tag), warp_of(tag), pc_of(tag), false};
}

/// A tag of other work that is unordered with the current one. `unordered` may be null: then none is.
bool foreign(std::uint64_t tag, const bool* unordered, bool strong, std::uint32_t mask) {
  return unordered != nullptr && unordered[tag >> 56] && (tag & mask) != 0 && !(strong && (tag & 16) != 0);
}

/// Records a read. A reader that is unordered with this one makes room: it is kept aside for the writer to come.
void note_read(Memory& memory, GlobalTags& tags, std::uint64_t address, std::uint64_t mine, const bool* unordered) {
  if (unordered != nullptr) {
    const std::uint64_t before = load(tags.read);
    if (unordered[before >> 56]) memory.set_displaced_read(address, before);
  }
  store(tags.read, mine);
}

/// The tag of unordered work that a write of `mask` bytes races with: its write, else its read; 0 where there is none.
std::uint64_t foreign_access(const Memory& memory, const GlobalTags& tags, std::uint64_t address, const bool* unordered,
                             bool strong, std::uint32_t mask, bool& wrote) {
  if (unordered == nullptr) return 0;
  const std::uint64_t write = load(tags.write);
  wrote = foreign(write, unordered, strong, mask);
  if (wrote) return write;
  const std::uint64_t read = load(tags.read);
  if (foreign(read, unordered, strong, mask)) return read;
  const std::uint64_t displaced = memory.displaced_read(address);
  return foreign(displaced, unordered, strong, mask) ? displaced : 0;
}

/// The bytes of the word at `at` that [address, end) covers, one bit each.
std::uint32_t part_of_word(std::uint64_t at, std::uint64_t address, std::uint64_t end) {
  std::uint32_t part = 15;
  if (at < address) part &= 15u << (address - at);
  if (at + 4 > end) part &= 15u >> (at + 4 - end);
  return part;
}

}  // namespace

std::uint64_t GlobalShadow::make(const BlockOrder& order, const Access& access) const {
  const std::uint64_t tick = std::min(order.tick, kLastTick);
  return static_cast<std::uint64_t>(launch_) << 56 | static_cast<std::uint64_t>(order.block & 0x1fffff) << 35 |
         static_cast<std::uint64_t>(access.warp) << 30 | tick << 19 |
         static_cast<std::uint64_t>(access.pc & 0x3fff) << 5 | (access.strong ? 16u : 0u);
}

bool GlobalShadow::conflicts(std::uint64_t tag, std::uint32_t clock, std::uint64_t mine, const BlockOrder& order,
                             const Access& access, std::uint32_t mask) const {
  // An access of this launch, by another warp, to some of the same bytes.
  if ((tag ^ mine) >> 56 != 0 || (tag ^ mine) >> 30 == 0 || (tag & mask) == 0) return false;
  if (access.strong && (tag & 16) != 0) return false;
  if ((tag ^ mine) >> 35 == 0) return access.seen != nullptr && access.seen->seen[warp_of(tag)] < clock;
  if (tick_of(tag) == kLastTick) return false;  // too many fences to tell apart
  const auto seen = order.acquired.find(block_of(tag));
  return seen == order.acquired.end() || seen->second[warp_of(tag)] <= tick_of(tag);
}

GlobalRace GlobalShadow::read(BlockOrder& order, const Access& access, std::uint64_t address, std::uint32_t bytes) {
  order.touched = true;
  const std::uint64_t mine = make(order, access);
  const std::uint32_t clock = access.seen != nullptr ? access.seen->seen[access.warp] : 0;
  const bool* others = unordered(access);
  const std::uint64_t end = address + bytes;
  for (std::uint64_t at = address & ~std::uint64_t{3}; at < end; at += 4) {
    const std::uint32_t part = part_of_word(at, address, end);
    GlobalTags& tags = *memory_.tags(at);
    const std::uint64_t write = load(tags.write);
    if (conflicts(write, tags.write_clock, mine, order, access, part)) return race(write, true, at);
    if (foreign(write, others, access.strong, part)) return race(write, true, at);
    note_read(memory_, tags, at, mine | part, others);
    tags.read_clock = clock;
  }
  return {};
}

GlobalRace GlobalShadow::write(BlockOrder& order, const Access& access, std::uint64_t address, std::uint32_t bytes) {
  order.touched = true;
  const std::uint64_t mine = make(order, access);
  const std::uint32_t clock = access.seen != nullptr ? access.seen->seen[access.warp] : 0;
  const bool* others = unordered(access);
  GlobalRace repeated;
  const std::uint64_t end = address + bytes;
  for (std::uint64_t at = address & ~std::uint64_t{3}; at < end; at += 4) {
    const std::uint32_t part = part_of_word(at, address, end);
    GlobalTags& tags = *memory_.tags(at);
    const std::uint64_t write = load(tags.write);
    if (conflicts(write, tags.write_clock, mine, order, access, part)) {
      if (!access.may_repeat || pc_of(write) != (access.pc & 0x3fff)) return race(write, true, at);
      repeated = race(write, true, at);
      repeated.repeats = true;
    }
    const std::uint64_t read = load(tags.read);
    if (conflicts(read, tags.read_clock, mine, order, access, part)) return race(read, false, at);
    bool wrote = false;
    const std::uint64_t other = foreign_access(memory_, tags, at, others, access.strong, part, wrote);
    if (other != 0) return race(other, wrote, at);
    store(tags.write, mine | part);
    tags.write_clock = clock;
  }
  return repeated;
}

GlobalRace touch_range(Memory& memory, const WorkOrder& order, bool write, bool strong, std::uint64_t address,
                       std::uint64_t bytes) {
  const bool* unordered = order.any_unordered ? order.unordered.data() : nullptr;
  if (unordered == nullptr && order.number == 0) return {};
  const std::uint64_t mine = std::uint64_t{order.number} << 56 | kWholeRange | (strong ? 16u : 0u);
  const bool record = order.number != 0;
  const bool displaced = memory.any_displaced_read();
  const std::uint64_t end = address + bytes;
  for (std::uint64_t at = address & ~std::uint64_t{3}; at < end; at += 4) {
    const std::uint32_t part = at >= address && at + 4 <= end ? 15 : part_of_word(at, address, end);
    GlobalTags& tags = *memory.tags(at);
    // Most words have no unordered access.
    if (unordered != nullptr && (displaced || unordered[load(tags.write) >> 56] || unordered[load(tags.read) >> 56])) {
      bool wrote = true;
      const std::uint64_t other = write ? foreign_access(memory, tags, at, unordered, strong, part, wrote)
                                  : foreign(load(tags.write), unordered, strong, part) ? load(tags.write)
                                                                                       : 0;
      if (other != 0) return race(other, wrote, at);
      if (!write && record) note_read(memory, tags, at, mine | part, unordered);
    } else if (!write && record) {
      store(tags.read, mine | part);
    }
    if (write && record) store(tags.write, mine | part);
  }
  return {};
}

void GlobalShadow::release(BlockOrder& order, std::uint64_t address) {
  if (!order.any_published) return;
  any_release_.store(true, std::memory_order_relaxed);
  Stripe& stripe = stripes_[(address >> 2) % stripes_.size()];
  const std::lock_guard lock(stripe.mutex);
  PublishedBlocks& location = stripe.locations[address];
  BlockOrder::join(location[order.block & 0x1fffff], order.published);
  for (const auto& [block, published] : order.acquired) BlockOrder::join(location[block], published);
}

void GlobalShadow::acquire(BlockOrder& order, std::uint32_t warp, std::uint64_t address, bool acquires) {
  if (!any_release_.load(std::memory_order_relaxed)) return;
  Stripe& stripe = stripes_[(address >> 2) % stripes_.size()];
  const std::lock_guard lock(stripe.mutex);
  const auto location = stripe.locations.find(address);
  if (location == stripe.locations.end()) return;
  order.any_observed |= !acquires;
  PublishedBlocks& known = acquires ? order.acquired : order.observed[warp];
  for (const auto& [block, published] : location->second) BlockOrder::join(known[block], published);
}

}  // namespace vgpu
