#include "instance_colors.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numbers>
#include <tuple>

#include "palette.h"

namespace maskrt::cli {
namespace {

bool are_neighbours(const PixelBox& a, const PixelBox& b) {
  const auto meet = [](int start_a, int extent_a, int start_b, int extent_b) {
    const int margin = 4 + (extent_a + extent_b) / 8;
    return start_a - margin < start_b + extent_b && start_b - margin < start_a + extent_a;
  };
  return meet(a.x, a.width, b.x, b.width) && meet(a.y, a.height, b.y, b.height);
}

/// Steps between two hues, the shorter way round.
int steps_between(int a, int b) {
  const int steps = std::abs(a - b);
  return std::min(steps, kHues - steps);
}

}  // namespace

std::vector<int> instance_hues(std::span<const PixelBox> boxes) {
  constexpr int far_enough = kHues / 4;
  std::vector<int> chosen;
  std::array<int, kHues> uses{};
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    std::array<int, kHues> nearest;
    nearest.fill(far_enough);
    for (std::size_t j = 0; j < i; ++j) {
      if (!are_neighbours(boxes[i], boxes[j])) continue;
      for (int hue = 0; hue < kHues; ++hue) {
        int& least = nearest[static_cast<std::size_t>(hue)];
        least = std::min(least, steps_between(hue, chosen[j]));
      }
    }
    // In steps of 150 degrees, so that the first ones lie far from each other whatever their boxes.
    int best = 0;
    for (int k = 1; k < kHues; ++k) {
      const auto hue = static_cast<std::size_t>(5 * k % kHues), other = static_cast<std::size_t>(best);
      if (std::tuple(nearest[hue], -uses[hue]) > std::tuple(nearest[other], -uses[other])) best = static_cast<int>(hue);
    }
    ++uses[static_cast<std::size_t>(best)];
    chosen.push_back(best);
  }
  return chosen;
}

std::vector<Color> instance_colors(std::span<const PixelBox> boxes) {
  constexpr double first_hue = 0.45, chroma = 0.19;
  constexpr std::array lightness = {0.72, 0.84, 0.62};
  std::array<std::size_t, kHues> uses{};
  std::vector<Color> colors;
  for (const int hue : instance_hues(boxes)) {
    const std::size_t use = uses[static_cast<std::size_t>(hue)]++;
    colors.push_back(
        from_oklch(lightness[use % lightness.size()], chroma, first_hue + 2 * std::numbers::pi * hue / kHues));
  }
  return colors;
}

}  // namespace maskrt::cli
