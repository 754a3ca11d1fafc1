// SparseInst's head on a CUDA device: logits to scored instances, then their masks. The formulas are in sparse_inst.h.
//
// score_queries computes scores, rescoring and the bounding boxes of the masks in the upsampled map, and writes the
// logits transposed; its last block selects the instances in the order of queries and places their masks. masks_cuda.h
// then computes the bits.
#pragma once

#include "kernels/masks/instance_block.h"
#include "kernels/masks/masks_cuda.h"

namespace maskrt::kernels {

/// Tensors, in device memory, and settings that are the same for all calls of a plan.
struct SparseInstPlan {
  Tensor class_logits;             ///< list [B, N, 1, classes], fp32
  Tensor objectness_logits;        ///< list [B, N, 1, 1], fp32
  MaskPlan masks;                  ///< plan of the masks of N queries
  float score_threshold = 0.005f;  ///< queries with sqrt(class * objectness) greater than this are instances
};

/// Device memory of a head's launches, each address aligned to 256 bytes.
struct HeadMemory {
  const std::byte* call = nullptr;  ///< mask_call_bytes(B), described by describe_mask_call()
  std::byte* workspace =
      nullptr;                  ///< workspace_bytes(), cleared before the first launch; each launch leaves it cleared
  std::byte* result = nullptr;  ///< block().bytes()
};

/// The launches of one plan. Immutable; thread-safe.
class SparseInstCuda {
 public:
  /// Throws Error where the tensors do not have one batch and one number of queries, and as check(MaskPlan) does.
  explicit SparseInstCuda(const SparseInstPlan& plan);

  const MaskPlan& masks() const { return plan_.masks; }
  InstanceBlock block() const { return {plan_.class_logits.batch, plan_.class_logits.height}; }
  std::size_t workspace_bytes() const;
  /// Clears the workspace, with one operation of the queue: before its first launch, and after a launch that failed.
  void clear(CudaQueue& queue, std::byte* workspace) const;

  /// Differs from sparse_inst_ref by rounding only: probabilities within 1e-6, hence scores; bits where the blended
  /// probability is that close to the threshold. Bitwise repeatable: sums are in fixed point or in a fixed order. With
  /// `runs` run lengths are computed for calls that have a buffer for them.
  void launch(CudaQueue& queue, const HeadMemory& memory, bool runs) const;

 private:
  SparseInstPlan plan_;
};

}  // namespace maskrt::kernels
