#include "matching.h"

#include <algorithm>

namespace maskrt::coco {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

bool outside(double area, const AreaRange& range) { return area < range.least || area > range.most; }

/// The order in which truths are tried: those that count first, else as given.
struct Candidates {
  std::vector<std::size_t> order;
  std::vector<bool> ignored;  ///< by position in `order`
  std::size_t positives = 0;
};

Candidates order_truths(std::span<const GroundTruth> truths, const AreaRange& range) {
  Candidates candidates;
  for (const bool ignored : {false, true}) {
    for (std::size_t g = 0; g < truths.size(); ++g) {
      if ((truths[g].crowd || outside(truths[g].area, range)) != ignored) continue;
      candidates.order.push_back(g);
      candidates.ignored.push_back(ignored);
    }
    if (!ignored) candidates.positives = candidates.order.size();
  }
  return candidates;
}

/// The best truth for a detection, as a position in `order`; none where no IoU reaches `threshold`.
std::size_t find_best(const Candidates& candidates, std::span<const GroundTruth> truths, const rle::PairMatrix& iou,
                      std::size_t detection, const std::vector<bool>& taken, double threshold) {
  double best_iou = std::min(threshold, 1 - 1e-10);
  std::size_t best = kNone;
  for (std::size_t c = 0; c < candidates.order.size(); ++c) {
    const std::size_t g = candidates.order[c];
    if (taken[c] && !truths[g].crowd) continue;
    if (best != kNone && !candidates.ignored[best] && candidates.ignored[c]) break;
    if (iou.at(detection, g) < best_iou) continue;
    best_iou = iou.at(detection, g);
    best = c;
  }
  return best;
}

}  // namespace

std::array<double, kThresholdCount> iou_thresholds() {
  std::array<double, kThresholdCount> thresholds{};
  const double step = (0.95 - 0.5) / (kThresholdCount - 1);
  for (std::size_t t = 0; t < kThresholdCount; ++t) thresholds[t] = static_cast<double>(t) * step + 0.5;
  thresholds.back() = 0.95;
  return thresholds;
}

std::size_t match(std::span<const GroundTruth> truths, std::span<const double> areas, const rle::PairMatrix& iou,
                  std::size_t range, std::span<Matched> detections) {
  static const auto thresholds = iou_thresholds();
  constexpr std::uint16_t every_threshold = (1u << kThresholdCount) - 1;
  const AreaRange& limits = kAreaRanges[range];
  for (std::size_t d = 0; d < areas.size(); ++d) {
    detections[d].matched[range] = 0;
    detections[d].ignored[range] = outside(areas[d], limits) ? every_threshold : 0;
  }
  if (truths.empty()) return 0;

  const Candidates candidates = order_truths(truths, limits);
  std::vector<bool> taken(truths.size());
  for (std::size_t t = 0; t < kThresholdCount; ++t) {
    const auto bit = static_cast<std::uint16_t>(1u << t);
    std::fill(taken.begin(), taken.end(), false);
    for (std::size_t d = 0; d < areas.size(); ++d) {
      const std::size_t best = find_best(candidates, truths, iou, d, taken, thresholds[t]);
      if (best == kNone) continue;
      taken[best] = true;
      Matched& detection = detections[d];
      // pycocotools notes the truth's id and takes 0 for "nothing found".
      const bool matched = truths[candidates.order[best]].id != 0;
      if (matched) detection.matched[range] |= bit;
      if (matched || candidates.ignored[best]) {
        // What was found decides, no longer the detection's own area.
        const auto others = static_cast<std::uint16_t>(detection.ignored[range] & ~bit);
        detection.ignored[range] = candidates.ignored[best] ? others | bit : others;
      }
    }
  }
  return candidates.positives;
}

}  // namespace maskrt::coco
