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

/// A query's mask logits at the image's own size, [height, width]: what all three tasks threshold or compare.
std::vector<double> fast_inst_mask_ref(const FastInstLogits& logits, std::int64_t query, const Geometry& geometry);

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

// The same in fp32, on OpenMP threads: a row of the picture at a time, so that no map of its size is made but the
// result. Classes, their probabilities and which pairs or queries count are computed as the reference does, in double;
// mask logits, and what is summed over a row, are within some roundings: masks and maps differ from the reference's
// only where it is undecided within that (tests/kernels/test_fast_inst_cpu.cpp has the bounds). Whatever the number of
// threads, the same bits come out.

/// Rows in which a query's logits are all 0 or below are left out, and columns beside those that are not.
std::vector<DetectedInstance> fast_inst_instances_cpu(const FastInstLogits& logits, const Geometry& geometry,
                                                      const FastInstSettings& settings);
/// Bound by arithmetic: 2 * Q * K operations a pixel.
std::vector<std::int32_t> fast_inst_classes_cpu(const FastInstLogits& logits, const Geometry& geometry,
                                                const FastInstSettings& settings);
FastInstSegments fast_inst_segments_cpu(const FastInstLogits& logits, const Geometry& geometry,
                                        const FastInstSettings& settings);

}  // namespace maskrt::kernels
