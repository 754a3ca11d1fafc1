// Precision and recall of one category over all images, and the twelve numbers made of them.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "evaluate.h"
#include "matching.h"

namespace maskrt::coco {

/// One category in one image: its detections in descending order of score, at most `kMostDetections`, and in each area
/// range the number of ground truths that are to be found.
struct ImageMatches {
  std::vector<Matched> detections;
  std::array<std::size_t, kAreaRanges.size()> positives{};
};

/// At each IoU threshold: precision averaged over the recalls 0, 0.01, ... 1, and the highest recall.
struct PrecisionRecall {
  std::array<double, kThresholdCount> precision{}, recall{};
};

inline constexpr std::size_t kRecallCount = 101;
/// In ascending order from 0 to 1.
using RecallThresholds = std::array<double, kRecallCount>;

/// The mean over recall thresholds of the best precision at that recall or a higher one; 0 beyond the last recall. The
/// points are those of right detections, best first: elsewhere recall is that of the right one before, and precision no
/// higher, so no other detection decides anything. `precision` becomes its envelope.
double mean_precision(const std::vector<double>& recall, std::vector<double>& precision,
                      const RecallThresholds& thresholds);

/// The settings that the twelve numbers need: index into `kAreaRanges` and detections per image.
struct Setting {
  std::size_t range, detections;
};
inline constexpr std::array<Setting, 6> kSettings = {{{0, 1}, {0, 10}, {0, 100}, {1, 100}, {2, 100}, {3, 100}}};

/// One category at each setting; nothing where no ground truth counts.
using CategoryPrecision = std::array<std::optional<PrecisionRecall>, kSettings.size()>;

/// `images`: this category in every image where it has a ground truth or a detection, in ascending order of image id,
/// which decides between equal scores.
CategoryPrecision average_precision(std::span<const ImageMatches* const> images);

/// Averages over categories; -1 where there is nothing to average.
Metrics summarize(std::span<const CategoryPrecision> categories);

}  // namespace maskrt::coco
