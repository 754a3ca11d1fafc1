#include "driver/objects/allocations.h"

#include <string>

#include "driver/objects/pool.h"

namespace vgpu::driver {
namespace {

constexpr std::uint64_t kAlignment = 512;

}  // namespace

std::uint64_t Allocations::allocate(Allocation::Kind kind, std::uint64_t bytes, std::shared_ptr<ContextObject> context,
                                    unsigned flags, std::shared_ptr<PoolObject> pool) {
  require_value(bytes > 0, "expected at least one byte to allocate");
  Allocation range;
  range.kind = kind;
  range.bytes = bytes;
  range.flags = flags;
  range.context = std::move(context);
  range.pool = std::move(pool);
  std::unique_lock lock(mutex_);
  const auto take = [&] {
    const bool fits = bytes <= driver_.memory_size - std::min(device_bytes_, driver_.memory_size);
    range.address = range.on_device() && !fits ? 0 : driver_.device->memory().allocate(bytes, kAlignment);
    return range.address != 0;
  };
  if (!take()) {
    // Frees in stream order may be pending that a driver less late would have carried out.
    lock.unlock();
    driver_.engine->drain();
    lock.lock();
    require(take(), CUDA_ERROR_OUT_OF_MEMORY, "expected the device's memory (VGPU_MEMORY) to hold the allocation");
  }
  // The host writes pinned and managed memory without a call that could be observed; and where grids are sampled,
  // nothing writes what the other blocks would have.
  if (kind == Allocation::Kind::pinned || kind == Allocation::Kind::managed || driver_.settings().sample_blocks != 0) {
    driver_.device->memory().mark(range.address, bytes, ByteState::defined);
  }
  range.id = ++last_id_;
  if (range.on_device()) device_bytes_ += bytes;
  const std::uint64_t address = range.address;
  ranges_[address] = std::move(range);
  return address;
}

void Allocations::register_host(std::uint64_t address, std::uint64_t bytes, std::shared_ptr<ContextObject> context,
                                unsigned flags) {
  require_value(address != 0 && bytes > 0, "expected some bytes of the program's own memory");
  require_value(!driver_.device->memory().contains(address), "expected memory that the driver has not allocated");
  const std::lock_guard lock(mutex_);
  const auto after = ranges_.upper_bound(address);
  const bool before_overlaps =
      after != ranges_.begin() && address - std::prev(after)->first < std::prev(after)->second.bytes;
  require(!before_overlaps && (after == ranges_.end() || after->first - address >= bytes),
          CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, "expected memory that is not registered already");
  Allocation range;
  range.kind = Allocation::Kind::registered;
  range.address = address;
  range.bytes = bytes;
  range.flags = flags;
  range.id = ++last_id_;
  range.context = std::move(context);
  ranges_[address] = std::move(range);
}

std::optional<Allocation> Allocations::find(std::uint64_t address) const {
  const std::lock_guard lock(mutex_);
  const auto after = ranges_.upper_bound(address);
  if (after == ranges_.begin()) return std::nullopt;
  const auto& [start, range] = *std::prev(after);
  if (address - start >= range.bytes) return std::nullopt;
  return range;
}

Allocation Allocations::at(std::uint64_t address) const {
  const std::lock_guard lock(mutex_);
  const auto it = ranges_.find(address);
  require_value(it != ranges_.end(), "expected the start of a live allocation");
  return it->second;
}

void Allocations::release(std::uint64_t address) {
  const std::lock_guard lock(mutex_);
  const auto it = ranges_.find(address);
  if (it == ranges_.end()) return;
  if (it->second.kind != Allocation::Kind::registered) driver_.device->memory().release(address);
  if (it->second.on_device()) device_bytes_ -= it->second.bytes;
  ranges_.erase(it);
}

void Allocations::start_freeing(std::uint64_t address) {
  const std::lock_guard lock(mutex_);
  const auto it = ranges_.find(address);
  require_value(it != ranges_.end() && !it->second.freeing, "expected an allocation that is not freed already");
  it->second.freeing = true;
}

void Allocations::release_all_of(const ContextObject& context, VgpuLeaks& left) {
  const std::lock_guard lock(mutex_);
  for (auto it = ranges_.begin(); it != ranges_.end();) {
    const Allocation& range = it->second;
    if (range.context.get() != &context) {
      ++it;
      continue;
    }
    (range.on_host() ? left.host_allocations : left.device_allocations) += 1;
    (range.on_host() ? left.host_bytes : left.device_bytes) += range.bytes;
    if (range.kind != Allocation::Kind::registered) driver_.device->memory().release(range.address);
    if (range.on_device()) device_bytes_ -= range.bytes;
    it = ranges_.erase(it);
  }
}

std::uint64_t Allocations::device_bytes_in_use() const {
  const std::lock_guard lock(mutex_);
  return device_bytes_;
}

void Allocations::count(VgpuLeaks& leaks) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [address, range] : ranges_) {
    (range.on_host() ? leaks.host_allocations : leaks.device_allocations) += 1;
    (range.on_host() ? leaks.host_bytes : leaks.device_bytes) += range.bytes;
  }
}

}  // namespace vgpu::driver
