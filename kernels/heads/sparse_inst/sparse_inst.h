// SparseInst's head: logits of N queries to instances. A query's score is sqrt(class * objectness) times the mean of
// its mask's probabilities above the mask threshold; its mask is what lies above that threshold at the image's own
// size.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/masks/instance.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

struct SparseInstSettings {
  float score_threshold = 0.005f;  ///< on sqrt(class * objectness), before rescoring; kept if greater
  float mask_threshold = 0.45f;
  float minimum_score = 0;  ///< on the final score: instances below are dropped before their masks are made
  bool masks = true;        ///< false: scores and classes only; boxes and areas stay 0
};

/// Image b of a batch, as docs/accuracy.md defines instances, in the order of the queries. For kept instances only,
/// and never a full-size float mask. class_logits: list [batch, N, 1, classes]; objectness_logits: list [batch, N, 1,
/// 1]; mask_logits: [batch, h, w, N] after the scale factor. fp32, any blocking. Splits the instances over OpenMP
/// threads where it is built so.
std::vector<DetectedInstance> sparse_inst_cpu(const Tensor& class_logits, const Tensor& objectness_logits,
                                              const Tensor& mask_logits, std::int64_t b, const Geometry& geometry,
                                              const SparseInstSettings& settings);

/// The plainest loops that define it; it does materialise full-size masks, one at a time.
std::vector<DetectedInstance> sparse_inst_ref(const Tensor& class_logits, const Tensor& objectness_logits,
                                              const Tensor& mask_logits, std::int64_t b, const Geometry& geometry,
                                              const SparseInstSettings& settings);

}  // namespace maskrt::kernels
