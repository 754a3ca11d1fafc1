// A picture that can be drawn on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "maskrt/maskrt.hpp"

namespace maskrt::cli {

struct Color {
  std::uint8_t r = 0, g = 0, b = 0;
  bool operator==(const Color&) const = default;
};

/// 8-bit RGB, dense rows.
class Canvas {
 public:
  /// A copy of the image's pixels, whatever their format.
  explicit Canvas(const Image& image);
  /// One colour everywhere.
  Canvas(int width, int height, Color color);

  int width() const { return width_; }
  int height() const { return height_; }
  const std::vector<std::uint8_t>& rgb() const { return rgb_; }
  Color at(int x, int y) const {
    const std::uint8_t* pixel = &rgb_[index(x, y)];
    return {pixel[0], pixel[1], pixel[2]};
  }

  /// Mixes `color` into a pixel, 0 leaving it and 1 replacing it. Points outside the picture are ignored.
  void blend(int x, int y, Color color, float alpha) {
    if (alpha <= 0 || x < 0 || y < 0 || x >= width_ || y >= height_) return;
    std::uint8_t* pixel = &rgb_[index(x, y)];
    const std::uint8_t parts[3] = {color.r, color.g, color.b};
    const float share = std::min(alpha, 1.0f);
    for (int c = 0; c < 3; ++c)
      pixel[c] = static_cast<std::uint8_t>(std::lround(pixel[c] + share * static_cast<float>(parts[c] - pixel[c])));
  }

  /// A box with round corners and smooth edges.
  void fill_rounded_box(const Box& box, float radius, Color color, float alpha);

 private:
  std::size_t index(int x, int y) const {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x)) * 3;
  }

  int width_, height_;
  std::vector<std::uint8_t> rgb_;
};

}  // namespace maskrt::cli
