// Areas, boxes, unions, intersections and overlaps of run-length masks, without unpacking them.
#include <cmath>
#include <optional>

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
  explicit Coverage(const Runs& runs) {
    ones_.reserve(runs.counts.size() / 2);
    std::uint32_t position = 0;
    std::int64_t before = 0;
    for (std::size_t i = 0; i < runs.counts.size(); ++i) {
      const std::uint32_t length = runs.counts[i];
      if (i % 2 != 0 && length != 0) {
        ones_.push_back({position, length, before});
        before += length;
      }
      position += length;
    }
  }

  /// Pixels set in front of a position.
  std::int64_t before(std::uint32_t position) const {
    const auto next =
        std::partition_point(ones_.begin(), ones_.end(), [&](const Ones& run) { return run.start < position; });
    if (next == ones_.begin()) return 0;
    const Ones& run = next[-1];
    return run.before + std::min(run.length, position - run.start);
  }

 private:
  struct Ones {
    std::uint32_t start, length;
    std::int64_t before;  ///< pixels set in front of it
  };
  std::vector<Ones> ones_;
};

/// A mask that is compared with many.
class Compared {
 public:
  explicit Compared(const Runs& runs) : runs_(&runs), area_(rle::area(runs)) {}

  std::int64_t area() const { return area_; }

  /// Pixels set in both masks. A mask of few runs is looked up in one of many; else both are walked.
  static std::int64_t common(Compared& a, Compared& b) {
    constexpr std::size_t worth_looking_up = 16;
    if (a.runs_->counts.size() > b.runs_->counts.size()) return common(b, a);
    if (a.runs_->counts.size() * worth_looking_up < b.runs_->counts.size()) return a.looked_up_in(b.coverage());
    return walked(a.runs_->counts, b.runs_->counts);
  }

 private:
  const Coverage& coverage() {
    if (!coverage_) coverage_.emplace(*runs_);
    return *coverage_;
  }

  std::int64_t looked_up_in(const Coverage& other) const {
    std::int64_t both = 0;
    std::uint32_t position = 0;
    for (std::size_t i = 0; i < runs_->counts.size(); ++i) {
      const std::uint32_t end = position + runs_->counts[i];
      if (i % 2 != 0) both += other.before(end) - other.before(position);
      position = end;
    }
    return both;
  }

  /// From the end of a run to the next end in either mask.
  static std::int64_t walked(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b) {
    std::int64_t both = 0;
    std::uint64_t position = 0, end_a = a.empty() ? 0 : a[0], end_b = b.empty() ? 0 : b[0];
    for (std::size_t i = 0, k = 0; i < a.size() && k < b.size();) {
      const std::uint64_t next = std::min(end_a, end_b);
      both += (i & k & 1) != 0 ? static_cast<std::int64_t>(next - position) : 0;
      position = next;
      if (end_a == next && ++i < a.size()) end_a += a[i];
      if (end_b == next && ++k < b.size()) end_b += b[k];
    }
    return both;
  }

  const Runs* runs_;
  std::int64_t area_;
  std::optional<Coverage> coverage_;
};

double mask_overlap(Compared& detection, Compared& truth, bool crowd) {
  const std::int64_t both = Compared::common(detection, truth);
  if (both == 0) return 0;
  const std::int64_t either = detection.area() + truth.area() - both;
  return static_cast<double>(both) / static_cast<double>(crowd ? detection.area() : either);
}

/// C's fmin() and fmax(), which pass NaN over.
double lesser(double a, double b) { return b < a || std::isnan(a) ? b : a; }
double greater(double a, double b) { return b > a || std::isnan(a) ? b : a; }

/// As COCO compares, so that boxes with a NaN get its answers, too.
double box_overlap(const BoxXywh& detection, const BoxXywh& truth, bool crowd) {
  const double width = lesser(detection[2] + detection[0], truth[2] + truth[0]) - greater(detection[0], truth[0]);
  if (width <= 0) return 0;
  const double height = lesser(detection[3] + detection[1], truth[3] + truth[1]) - greater(detection[1], truth[1]);
  if (height <= 0) return 0;
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
  // Positions fit 32 bits, in which division takes half the time.
  const auto height = static_cast<std::uint32_t>(runs.height);
  const auto total = static_cast<std::uint64_t>(height) * static_cast<std::uint64_t>(runs.width);
  std::uint32_t left = static_cast<std::uint32_t>(runs.width), right = 0, top = height, bottom = 0;
  std::uint64_t position = 0;
  for (std::size_t i = 0; i < runs.counts.size(); ++i) {
    const std::uint64_t begin = position, end = std::min(total, position + runs.counts[i]);
    position = end;
    if (i % 2 == 0 || begin == end) continue;
    const auto from = static_cast<std::uint32_t>(begin), to = static_cast<std::uint32_t>(end - 1);
    const std::uint32_t first = from / height, first_row = from - first * height;
    // A run that continues in the next column touches the last row of one and the first row of the other.
    const bool one_column = to - from < height - first_row;
    const std::uint32_t last = one_column ? first : to / height;
    left = std::min(left, first);
    right = std::max(right, last + 1);
    top = std::min(top, one_column ? first_row : 0);
    bottom = std::max(bottom, one_column ? first_row + (to - from) + 1 : height);
  }
  if (right == 0) return {0, 0, 0, 0};
  return {static_cast<double>(left), static_cast<double>(top), static_cast<double>(right - left),
          static_cast<double>(bottom - top)};
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
  check_crowds(truths.size(), is_crowd);
  if (detections.empty() || truths.empty()) return {detections.size(), truths.size(), {}};
  std::vector<BoxXywh> detection_boxes, truth_boxes;
  for (const Runs& runs : detections) detection_boxes.push_back(bounding_box(runs));
  for (const Runs& runs : truths) truth_boxes.push_back(bounding_box(runs));
  // Most pairs are disjoint; only those whose boxes intersect are compared run by run.
  PairMatrix matrix = iou(detection_boxes, truth_boxes, is_crowd);
  std::vector<Compared> detected(detections.begin(), detections.end()), annotated(truths.begin(), truths.end());
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
