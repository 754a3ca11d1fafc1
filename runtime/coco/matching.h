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
inline constexpr std::size_t threshold_count = 10;
std::array<double, threshold_count> iou_thresholds();

/// Detections of an image and category that are looked at; the rest, of lower score, is dropped.
inline constexpr std::size_t most_detections = 100;

/// Pixels; both ends belong to the range.
struct AreaRange {
  double least, most;
};
/// all, small, medium, large
inline constexpr std::array<AreaRange, 4> area_ranges = {
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

/// What became of the detections of one image and category, in the order given. Bit t stands for IoU threshold t.
struct Matches {
  std::vector<std::uint16_t> matched;  ///< a ground truth was found
  std::vector<std::uint16_t> ignored;  ///< neither right nor wrong: found an ignored one, or none and is out of range
  std::size_t positives = 0;           ///< ground truths that are to be found: in range and no crowds
};

/// Matches detections, in descending order of score, to `truths` at every threshold. `areas` are the detections'; `iou`
/// is of every pair.
///
/// Equal to pycocotools in its details: each detection takes the truth of highest IoU, the last of equals, that is
/// still free (crowds always are) and prefers one that counts; and a match with a truth whose id is 0 is not seen as
/// one.
Matches match(std::span<const GroundTruth> truths, std::span<const double> areas, const rle::PairMatrix& iou,
              const AreaRange& range);

}  // namespace maskrt::coco
