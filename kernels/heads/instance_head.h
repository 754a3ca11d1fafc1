// What heads on a CUDA device that end in instances have in common: launches that leave a block of instances, and their
// masks.
#pragma once

#include "kernels/masks/instance_block.h"
#include "kernels/masks/masks_cuda.h"

namespace maskrt::kernels {

/// Device memory of a head's launches, each address aligned to 256 bytes.
struct HeadMemory {
  const std::byte* call = nullptr;  ///< mask_call_bytes(B), described by describe_mask_call()
  std::byte* workspace =
      nullptr;                  ///< workspace_bytes(), cleared before the first launch; each launch leaves it cleared
  std::byte* result = nullptr;  ///< block().bytes()
};

/// The launches of one plan. Immutable; thread-safe.
class InstanceHead {
 public:
  virtual ~InstanceHead() = default;

  virtual const MaskPlan& masks() const = 0;
  virtual InstanceBlock block() const = 0;
  virtual std::size_t workspace_bytes() const = 0;
  /// Clears the workspace, with one operation of the queue: before its first launch, and after a launch that failed.
  virtual void clear(CudaQueue& queue, std::byte* workspace) const = 0;
  /// With `runs` run lengths are computed for calls that have a buffer for them.
  virtual void launch(CudaQueue& queue, const HeadMemory& memory, bool runs) const = 0;
};

}  // namespace maskrt::kernels
