// What FastInst's queries are, before anything is known of their masks: for the reference and for every device.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "fast_inst.h"

namespace maskrt::kernels {

/// [K + 1]: the softmax over a query's logits, the last that of none.
std::vector<double> class_probabilities(const FastInstLogits& logits, std::int64_t query);

/// A pair of a query and a class, which may become an instance.
struct QueryClass {
  std::int64_t query = 0;
  int class_id = 0;
  double probability = 0;
};
/// The most probable pairs, `detections` at most, descending, of equals the lower query first, then the lower class;
/// without those of stuff where things alone are wanted.
std::vector<QueryClass> most_probable_pairs(const FastInstLogits& logits, const FastInstSettings& settings);

/// The final order of instances: best score first; of equal scores the lower query, then the lower class.
void sort_instances(std::vector<DetectedInstance>& instances);

/// A query that competes for the pixels of a picture, and how many it got.
struct SegmentCandidate {
  FastInstSegments::Segment segment;  ///< its area and box are not known yet
  double probability = 0;             ///< of its class
  std::int64_t inside = 0;            ///< pixels of its mask
  std::int64_t won = 0;               ///< pixels where it is the most probable, inside of its mask or not
  std::int64_t area = 0;              ///< those of them that are inside
};
/// Those whose class is sure enough, in the order of queries.
std::vector<SegmentCandidate> segment_candidates(const FastInstLogits& logits, const FastInstSettings& settings);
/// The id of each candidate's pixels, 0 where it has none, once its pixels are counted; appends the segments to
/// `found`, without areas and boxes.
std::vector<std::int32_t> name_segments(std::span<const SegmentCandidate> candidates, const FastInstSettings& settings,
                                        FastInstSegments& found);

/// The box around pixels.
struct Extents {
  int left = 1 << 30, right = -1, top = 1 << 30, bottom = -1;
  void add(int x, int y) { add({x, x, y, y}); }
  void add(const Extents& other) {
    left = std::min(left, other.left), right = std::max(right, other.right);
    top = std::min(top, other.top), bottom = std::max(bottom, other.bottom);
  }
  /// Sets x, y, width and height of what has a box; leaves them alone where there is no pixel.
  template <typename Boxed>
  void give(Boxed& to) const {
    if (right < 0) return;
    to.x = left, to.y = top, to.width = right - left + 1, to.height = bottom - top + 1;
  }
};

}  // namespace maskrt::kernels
