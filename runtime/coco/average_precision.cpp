#include "average_precision.h"

#include <algorithm>
#include <limits>

namespace maskrt::coco {
namespace {

constexpr std::size_t recall_count = 101;

/// numpy.linspace(0, 1, 101), to the bit.
std::array<double, recall_count> recall_thresholds() {
  std::array<double, recall_count> thresholds{};
  for (std::size_t r = 0; r < recall_count; ++r) thresholds[r] = static_cast<double>(r) * (1.0 / (recall_count - 1));
  thresholds.back() = 1;
  return thresholds;
}

/// All detections of a category at one setting, best first.
struct Ranked {
  double score;
  std::uint16_t matched, ignored;
};

std::vector<Ranked> rank(std::span<const ImageMatches* const> images, const Setting& setting) {
  std::vector<Ranked> ranked;
  for (const ImageMatches* image : images) {
    const Matches& matches = image->ranges[setting.range];
    const std::size_t count = std::min(image->scores.size(), setting.detections);
    for (std::size_t d = 0; d < count; ++d) {
      ranked.push_back({image->scores[d], matches.matched[d], matches.ignored[d]});
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  return ranked;
}

/// The mean over the recall thresholds of the best precision at that recall or a higher one; 0 beyond the last recall.
/// `precision` becomes its envelope.
double mean_precision(const std::vector<double>& recall, std::vector<double>& precision) {
  static const auto thresholds = recall_thresholds();
  for (std::size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
  double sum = 0;
  for (const double threshold : thresholds) {
    const auto at = std::lower_bound(recall.begin(), recall.end(), threshold) - recall.begin();
    if (at == static_cast<std::ptrdiff_t>(recall.size())) break;
    sum += precision[static_cast<std::size_t>(at)];
  }
  return sum / recall_count;
}

PrecisionRecall precision_recall(const std::vector<Ranked>& ranked, double positives) {
  PrecisionRecall result;
  std::vector<double> recall(ranked.size()), precision(ranked.size());
  for (std::size_t t = 0; t < threshold_count; ++t) {
    double right = 0, wrong = 0;
    for (std::size_t d = 0; d < ranked.size(); ++d) {
      if (((ranked[d].ignored >> t) & 1) == 0) ((ranked[d].matched >> t) & 1 ? right : wrong) += 1;
      recall[d] = right / positives;
      precision[d] = right / (wrong + right + std::numeric_limits<double>::epsilon());
    }
    result.recall[t] = recall.empty() ? 0 : recall.back();
    result.precision[t] = mean_precision(recall, precision);
  }
  return result;
}

enum class Part { precision, recall };
constexpr std::size_t every_threshold = threshold_count;

/// The mean over categories, and over IoU thresholds where `threshold` names none.
double mean(std::span<const CategoryPrecision> categories, Part part, std::size_t setting,
            std::size_t threshold = every_threshold) {
  double sum = 0;
  std::size_t count = 0;
  for (const CategoryPrecision& category : categories) {
    if (!category[setting]) continue;
    const auto& values = part == Part::precision ? category[setting]->precision : category[setting]->recall;
    for (std::size_t t = 0; t < threshold_count; ++t) {
      if (threshold != every_threshold && threshold != t) continue;
      sum += values[t];
      ++count;
    }
  }
  return count == 0 ? -1 : sum / static_cast<double>(count);
}

}  // namespace

CategoryPrecision average_precision(std::span<const ImageMatches* const> images) {
  CategoryPrecision result;
  for (std::size_t s = 0; s < settings.size(); ++s) {
    std::size_t positives = 0;
    for (const ImageMatches* image : images) positives += image->ranges[settings[s].range].positives;
    if (positives == 0) continue;
    result[s] = precision_recall(rank(images, settings[s]), static_cast<double>(positives));
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
