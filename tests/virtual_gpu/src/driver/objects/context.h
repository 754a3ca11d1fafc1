// Contexts, the device's primary one, and the stack of current contexts that each thread has.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "driver/engine/context.h"
#include "driver/objects/driver.h"

namespace vgpu::driver {

class ContextObject {
 public:
  ContextObject(Driver& driver, unsigned flags, bool primary, CUdevice device);

  engine::Context& engine() const { return *engine_; }
  CUcontext handle = nullptr;
  const std::uint64_t id;
  const bool primary;
  const CUdevice device;
  std::atomic<unsigned> flags;
  std::atomic<CUfunc_cache> cache_config{CU_FUNC_CACHE_PREFER_NONE};
  std::atomic<bool> destroyed{false};
  /// A synchronous copy from pageable memory may still be under way in a default stream: see copy().
  std::atomic<bool> staged_copy{false};

  /// Throws the sticky error, or CUDA_ERROR_CONTEXT_IS_DESTROYED.
  void check() const;
  /// cuCtxSetLimit and cuCtxGetLimit.
  void set_limit(CUlimit limit, std::size_t value);
  std::size_t limit(CUlimit limit) const;

 private:
  std::shared_ptr<engine::Context> engine_;
  mutable std::mutex mutex_;
  std::map<CUlimit, std::size_t> limits_;
};

/// Throws Status with CUDA_ERROR_INVALID_DEVICE unless there is such a device.
void check_device(CUdevice device);

/// Makes a context and its handle. Throws Status with CUDA_ERROR_INVALID_VALUE for flags that are none.
std::shared_ptr<ContextObject> create_context(Driver& driver, unsigned flags, bool primary, CUdevice device);
/// Ends a context with all that belongs to it; what is left in it counts as not freed.
void destroy_context(Driver& driver, const std::shared_ptr<ContextObject>& context);

/// The calling thread's contexts, the current one last.
std::vector<std::shared_ptr<ContextObject>>& context_stack();
/// The current context. Throws Status: CUDA_ERROR_INVALID_CONTEXT where there is none, CUDA_ERROR_CONTEXT_IS_DESTROYED.
std::shared_ptr<ContextObject> current_context_unchecked();
/// The same; throws its sticky error, too.
std::shared_ptr<ContextObject> current_context();

/// A device's primary context: counted references, flags that outlive it.
class PrimaryContext {
 public:
  explicit PrimaryContext(CUdevice device) : device_(device) {}
  static PrimaryContext& of(CUdevice device);
  CUcontext retain(Driver& driver);
  /// Throws Status with CUDA_ERROR_INVALID_CONTEXT where the primary context is not retained.
  void release(Driver& driver);
  void reset(Driver& driver);
  void set_flags(unsigned flags);
  void state(unsigned* flags, int* active) const;

 private:
  const CUdevice device_;
  mutable std::mutex mutex_;
  std::shared_ptr<ContextObject> context_;
  std::uint32_t references_ = 0;
  unsigned flags_ = 0;
};

}  // namespace vgpu::driver
