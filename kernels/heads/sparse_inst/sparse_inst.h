// SparseInst's head: logits of N queries to instances. A query's score is sqrt(class * objectness) times the mean of
// its mask's probabilities above the mask threshold (rescoring); its mask are the pixels above that threshold at the
// image's own size.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/masks/instance.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

struct SparseInstSettings {
  float score_threshold = 0.005f;  ///< queries with sqrt(class * objectness) greater than this are instances
  float mask_threshold = 0.45f;    ///< threshold on mask probabilities
  float minimum_score = 0;         ///< instances whose final score is below are dropped before their masks are computed
  bool masks = true;               ///< false: scores and classes only; boxes and areas are 0
};

/// The instances of image b of a batch in the order of the queries, as docs/accuracy.md defines them. Masks are
/// computed for kept instances only, without a full-size float mask. class_logits: list [batch, N, 1, classes];
/// objectness_logits: list [batch, N, 1, 1]; mask_logits: [batch, h, w, N] after the scale factor. fp32, any blocking.
/// Instances are divided among OpenMP threads where the library is built with OpenMP.
std::vector<DetectedInstance> sparse_inst_cpu(const Tensor& class_logits, const Tensor& objectness_logits,
                                              const Tensor& mask_logits, std::int64_t b, const Geometry& geometry,
                                              const SparseInstSettings& settings);

/// The reference: plain loops that define sparse_inst_cpu; they materialise full-size masks, one at a time.
std::vector<DetectedInstance> sparse_inst_ref(const Tensor& class_logits, const Tensor& objectness_logits,
                                              const Tensor& mask_logits, std::int64_t b, const Geometry& geometry,
                                              const SparseInstSettings& settings);

}  // namespace maskrt::kernels
