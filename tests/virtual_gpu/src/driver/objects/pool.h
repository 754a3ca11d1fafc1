// Memory pools: the accounting that programs can ask for. Every allocation of a pool is one of the arena.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <mutex>

namespace vgpu::driver {

/// Reserved memory grows in blocks and shrinks to the release threshold when the host synchronises with what freed it.
struct PoolObject {
  bool is_default = false;
  std::uint64_t max_bytes = 0;  ///< 0: as much as the device has

  /// Counts an allocation. Throws Status with CUDA_ERROR_OUT_OF_MEMORY where the pool's greatest size forbids it.
  void take(std::uint64_t bytes);
  /// Counts a free that has been carried out.
  void give_back(std::uint64_t bytes);
  /// cuMemPoolTrimTo.
  void trim(std::uint64_t keep);
  /// Throws Status with CUDA_ERROR_INVALID_VALUE for what is no attribute, or can't be set so.
  void set(CUmemPool_attribute attribute, void* value);
  void get(CUmemPool_attribute attribute, void* value) const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t used_ = 0, used_high_ = 0, reserved_ = 0, reserved_high_ = 0;
  std::uint64_t threshold_ = 0;
  int follow_events_ = 1, opportunistic_ = 1, internal_dependencies_ = 1;
};

}  // namespace vgpu::driver
