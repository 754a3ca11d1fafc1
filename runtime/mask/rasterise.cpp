// COCO polygons to runs. COCO draws a polygon's outline on a grid five times as fine, in whole grid steps, and toggles
// inside and outside where the outline crosses the centre line of a pixel column.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "rle.h"
#include "runs.h"

namespace maskrt::rle {
namespace {

constexpr int kGrid = 5;                        // fine steps a pixel
constexpr double kFarthest = 1 << 20;           // pixels; keeps grid coordinates exact
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

/// An edge as COCO draws it: from its lower end along the longer axis, whichever way it runs, so that polygons that
/// share it have no gap. Point t of it is at `along` low + t; `across` is rounded towards zero, as COCO does.
struct DrawnEdge {
  DrawnEdge(GridPoint from, GridPoint to) {
    const std::int64_t du = std::abs(to.u - from.u), dv = std::abs(to.v - from.v);
    along_u = du >= dv;
    steps = std::max(du, dv);
    const bool backwards = along_u ? from.u > to.u : from.v > to.v;
    low = backwards ? to : from;
    const GridPoint high = backwards ? from : to;
    if (steps != 0) slope = static_cast<double>(along_u ? high.v - low.v : high.u - low.u) / static_cast<double>(steps);
  }
  std::int64_t across(std::int64_t t) const {
    return static_cast<std::int64_t>(static_cast<double>(along_u ? low.v : low.u) + slope * static_cast<double>(t) +
                                     0.5);
  }

  bool along_u = true;
  std::int64_t steps = 0;
  GridPoint low;
  double slope = 0;
};

/// The first grid column at or after `u` whose step to the next one crosses the centre line of a pixel column.
std::int64_t first_centre(std::int64_t u) {
  constexpr std::int64_t centre = kGrid / 2;
  return u <= centre ? centre : (u - centre + kGrid - 1) / kGrid * kGrid + centre;
}

/// Calls crossing(x, v) where the edge crosses the centre line of pixel column x of `width`, at grid row v. Columns
/// outside of the picture take no time, and rows between two crossings little: the walk along the edge that COCO does
/// is replaced by looking up the same points.
template <typename Crossing>
void for_each_crossing(const DrawnEdge& edge, int width, Crossing&& crossing) {
  if (edge.steps == 0) return;
  const std::int64_t end = static_cast<std::int64_t>(width) * kGrid;
  if (edge.along_u) {
    const std::int64_t last = std::min(edge.low.u + edge.steps, end);
    for (std::int64_t left = first_centre(edge.low.u); left < last; left += kGrid) {
      const std::int64_t t = left - edge.low.u;
      crossing(left / kGrid, std::min(edge.across(t), edge.across(t + 1)));
    }
    return;
  }
  // Steeper than 45 degrees: from point to point the column is the same or changes by one, always to the same side. The
  // point after which it changes is found by bisection, which begins where the slope puts it and ends there mostly.
  const std::int64_t first_u = edge.across(0), last_u = edge.across(edge.steps);
  const std::int64_t last = std::min(std::max(first_u, last_u), end);
  std::int64_t from = 0, to = edge.steps;  // where the next crossing is
  for (std::int64_t left = first_centre(std::min(first_u, last_u)); left < last; left += kGrid) {
    const bool rising = last_u > first_u;
    std::int64_t before = rising ? from : 0, after = rising ? edge.steps : to;
    const double aim = (static_cast<double>(left - edge.low.u) + 0.5) / edge.slope;
    for (std::int64_t probe = static_cast<std::int64_t>(std::clamp(aim, 0.0, static_cast<double>(edge.steps))),
                      last_probe = probe + 1;
         probe <= last_probe; ++probe) {
      if (probe <= before || probe >= after) continue;
      ((edge.across(probe) > left) == rising ? after : before) = probe;
    }
    while (after - before > 1) {
      const std::int64_t middle = before + (after - before) / 2;
      ((edge.across(middle) > left) == rising ? after : before) = middle;
    }
    (rising ? from : to) = before + (rising ? 0 : 1);
    crossing(left / kGrid, edge.low.v + before);
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
  for (std::size_t i = 0; i < corners.size(); ++i) {
    for_each_crossing(
        DrawnEdge(corners[i], corners[(i + 1) % corners.size()]), width, [&](std::int64_t x, std::int64_t v) {
          const std::int64_t row = (std::max<std::int64_t>(v, 0) + kGrid / 2) / kGrid;
          positions.push_back(static_cast<std::uint32_t>(x * height + std::min<std::int64_t>(height, row)));
        });
    if (positions.size() > most) cancel_pairs(positions);
  }
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

std::int64_t crossed_columns(int width, std::span<const double> xy) {
  std::int64_t columns = 0;
  const auto inside = [&](double x) { return std::clamp(x, 0.0, static_cast<double>(width)); };
  for (std::size_t i = 0; i + 1 < xy.size(); i += 2) {
    const double x = inside(xy[i]), next = inside(xy[(i + 2) % xy.size()]);
    columns += 1 + static_cast<std::int64_t>(std::abs(next - x));
  }
  return columns;
}

Runs from_polygons(int height, int width, std::span<const std::vector<double>> polygons) {
  // United in pairs, and pairs of pairs: one after the other, all that is united already would be walked each time.
  std::vector<Runs> parts = {{height, width, {static_cast<std::uint32_t>(checked_pixels(height, width))}}};
  for (const std::vector<double>& polygon : polygons) parts.push_back(from_polygon(height, width, polygon));
  for (; parts.size() > 1; parts.resize((parts.size() + 1) / 2)) {
    for (std::size_t i = 0; 2 * i < parts.size(); ++i) {
      const auto pair = std::span(parts).subspan(2 * i, std::min<std::size_t>(2, parts.size() - 2 * i));
      parts[i] = pair.size() == 1 ? std::move(pair[0]) : merge(pair, Merge::unite);
    }
  }
  return std::move(parts.front());
}

}  // namespace maskrt::rle
