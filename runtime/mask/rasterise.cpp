// COCO polygons to runs. COCO draws a polygon's outline on a grid five times as fine, in whole grid steps, and toggles
// inside and outside where the outline crosses the centre line of a pixel column.
#include <cmath>
#include <cstdlib>

#include "rle.h"
#include "runs.h"

namespace maskrt::rle {
namespace {

constexpr int kGrid = 5;                        // fine steps a pixel
constexpr double kFarthest = 1 << 20;           // pixels; keeps the walk along an edge short
constexpr std::size_t kFewCrossings = 1 << 20;  // below, memory is no matter

struct GridPoint {
  std::int64_t u = 0, v = 0;
};

GridPoint to_grid(double x, double y) {
  if (!(std::abs(x) <= kFarthest) || !(std::abs(y) <= kFarthest)) {
    throw Error("polygon: expected coordinates within 2^20 pixels, found " + std::to_string(x) + ", " +
                std::to_string(y));
  }
  // Truncation, not rounding, also of negative numbers: it is what the published scores were computed with.
  return {static_cast<std::int64_t>(kGrid * x + 0.5), static_cast<std::int64_t>(kGrid * y + 0.5)};
}

/// Calls visit(point) for the grid points of the edge, both ends included, in its direction.
template <typename Visit>
void walk_edge(GridPoint from, GridPoint to, Visit&& visit) {
  const std::int64_t du = std::abs(to.u - from.u), dv = std::abs(to.v - from.v);
  const bool along_u = du >= dv;
  const std::int64_t steps = std::max(du, dv);
  // An edge is drawn from its lower end whichever way it runs, so that polygons that share it have no gap.
  const bool backwards = along_u ? from.u > to.u : from.v > to.v;
  const GridPoint low = backwards ? to : from, high = backwards ? from : to;
  const double slope =
      steps == 0 ? 0 : static_cast<double>(along_u ? high.v - low.v : high.u - low.u) / static_cast<double>(steps);
  for (std::int64_t i = 0; i <= steps; ++i) {
    const std::int64_t t = backwards ? steps - i : i;
    const double across = static_cast<double>(along_u ? low.v : low.u) + slope * static_cast<double>(t) + 0.5;
    if (along_u) {
      visit(GridPoint{low.u + t, static_cast<std::int64_t>(across)});
    } else {
      visit(GridPoint{static_cast<std::int64_t>(across), low.v + t});
    }
  }
}

/// Sorts, and drops what comes an even number of times: two crossings at one place undo each other.
void cancel_pairs(std::vector<std::uint32_t>& positions) {
  std::sort(positions.begin(), positions.end());
  std::size_t kept = 0;
  for (const std::uint32_t position : positions) {
    if (kept != 0 && positions[kept - 1] == position) {
      --kept;
    } else {
      positions[kept++] = position;
    }
  }
  positions.resize(kept);
}

/// Column-major positions at which the outline enters or leaves.
std::vector<std::uint32_t> crossings(int height, int width, const std::vector<GridPoint>& corners) {
  std::vector<std::uint32_t> positions;
  const std::size_t most = kFewCrossings + 2 * static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  bool first = true;
  GridPoint previous;
  const auto visit = [&](GridPoint point) {
    // The step between two grid columns crosses a pixel's centre line where the left one is 2 of 0 .. 4.
    const std::int64_t left = point.u < previous.u ? point.u : point.u - 1;
    if (!first && point.u != previous.u && left >= 0 && left % kGrid == kGrid / 2 && left / kGrid < width) {
      const std::int64_t v = std::max<std::int64_t>(0, std::min(point.v, previous.v));
      const std::int64_t y = std::min<std::int64_t>(height, (v + kGrid / 2) / kGrid);
      positions.push_back(static_cast<std::uint32_t>(left / kGrid * height + y));
      if (positions.size() > most) cancel_pairs(positions);
    }
    previous = point;
    first = false;
  };
  for (std::size_t i = 0; i < corners.size(); ++i) walk_edge(corners[i], corners[(i + 1) % corners.size()], visit);
  cancel_pairs(positions);
  return positions;
}

}  // namespace

Runs from_polygon(int height, int width, std::span<const double> xy) {
  const std::int64_t total = checked_pixels(height, width);
  if (xy.size() % 2 != 0) {
    throw Error("polygon: expected pairs of coordinates, found " + std::to_string(xy.size()) + " numbers");
  }
  std::vector<GridPoint> corners;
  for (std::size_t i = 0; i < xy.size(); i += 2) corners.push_back(to_grid(xy[i], xy[i + 1]));

  Runs runs{height, width, {}};
  std::uint32_t start = 0;
  for (const std::uint32_t position : crossings(height, width, corners)) {
    if (position >= total) break;
    runs.counts.push_back(position - start);
    start = position;
  }
  runs.counts.push_back(static_cast<std::uint32_t>(total) - start);
  return runs;
}

Runs from_polygons(int height, int width, std::span<const std::vector<double>> polygons) {
  Runs united{height, width, {static_cast<std::uint32_t>(checked_pixels(height, width))}};
  for (const std::vector<double>& polygon : polygons) {
    const Runs parts[] = {std::move(united), from_polygon(height, width, polygon)};
    united = merge(parts, Merge::unite);
  }
  return united;
}

}  // namespace maskrt::rle
