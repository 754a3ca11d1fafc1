// Areas, boxes, unions, intersections and overlaps of run-length masks, without unpacking them.
#include "rle.h"
#include "runs.h"

namespace maskrt::rle {
namespace {

Runs merge_two(const Runs& a, const Runs& b, Merge how) {
  if (a.height != b.height || a.width != b.width) {
    throw Error("merging masks: expected equal sizes, found " + std::to_string(a.height) + " x " +
                std::to_string(a.width) + " and " + std::to_string(b.height) + " x " + std::to_string(b.width));
  }
  Runs merged{a.height, a.width, {}};
  std::uint32_t length = 0;
  bool inside = false;
  walk_together(a, b, [&](std::uint32_t pixels, bool in_a, bool in_b) {
    const bool in = how == Merge::unite ? in_a || in_b : in_a && in_b;
    if (in != inside) {
      merged.counts.push_back(length);
      length = 0;
      inside = in;
    }
    length += pixels;
  });
  merged.counts.push_back(length);
  return merged;
}

void check_crowds(std::size_t truths, std::span<const std::uint8_t> is_crowd) {
  if (!is_crowd.empty() && is_crowd.size() != truths) {
    throw Error("overlap: expected " + std::to_string(truths) + " crowd flags or none, found " +
                std::to_string(is_crowd.size()));
  }
}

/// How many pixels of a mask are set before any position, looked up in the runs of ones.
class Coverage {
 public:
  explicit Coverage(const Runs& runs) : walked_(runs) {
    std::uint32_t position = 0;
    for (std::size_t i = 0; i < runs.counts.size(); ++i) {
      const std::uint32_t length = runs.counts[i];
      if (i % 2 != 0 && length != 0) {
        ones_.push_back({position, length, area_});
        area_ += length;
      }
      position += length;
    }
  }

  std::int64_t area() const { return area_; }

  /// Pixels set in both masks. A mask of few runs is looked up in one of many; else both are walked.
  static std::int64_t common(const Coverage& a, const Coverage& b) {
    constexpr std::size_t worth_looking_up = 16;
    if (a.ones_.size() > b.ones_.size()) return common(b, a);
    std::int64_t both = 0;
    if (a.ones_.size() * worth_looking_up < b.ones_.size()) {
      for (const Ones& run : a.ones_) both += b.before(run.start + run.length) - b.before(run.start);
    } else {
      walk_together(a.walked_, b.walked_, [&](std::uint32_t pixels, bool in_a, bool in_b) {
        if (in_a && in_b) both += pixels;
      });
    }
    return both;
  }

 private:
  struct Ones {
    std::uint32_t start, length;
    std::int64_t before;  ///< pixels set in front of it
  };

  std::int64_t before(std::uint32_t position) const {
    const auto next =
        std::partition_point(ones_.begin(), ones_.end(), [&](const Ones& run) { return run.start < position; });
    if (next == ones_.begin()) return 0;
    const Ones& run = next[-1];
    return run.before + std::min(run.length, position - run.start);
  }

  const Runs& walked_;
  std::vector<Ones> ones_;
  std::int64_t area_ = 0;
};

double mask_overlap(const Coverage& detection, const Coverage& truth, bool crowd) {
  const std::int64_t both = Coverage::common(detection, truth);
  if (both == 0) return 0;
  const std::int64_t either = detection.area() + truth.area() - both;
  return static_cast<double>(both) / static_cast<double>(crowd ? detection.area() : either);
}

double box_overlap(const BoxXywh& detection, const BoxXywh& truth, bool crowd) {
  const double width = std::min(detection[2] + detection[0], truth[2] + truth[0]) - std::max(detection[0], truth[0]);
  const double height = std::min(detection[3] + detection[1], truth[3] + truth[1]) - std::max(detection[1], truth[1]);
  if (!(width > 0) || !(height > 0)) return 0;
  const double both = width * height, detection_area = detection[2] * detection[3];
  return both / (crowd ? detection_area : detection_area + truth[2] * truth[3] - both);
}

}  // namespace

std::int64_t area(const Runs& runs) {
  std::int64_t pixels = 0;
  for (std::size_t i = 1; i < runs.counts.size(); i += 2) pixels += runs.counts[i];
  return pixels;
}

BoxXywh bounding_box(const Runs& runs) {
  const std::int64_t height = runs.height, total = height * runs.width;
  std::int64_t left = runs.width, right = -1, top = height, bottom = -1, position = 0;
  for (std::size_t i = 0; i < runs.counts.size(); ++i) {
    const std::int64_t begin = position, end = std::min(total, position + runs.counts[i]);
    position = end;
    if (i % 2 == 0 || begin == end) continue;
    const std::int64_t first = begin / height, last = (end - 1) / height;
    left = std::min(left, first);
    right = std::max(right, last);
    // A run that goes on in the next column has met the last row of one and the first row of the other.
    top = std::min(top, first == last ? begin - first * height : 0);
    bottom = std::max(bottom, first == last ? end - 1 - last * height : height - 1);
  }
  if (right < 0) return {0, 0, 0, 0};
  return {static_cast<double>(left), static_cast<double>(top), static_cast<double>(right - left + 1),
          static_cast<double>(bottom - top + 1)};
}

Runs merge(std::span<const Runs> masks, Merge how) {
  if (masks.empty()) return {};
  Runs merged = masks.front();
  for (const Runs& mask : masks.subspan(1)) merged = merge_two(merged, mask, how);
  return merged;
}

PairMatrix iou(std::span<const BoxXywh> detections, std::span<const BoxXywh> truths,
               std::span<const std::uint8_t> is_crowd) {
  check_crowds(truths.size(), is_crowd);
  PairMatrix matrix{detections.size(), truths.size(), std::vector<double>(detections.size() * truths.size())};
  for (std::size_t d = 0; d < detections.size(); ++d) {
    for (std::size_t g = 0; g < truths.size(); ++g) {
      const bool crowd = !is_crowd.empty() && is_crowd[g] != 0;
      matrix.values[d * truths.size() + g] = box_overlap(detections[d], truths[g], crowd);
    }
  }
  return matrix;
}

PairMatrix iou(std::span<const Runs> detections, std::span<const Runs> truths, std::span<const std::uint8_t> is_crowd) {
  std::vector<BoxXywh> detection_boxes, truth_boxes;
  for (const Runs& runs : detections) detection_boxes.push_back(bounding_box(runs));
  for (const Runs& runs : truths) truth_boxes.push_back(bounding_box(runs));
  // Most pairs are far apart; only those whose boxes meet are worth the walk.
  PairMatrix matrix = iou(detection_boxes, truth_boxes, is_crowd);
  const std::vector<Coverage> detected(detections.begin(), detections.end()), annotated(truths.begin(), truths.end());
  for (std::size_t d = 0; d < detections.size(); ++d) {
    for (std::size_t g = 0; g < truths.size(); ++g) {
      double& value = matrix.values[d * truths.size() + g];
      if (!(value > 0)) continue;
      const bool same_size = detections[d].height == truths[g].height && detections[d].width == truths[g].width;
      value = same_size ? mask_overlap(detected[d], annotated[g], !is_crowd.empty() && is_crowd[g] != 0) : -1;
    }
  }
  return matrix;
}

}  // namespace maskrt::rle
