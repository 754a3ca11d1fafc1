#include "average_precision.h"

#include <algorithm>
#include <limits>

namespace maskrt::coco {
namespace {

/// numpy.linspace(0, 1, 101), to the bit.
RecallThresholds recall_thresholds() {
  RecallThresholds thresholds{};
  for (std::size_t r = 0; r < kRecallCount; ++r) thresholds[r] = static_cast<double>(r) * (1.0 / (kRecallCount - 1));
  thresholds.back() = 1;
  return thresholds;
}

/// A detection of a category, and its place among those of its image.
struct Ranked {
  Matched detection;
  std::size_t place;
};

/// All detections of a category, best first. Those that a setting leaves out do not change the order of the others.
std::vector<Ranked> rank(std::span<const ImageMatches* const> images) {
  struct Place {
    double score;
    const ImageMatches* image;
    std::size_t place;
  };
  std::vector<Place> places;
  for (const ImageMatches* image : images) {
    for (std::size_t d = 0; d < image->detections.size(); ++d) places.push_back({image->detections[d].score, image, d});
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return ranks_before(a.score, b.score); });
  std::vector<Ranked> ranked;
  ranked.reserve(places.size());
  for (const Place& at : places) ranked.push_back({at.image->detections[at.place], at.place});
  return ranked;
}

/// The points that mean_precision() takes.
struct Curve {
  std::vector<double> recall, precision;
  double right = 0, wrong = 0;
};

PrecisionRecall precision_recall(const std::vector<Ranked>& ranked, const Setting& setting, double positives) {
  std::array<Curve, kThresholdCount> curves;
  for (const auto& [detection, place] : ranked) {
    if (place >= setting.detections) continue;
    const unsigned matched = detection.matched[setting.range], ignored = detection.ignored[setting.range];
    for (std::size_t t = 0; t < kThresholdCount; ++t) {
      if (((ignored >> t) & 1) != 0) continue;
      Curve& curve = curves[t];
      if (((matched >> t) & 1) == 0) {
        curve.wrong += 1;
        continue;
      }
      curve.right += 1;
      curve.recall.push_back(curve.right / positives);
      curve.precision.push_back(curve.right / (curve.wrong + curve.right + std::numeric_limits<double>::epsilon()));
    }
  }
  static const RecallThresholds thresholds = recall_thresholds();
  PrecisionRecall result;
  for (std::size_t t = 0; t < kThresholdCount; ++t) {
    result.recall[t] = curves[t].right / positives;
    result.precision[t] = mean_precision(curves[t].recall, curves[t].precision, thresholds);
  }
  return result;
}

enum class Part { precision, recall };
constexpr std::size_t kEveryThreshold = kThresholdCount;

/// The mean over categories, and over IoU thresholds where `threshold` names none.
double mean(std::span<const CategoryPrecision> categories, Part part, std::size_t setting,
            std::size_t threshold = kEveryThreshold) {
  double sum = 0;
  std::size_t count = 0;
  for (const CategoryPrecision& category : categories) {
    if (!category[setting]) continue;
    const auto& values = part == Part::precision ? category[setting]->precision : category[setting]->recall;
    for (std::size_t t = 0; t < kThresholdCount; ++t) {
      if (threshold != kEveryThreshold && threshold != t) continue;
      sum += values[t];
      ++count;
    }
  }
  return count == 0 ? -1 : sum / static_cast<double>(count);
}

}  // namespace

double mean_precision(const std::vector<double>& recall, std::vector<double>& precision,
                      const RecallThresholds& thresholds) {
  for (std::size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
  double sum = 0;
  auto at = recall.begin();
  for (const double threshold : thresholds) {
    at = std::lower_bound(at, recall.end(), threshold);
    if (at == recall.end()) break;
    sum += precision[static_cast<std::size_t>(at - recall.begin())];
  }
  return sum / kRecallCount;
}

CategoryPrecision average_precision(std::span<const ImageMatches* const> images) {
  CategoryPrecision result;
  const std::vector<Ranked> ranked = rank(images);
  for (std::size_t s = 0; s < kSettings.size(); ++s) {
    std::size_t positives = 0;
    for (const ImageMatches* image : images) positives += image->positives[kSettings[s].range];
    if (positives == 0) continue;
    result[s] = precision_recall(ranked, kSettings[s], static_cast<double>(positives));
  }
  return result;
}

Metrics summarize(std::span<const CategoryPrecision> categories) {
  constexpr std::size_t at_50 = 0, at_75 = 5;
  return {mean(categories, Part::precision, 2),        mean(categories, Part::precision, 2, at_50),
          mean(categories, Part::precision, 2, at_75), mean(categories, Part::precision, 3),
          mean(categories, Part::precision, 4),        mean(categories, Part::precision, 5),
          mean(categories, Part::recall, 0),           mean(categories, Part::recall, 1),
          mean(categories, Part::recall, 2),           mean(categories, Part::recall, 3),
          mean(categories, Part::recall, 4),           mean(categories, Part::recall, 5)};
}

}  // namespace maskrt::coco
