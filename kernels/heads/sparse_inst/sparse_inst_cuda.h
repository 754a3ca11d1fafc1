// SparseInst's head on a CUDA device: logits to scored instances, then their masks. The formulas are in sparse_inst.h.
//
// score_queries computes scores, rescoring and the bounding boxes of the masks in the upsampled map, and writes the
// logits transposed; its last block selects the instances in the order of queries and places their masks. masks_cuda.h
// then computes the bits.
#pragma once

#include "kernels/heads/instance_head.h"

namespace maskrt::kernels {

/// Tensors, in device memory, and settings that are the same for all calls of a plan.
struct SparseInstPlan {
  Tensor class_logits;             ///< list [B, N, 1, classes], fp32
  Tensor objectness_logits;        ///< list [B, N, 1, 1], fp32
  MaskPlan masks;                  ///< plan of the masks of N queries
  float score_threshold = 0.005f;  ///< queries with sqrt(class * objectness) greater than this are instances
};

/// The launches of one plan. Immutable; thread-safe.
class SparseInstCuda final : public InstanceHead {
 public:
  /// Throws Error where the tensors do not have one batch and one number of queries, and as check(MaskPlan) does.
  explicit SparseInstCuda(const SparseInstPlan& plan);

  const MaskPlan& masks() const override { return plan_.masks; }
  InstanceBlock block() const override { return {plan_.class_logits.batch, plan_.class_logits.height}; }
  std::size_t workspace_bytes() const override;
  void clear(CudaQueue& queue, std::byte* workspace) const override;

  /// Differs from sparse_inst_ref by rounding only: probabilities within 1e-6, hence scores; bits where the blended
  /// probability is that close to the threshold. Bitwise repeatable: sums are in fixed point or in a fixed order.
  void launch(CudaQueue& queue, const HeadMemory& memory, bool runs) const override;

 private:
  SparseInstPlan plan_;
};

}  // namespace maskrt::kernels
