#include "driver/objects/pool.h"

#include <algorithm>

#include "driver/objects/status.h"

namespace vgpu::driver {
namespace {

/// What a pool asks the device for at a time.
constexpr std::uint64_t kBlock = std::uint64_t{32} << 20;

std::uint64_t in_blocks(std::uint64_t bytes) { return (bytes + kBlock - 1) / kBlock * kBlock; }

}  // namespace

void PoolObject::take(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  require(max_bytes == 0 || used_ + bytes <= max_bytes, CUDA_ERROR_OUT_OF_MEMORY,
          "expected an allocation within the pool's greatest size");
  used_ += bytes;
  used_high_ = std::max(used_high_, used_);
  reserved_ = std::max(reserved_, in_blocks(used_));
  reserved_high_ = std::max(reserved_high_, reserved_);
}

void PoolObject::give_back(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  used_ -= bytes;
  reserved_ = std::max(in_blocks(used_), std::min(reserved_, threshold_));
}

void PoolObject::trim(std::uint64_t keep) {
  const std::lock_guard lock(mutex_);
  reserved_ = std::max(in_blocks(used_), std::min(reserved_, keep));
}

void PoolObject::set(CUmemPool_attribute attribute, void* value) {
  require_value(value != nullptr, "expected a value, found a null pointer");
  const std::lock_guard lock(mutex_);
  const auto high = [&](std::uint64_t& mark, std::uint64_t now) {
    require_value(*static_cast<const cuuint64_t*>(value) == 0, "expected 0, the one value a high-water mark takes");
    mark = now;
  };
  switch (attribute) {
    case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
      follow_events_ = *static_cast<const int*>(value);
      return;
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
      opportunistic_ = *static_cast<const int*>(value);
      return;
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
      internal_dependencies_ = *static_cast<const int*>(value);
      return;
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
      threshold_ = *static_cast<const cuuint64_t*>(value);
      return;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
      return high(reserved_high_, reserved_);
    case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
      return high(used_high_, used_);
    default:
      throw Status(CUDA_ERROR_INVALID_VALUE, "expected an attribute of pools that can be set");
  }
}

void PoolObject::get(CUmemPool_attribute attribute, void* value) const {
  require_value(value != nullptr, "expected room for the value, found a null pointer");
  const std::lock_guard lock(mutex_);
  const auto flag = [&](int now) { *static_cast<int*>(value) = now; };
  const auto bytes = [&](std::uint64_t now) { *static_cast<cuuint64_t*>(value) = now; };
  switch (attribute) {
    case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
      return flag(follow_events_);
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
      return flag(opportunistic_);
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
      return flag(internal_dependencies_);
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
      return bytes(threshold_);
    case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
      return bytes(reserved_);
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
      return bytes(reserved_high_);
    case CU_MEMPOOL_ATTR_USED_MEM_CURRENT:
      return bytes(used_);
    case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
      return bytes(used_high_);
    default:
      throw Status(CUDA_ERROR_INVALID_VALUE, "expected an attribute of pools");
  }
}

}  // namespace vgpu::driver
