// Logits to instances (SparseInst): scores, rescoring, masks at the original size as bits, boxes and areas.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/tensor.h"

namespace maskrt::kernels {

/// A binary mask, packed column by column (COCO's order): pixel (x, y) is bit y % 64 of
/// words[x * words_per_column + y / 64]; the bits below the last row of a column are 0.
struct MaskBits {
  int width = 0, height = 0;
  int words_per_column = 0;
  std::vector<std::uint64_t> words;
};

/// The sizes that one image went through.
struct Geometry {
  int original_width = 0, original_height = 0;  ///< the image's own
  int resized_width = 0, resized_height = 0;    ///< after the shortest-edge resize
  int padded_width = 0, padded_height = 0;      ///< the network's input
};

struct PostprocessSettings {
  float score_threshold = 0.005f;  ///< on sqrt(class * objectness), before rescoring; kept if greater
  float mask_threshold = 0.45f;
  float minimum_score = 0;  ///< on the final score: instances below are dropped before their masks are made
  bool masks = true;        ///< false: scores and classes only; boxes and areas stay 0
};

struct DetectedInstance {
  int query = 0;     ///< index among the network's N queries
  int class_id = 0;  ///< 0-based; the first of the largest
  float score = 0;   ///< final: sqrt(class * objectness) * mean of the mask's probabilities above the threshold
  std::int64_t area = 0;
  int x = 0, y = 0, width = 0, height = 0;  ///< exclusive extents of the mask; all 0 where it is empty
  MaskBits mask;
  std::vector<std::uint32_t> runs;  ///< COCO's run lengths, where they came instead of the mask's words
};

/// Image b of a batch, as docs/accuracy.md defines instances, in the order of the queries. For kept instances only,
/// and never a full-size float mask. class_logits: list [batch, N, 1, classes]; objectness_logits: list [batch, N, 1,
/// 1]; mask_logits: [batch, h, w, N] after the scale factor. fp32, any blocking. Splits the instances over OpenMP
/// threads where it is built so.
std::vector<DetectedInstance> postprocess_cpu(const Tensor& class_logits, const Tensor& objectness_logits,
                                              const Tensor& mask_logits, std::int64_t b, const Geometry& geometry,
                                              const PostprocessSettings& settings);

/// The plainest loops that define it; it does materialise full-size masks, one at a time.
std::vector<DetectedInstance> postprocess_ref(const Tensor& class_logits, const Tensor& objectness_logits,
                                              const Tensor& mask_logits, std::int64_t b, const Geometry& geometry,
                                              const PostprocessSettings& settings);

}  // namespace maskrt::kernels
