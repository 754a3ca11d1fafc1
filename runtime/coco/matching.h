// Which detections of one image and category find a ground truth: the greedy matching of COCO's evaluation.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/mask/rle.h"

namespace maskrt::coco {

/// IoU thresholds 0.50, 0.55, ... 0.95, to the bit what numpy.linspace gives.
inline constexpr std::size_t kThresholdCount = 10;
std::array<double, kThresholdCount> iou_thresholds();

/// Detections of an image and category that are matched; the rest, of lower score, is dropped.
inline constexpr std::size_t kMostDetections = 100;

/// Pixels; both ends belong to the range.
struct AreaRange {
  double least, most;
};
/// all, small, medium, large
inline constexpr std::array<AreaRange, 4> kAreaRanges = {
    {{0, 1e10}, {0, 32.0 * 32.0}, {32.0 * 32.0, 96.0 * 96.0}, {96.0 * 96.0, 1e10}}};

/// The order of detections, best first: as numpy sorts, with scores that are no numbers behind all others.
inline bool ranks_before(double score, double other) {
  return score > other || (std::isnan(other) && !std::isnan(score));
}

struct GroundTruth {
  std::int64_t id = 0;
  double area = 0;
  bool crowd = false;
};

/// A detection and what became of it, at IoU threshold t in bit t, in each area range.
struct Matched {
  double score = 0;
  std::array<std::uint16_t, kAreaRanges.size()> matched{};  ///< a ground truth was found
  /// Neither right nor wrong: it found an ignored one, or none and is out of range.
  std::array<std::uint16_t, kAreaRanges.size()> ignored{};
};

/// Matches detections, in descending order of score, to `truths` at every threshold, and notes it for area range
/// `range` in `detections`. `areas` are the detections'; `iou` is of every pair. Gives the number of ground truths that
/// are to be found: in range and no crowds.
///
/// Equal to pycocotools in its details: each detection takes the truth of highest IoU, the last of equals, that is
/// still free (crowds always are) and prefers one that counts; and a match with a truth whose id is 0 is not seen as
/// one.
std::size_t match(std::span<const GroundTruth> truths, std::span<const double> areas, const rle::PairMatrix& iou,
                  std::size_t range, std::span<Matched> detections);

}  // namespace maskrt::coco
