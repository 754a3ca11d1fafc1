// Every range of memory that programs have been given: device, pinned, registered, managed, from pools and graphs.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "driver/objects/context.h"
#include "driver/objects/driver.h"

namespace vgpu::driver {

struct PoolObject;

/// One range. Those of kind registered are the program's own memory; all others lie in the device's arena, whose
/// addresses are host addresses.
struct Allocation {
  enum class Kind : std::uint8_t { device, pinned, registered, managed, pool };
  Kind kind = Kind::device;
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
  std::uint64_t id = 0;  ///< unique in the process
  unsigned flags = 0;    ///< of cuMemHostAlloc, cuMemHostRegister, cuMemAllocManaged
  bool freeing = false;  ///< a free in stream order is under way
  std::shared_ptr<ContextObject> context;
  std::shared_ptr<PoolObject> pool;

  bool on_host() const { return kind == Kind::pinned || kind == Kind::registered; }
  /// Counts against the device's memory.
  bool on_device() const { return !on_host(); }
};

/// Thread-safe.
class Allocations {
 public:
  explicit Allocations(Driver& driver) : driver_(driver) {}

  /// Memory of the arena; at least 256 bytes aligned. Throws Status: CUDA_ERROR_INVALID_VALUE for 0 bytes,
  /// CUDA_ERROR_OUT_OF_MEMORY.
  std::uint64_t allocate(Allocation::Kind kind, std::uint64_t bytes, std::shared_ptr<ContextObject> context,
                         unsigned flags = 0, std::shared_ptr<PoolObject> pool = nullptr);
  /// The program's own memory. Throws Status with CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED.
  void register_host(std::uint64_t address, std::uint64_t bytes, std::shared_ptr<ContextObject> context,
                     unsigned flags);

  /// The range that holds an address; nothing where there is none.
  std::optional<Allocation> find(std::uint64_t address) const;
  /// Throws Status with CUDA_ERROR_INVALID_VALUE unless a range of memory on the device or pinned starts there.
  Allocation at(std::uint64_t address) const;
  /// Forgets a range and gives its memory back to the arena.
  void release(std::uint64_t address);
  /// From now on frees of it fail: one in stream order is under way. Throws Status where one was already.
  void start_freeing(std::uint64_t address);
  /// Where a context ends: gives all of its memory back, and counts it. Pools' memory outlives contexts.
  void release_all_of(const ContextObject& context, VgpuLeaks& left);

  /// Device memory in use, pools' reserves and graphs' memory included.
  std::uint64_t device_bytes_in_use() const;
  void count(VgpuLeaks& leaks) const;

 private:
  Driver& driver_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Allocation> ranges_;
  std::uint64_t last_id_ = 0;
  std::uint64_t device_bytes_ = 0;
};

}  // namespace vgpu::driver
