// FastInst's head: logits of Q queries, of K classes and of none, to instances, to a class for each pixel, or to
// segments. docs/fastinst.md defines all three.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/masks/instance.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

struct FastInstSettings {
  int detections = 100;                ///< the most pairs of query and class that become instances
  float object_mask_threshold = 0.8f;  ///< segments are of queries whose class is more probable
  float overlap_threshold = 0.8f;      ///< the least share of its mask that a segment has
  bool resize_before_semantic = true;  ///< probabilities are summed at the image's own size
  /// Which classes are things. Empty: all of them.
  std::vector<bool> things;
  bool things_alone = false;  ///< instances of stuff are dropped
  float minimum_score = 0;    ///< instances whose final score is below are dropped
  bool masks = true;          ///< false: scores and classes only; boxes and areas are 0
};

/// One image's logits. class_logits: list [batch, Q, 1, K + 1]; mask_logits: [batch, h, w, Q]. fp32, any blocking.
struct FastInstLogits {
  Tensor classes, masks;
  std::int64_t image = 0;  ///< of the batch
};

/// The instances of an image, best score first; of equal scores the lower query comes first, then the lower class.
std::vector<DetectedInstance> fast_inst_instances_ref(const FastInstLogits& logits, const Geometry& geometry,
                                                      const FastInstSettings& settings);

/// Each class's sum of probabilities at the image's own size, [K, height, width].
std::vector<float> fast_inst_class_scores_ref(const FastInstLogits& logits, const Geometry& geometry,
                                              const FastInstSettings& settings);
/// The class of the largest of them at each pixel, [height, width]; of equal ones the first.
std::vector<std::int32_t> fast_inst_classes_ref(const FastInstLogits& logits, const Geometry& geometry,
                                                const FastInstSettings& settings);

/// A segment for each pixel.
struct FastInstSegments {
  struct Segment {
    int query = 0, class_id = 0;
    float probability = 0;  ///< of its class
    bool is_thing = true;
    std::int64_t area = 0;
    int x = 0, y = 0, width = 0, height = 0;  ///< exclusive extents
  };
  std::vector<std::int32_t> ids;  ///< [height, width]: 1 and more: segments[id - 1]; 0: none
  std::vector<Segment> segments;
};
FastInstSegments fast_inst_segments_ref(const FastInstLogits& logits, const Geometry& geometry,
                                        const FastInstSettings& settings);

}  // namespace maskrt::kernels
