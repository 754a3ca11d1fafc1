// COCO's outlines by walking along them: the algorithm as pycocotools has it (rleFrPoly), for comparison.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <span>
#include <vector>

#include "runtime/mask/rle.h"

namespace maskrt::testing {

/// The runs of one closed outline x0, y0, x1, y1, ...; takes time and memory with its length on a grid of 1/5 pixel.
inline rle::Runs plain_polygon(int height, int width, std::span<const double> xy) {
  const std::size_t corners = xy.size() / 2;
  std::vector<int> x, y, u, v;
  for (std::size_t i = 0; i < corners; ++i) {
    x.push_back(static_cast<int>(5 * xy[2 * i] + 0.5));
    y.push_back(static_cast<int>(5 * xy[2 * i + 1] + 0.5));
  }
  for (std::size_t i = 0; i < corners; ++i) {
    int xs = x[i], xe = x[(i + 1) % corners], ys = y[i], ye = y[(i + 1) % corners];
    const int dx = std::abs(xe - xs), dy = std::abs(ye - ys);
    const bool flip = (dx >= dy && xs > xe) || (dx < dy && ys > ye);
    if (flip) {
      std::swap(xs, xe);
      std::swap(ys, ye);
    }
    const double slope = dx == 0 && dy == 0 ? 0 : dx >= dy ? (ye - ys) / double(dx) : (xe - xs) / double(dy);
    for (int d = 0; d <= std::max(dx, dy); ++d) {
      const int t = flip ? std::max(dx, dy) - d : d;
      u.push_back(dx >= dy ? t + xs : static_cast<int>(xs + slope * t + 0.5));
      v.push_back(dx >= dy ? static_cast<int>(ys + slope * t + 0.5) : t + ys);
    }
  }
  std::vector<std::uint32_t> positions;
  for (std::size_t i = 1; i < u.size(); ++i) {
    if (u[i] == u[i - 1]) continue;
    const double column = (std::min(u[i], u[i - 1]) + 0.5) / 5 - 0.5;
    if (std::floor(column) != column || column < 0 || column > width - 1) continue;
    const double row = std::ceil(std::clamp((std::min(v[i], v[i - 1]) + 0.5) / 5 - 0.5, 0.0, double(height)));
    positions.push_back(static_cast<std::uint32_t>(static_cast<int>(column) * height + static_cast<int>(row)));
  }
  std::sort(positions.begin(), positions.end());
  positions.push_back(static_cast<std::uint32_t>(height) * static_cast<std::uint32_t>(width));
  rle::Runs runs{height, width, {}};
  std::uint32_t start = 0;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const std::uint32_t length = positions[i] - start;
    start = positions[i];
    if (runs.counts.empty() || length > 0) {
      runs.counts.push_back(length);
    } else if (++i < positions.size()) {  // two crossings at one place undo each other
      runs.counts.back() += positions[i] - start;
      start = positions[i];
    }
  }
  return runs;
}

}  // namespace maskrt::testing
