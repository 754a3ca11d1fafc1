#include "plot_labels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

namespace maskrt::cli {
namespace {

/// Distances from a marker's edge to its label, the nearest first; from the third on, a line leads to the label.
constexpr std::array kDistances = {4.0, 9.0, 18.0, 28.0, 40.0, 55.0, 75.0, 100.0, 130.0, 170.0, 220.0};
constexpr std::size_t kLedFrom = 2;
constexpr int kDirections = 16;
/// A place on the connecting line, or no further from another marker, is as bad as one this many distances further
/// away.
constexpr std::size_t kOnLine = 3, kNearAnother = 2;

/// Above first, then by turns to the left and to the right of it.
PlotPlace direction(int i) {
  const double turn = (i % 2 == 0 ? -1 : 1) * ((i + 1) / 2) * 2 * M_PI / kDirections;
  return {std::sin(turn), -std::cos(turn)};
}

PlotBox beside(PlotPlace point, PlotPlace direction, double distance, const PlotBox& size) {
  const double x = point.x + direction.x * (distance + size.width / 2);
  const double y = point.y + direction.y * (distance + size.height / 2);
  return {x - size.width / 2, y - size.height / 2, size.width, size.height};
}

/// What labels so far leave free.
class FreeRoom {
 public:
  FreeRoom(const std::vector<PlotPlace>& points, double radius, const PlotBox& frame)
      : points_(points), radius_(radius), frame_(frame) {}

  bool has(std::size_t point, const PlacedLabel& label) const {
    if (!frame_.contains(label.box)) return false;
    for (const PlotPlace& other : points_)
      if (label.box.meets(marker(other))) return false;
    for (const auto& [taken, from] : taken_) {
      if (taken.box.meets(label.box)) return false;
      if (taken.led && label.box.meets(from, taken.box.nearest(from))) return false;
      if (label.led && taken.box.meets(points_[point], label.box.nearest(points_[point]))) return false;
    }
    return true;
  }

  bool is_on_line(const PlotBox& box) const {
    for (std::size_t i = 1; i < points_.size(); ++i)
      if (box.meets(points_[i - 1], points_[i])) return true;
    return false;
  }

  bool is_near_another(const PlotBox& box, std::size_t point) const {
    const auto distance = [&box](PlotPlace from) {
      const PlotPlace to = box.nearest(from);
      return std::hypot(to.x - from.x, to.y - from.y);
    };
    for (std::size_t i = 0; i < points_.size(); ++i)
      if (i != point && distance(points_[i]) <= distance(points_[point])) return true;
    return false;
  }

  void take(std::size_t point, const PlacedLabel& label) { taken_.emplace_back(label, points_[point]); }

 private:
  PlotBox marker(PlotPlace place) const { return {place.x - radius_, place.y - radius_, 2 * radius_, 2 * radius_}; }

  const std::vector<PlotPlace>& points_;
  double radius_;
  PlotBox frame_;
  std::vector<std::pair<PlacedLabel, PlotPlace>> taken_;  ///< labels and their points
};

std::optional<PlacedLabel> place_one(const FreeRoom& room, const std::vector<PlotPlace>& points, std::size_t point,
                                     double radius, const PlotBox& size) {
  std::optional<PlacedLabel> best;
  std::size_t least = kDistances.size() + kOnLine + kNearAnother;
  for (std::size_t d = 0; d < kDistances.size() && d < least; ++d) {
    for (int i = 0; i < kDirections; ++i) {
      const PlacedLabel label = {beside(points[point], direction(i), radius + kDistances[d], size), d >= kLedFrom};
      if (!room.has(point, label)) continue;
      const bool is_doubtful = !label.led && room.is_near_another(label.box, point);
      const std::size_t cost = d + (room.is_on_line(label.box) ? kOnLine : 0) + (is_doubtful ? kNearAnother : 0);
      if (cost >= least) continue;
      best = label;
      least = cost;
    }
  }
  return best;
}

}  // namespace

bool PlotBox::contains(const PlotBox& other) const {
  return other.x >= x && other.y >= y && other.x + other.width <= x + width && other.y + other.height <= y + height;
}

bool PlotBox::meets(const PlotBox& other) const {
  return other.x < x + width && x < other.x + other.width && other.y < y + height && y < other.y + other.height;
}

bool PlotBox::meets(PlotPlace a, PlotPlace b) const {
  // The part of the line, from 0 at a to 1 at b, that lies between both pairs of sides (Liang and Barsky).
  double from = 0, to = 1;
  const auto cut = [&](double start, double change, double low, double high) {
    if (change == 0) return start > low && start < high;
    const double first = (low - start) / change, second = (high - start) / change;
    from = std::max(from, std::min(first, second));
    to = std::min(to, std::max(first, second));
    return from < to;
  };
  return cut(a.x, b.x - a.x, x, x + width) && cut(a.y, b.y - a.y, y, y + height);
}

PlotPlace PlotBox::nearest(PlotPlace place) const {
  return {std::clamp(place.x, x, x + width), std::clamp(place.y, y, y + height)};
}

std::vector<std::optional<PlacedLabel>> place_labels(const std::vector<PlotPlace>& points, double radius,
                                                     const std::vector<PlotBox>& sizes, const PlotBox& frame) {
  FreeRoom room(points, radius, frame);
  std::vector<std::optional<PlacedLabel>> labels;
  for (std::size_t i = 0; i < points.size(); ++i) {
    labels.push_back(place_one(room, points, i, radius, sizes[i]));
    if (labels.back()) room.take(i, *labels.back());
  }
  return labels;
}

}  // namespace maskrt::cli
