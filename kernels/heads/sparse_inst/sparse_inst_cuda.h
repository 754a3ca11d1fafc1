// SparseInst's head on a CUDA device: logits to scored instances, then their masks. What is computed is in
// sparse_inst.h.
//
// score_queries: probabilities of the upsampled map, rescoring, the part of the map that can set bits, transposed
// logits; its last block selects, in the order of queries, and places the masks. Then masks_cuda.h makes their bits.
#pragma once

#include "kernels/masks/instance_block.h"
#include "kernels/masks/masks_cuda.h"

namespace maskrt::kernels {

/// What stays the same for all calls of a plan. Device memory.
struct SparseInstPlan {
  Tensor class_logits;             ///< list [B, N, 1, classes], fp32
  Tensor objectness_logits;        ///< list [B, N, 1, 1], fp32
  MaskPlan masks;                  ///< of N queries
  float score_threshold = 0.005f;  ///< on sqrt(class * objectness), before rescoring; kept if greater
};

/// Device memory that a head's launches use, each 256-byte aligned.
struct HeadMemory {
  const std::byte* call = nullptr;  ///< mask_call_bytes(B), described by describe_mask_call()
  std::byte* workspace = nullptr;   ///< zeros before the first launch, in the state to be used again after each
  std::byte* result = nullptr;      ///< block().bytes()
};

/// The launches of one plan. Immutable; thread-safe.
class SparseInstCuda {
 public:
  /// Throws Error where the tensors do not have one batch and one number of queries, and as check(MaskPlan) does.
  explicit SparseInstCuda(const SparseInstPlan& plan);

  const MaskPlan& masks() const { return plan_.masks; }
  InstanceBlock block() const { return {plan_.class_logits.batch, plan_.class_logits.height}; }
  std::size_t workspace_bytes() const;
  /// Sets to zero what must be. One operation of the queue; once for each workspace, and after a launch that failed.
  void clear(CudaQueue& queue, std::byte* workspace) const;

  /// Differs from sparse_inst_ref by rounding alone: probabilities within 1e-6, hence scores; bits where the blended
  /// probability is that close to the threshold. Bitwise repeatable: sums are in fixed point or in a fixed order.
  /// `runs`: whether run lengths are made; where they are, a call without a buffer for them makes none.
  void launch(CudaQueue& queue, const HeadMemory& memory, bool runs) const;

 private:
  SparseInstPlan plan_;
};

}  // namespace maskrt::kernels
