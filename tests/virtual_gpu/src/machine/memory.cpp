#include "machine/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "types.h"

namespace vgpu {
namespace {

constexpr std::uint64_t kFence = 512;

void* reserve(std::uint64_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) {
    throw Error("expected to reserve " + std::to_string(bytes) +
                " bytes of address space for device memory, was refused");
  }
  return pages;
}

}  // namespace

Memory::Memory(std::uint64_t capacity) : capacity_((capacity + 4095) / 4096 * 4096) {
  base_ = reinterpret_cast<std::uint64_t>(reserve(capacity_));
  states_ = static_cast<std::uint8_t*>(reserve(capacity_));
  tags_ = static_cast<GlobalTags*>(reserve(capacity_ / 4 * sizeof(GlobalTags)));
  displaced_ = static_cast<std::uint64_t*>(reserve(capacity_ / 4 * sizeof(std::uint64_t)));
  next_ = base_ + kFence;
}

Memory::~Memory() {
  munmap(reinterpret_cast<void*>(base_), capacity_);
  munmap(states_, capacity_);
  munmap(tags_, capacity_ / 4 * sizeof(GlobalTags));
  munmap(displaced_, capacity_ / 4 * sizeof(std::uint64_t));
}

std::uint64_t Memory::allocate(std::uint64_t bytes, std::uint64_t alignment) {
  const std::lock_guard lock(mutex_);
  if (bytes == 0 || bytes > capacity_ || in_use_ + bytes > capacity_) return 0;
  alignment = std::max<std::uint64_t>(alignment, 1);
  std::uint64_t address = (next_ + alignment - 1) / alignment * alignment;
  if (address + bytes + kFence <= base_ + capacity_) {
    next_ = address + bytes + kFence;
  } else {
    // Freed memory rests until the arena is used up; then the first hole that is large enough is taken again.
    address = 0;
    for (auto it = allocations_.begin(); it != allocations_.end(); ++it) {
      if (it->second.live) continue;
      auto last = it;
      std::uint64_t end = it->first + it->second.bytes;
      while (std::next(last) != allocations_.end() && !std::next(last)->second.live) {
        ++last;
        end = last->first + last->second.bytes;
      }
      const std::uint64_t start = (it->first + alignment - 1) / alignment * alignment;
      if (start + bytes <= end) {
        address = start;
        mark(it->first, end - it->first, ByteState::unallocated);
        // Accesses to the previous allocation at this address cannot race any more.
        std::memset(tags(it->first & ~std::uint64_t{3}), 0, (end - it->first + 3) / 4 * sizeof(GlobalTags));
        if (any_displaced_) clear_displaced();
        allocations_.erase(it, std::next(last));
        break;
      }
      it = last;
    }
    if (address == 0) return 0;
  }
  allocations_[address] = {bytes, ++serial_, true};
  in_use_ += bytes;
  mark(address, bytes, ByteState::undefined);
  // Poison: what reads it in spite of the checks sees NaNs in every floating-point format.
  std::memset(reinterpret_cast<void*>(address), 0xff, bytes);
  return address;
}

bool Memory::release(std::uint64_t address) {
  const std::lock_guard lock(mutex_);
  const auto it = allocations_.find(address);
  if (it == allocations_.end() || !it->second.live) return false;
  it->second.live = false;
  in_use_ -= it->second.bytes;
  mark(address, it->second.bytes, ByteState::freed);
  const std::uint64_t first = (address + 4095) / 4096 * 4096;
  const std::uint64_t last = (address + it->second.bytes) / 4096 * 4096;
  if (last > first) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  return true;
}

void Memory::write(std::uint64_t address, const void* source, std::uint64_t bytes) {
  std::memcpy(reinterpret_cast<void*>(address), source, bytes);
  mark(address, bytes, ByteState::defined);
}

void Memory::read(std::uint64_t address, void* destination, std::uint64_t bytes) const {
  std::memcpy(destination, reinterpret_cast<const void*>(address), bytes);
}

void Memory::copy(std::uint64_t destination, std::uint64_t source, std::uint64_t bytes) {
  std::memmove(reinterpret_cast<void*>(destination), reinterpret_cast<const void*>(source), bytes);
  std::memmove(state(destination), state(source), bytes);
}

void Memory::mark(std::uint64_t address, std::uint64_t bytes, ByteState state_of_all) {
  std::memset(state(address), static_cast<int>(state_of_all), bytes);
}

std::map<std::uint64_t, Memory::Allocation>::const_iterator Memory::find(std::uint64_t address) const {
  const auto after = allocations_.upper_bound(address);
  if (after == allocations_.begin()) return allocations_.end();
  const auto it = std::prev(after);
  return address - it->first < it->second.bytes ? it : allocations_.end();
}

bool Memory::covers(std::uint64_t address, std::uint64_t bytes) const {
  const std::lock_guard lock(mutex_);
  const auto it = find(address);
  return it != allocations_.end() && it->second.live && address - it->first + bytes <= it->second.bytes;
}

bool Memory::defined(std::uint64_t address, std::uint64_t bytes) const {
  const std::uint8_t* first = state(address);
  return std::all_of(first, first + bytes,
                     [](std::uint8_t s) { return s == static_cast<std::uint8_t>(ByteState::defined); });
}

std::uint64_t Memory::allocations_in_use() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint64_t>(
      std::count_if(allocations_.begin(), allocations_.end(), [](const auto& entry) { return entry.second.live; }));
}

std::string Memory::describe(std::uint64_t address) const {
  const std::lock_guard lock(mutex_);
  char hex[32];
  std::snprintf(hex, sizeof hex, "0x%llx", static_cast<unsigned long long>(address));
  std::string text = hex;
  if (address < 4096) return text + ", a null pointer";
  const auto after = allocations_.upper_bound(address);
  if (after == allocations_.begin()) return text + ", before every allocation";
  const auto& [start, allocation] = *std::prev(after);
  char where[160];
  const std::uint64_t offset = address - start;
  if (offset < allocation.bytes) {
    std::snprintf(where, sizeof where, ", byte %llu of ", static_cast<unsigned long long>(offset));
  } else {
    std::snprintf(where, sizeof where, ", %llu bytes past the end of ",
                  static_cast<unsigned long long>(offset - allocation.bytes));
  }
  text += where;
  std::snprintf(where, sizeof where, "%sallocation %llu (%llu bytes at 0x%llx)", allocation.live ? "" : "freed ",
                static_cast<unsigned long long>(allocation.serial), static_cast<unsigned long long>(allocation.bytes),
                static_cast<unsigned long long>(start));
  return text + where;
}

void Memory::clear_tags() {
  madvise(tags_, capacity_ / 4 * sizeof(GlobalTags), MADV_DONTNEED);
  if (any_displaced_) clear_displaced();
}

void Memory::clear_displaced() {
  madvise(displaced_, capacity_ / 4 * sizeof(std::uint64_t), MADV_DONTNEED);
  any_displaced_ = false;
}

}  // namespace vgpu
