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

/// Pixels of a picture, with exclusive extents: x up to x + width - 1.
struct PixelBox {
  int x = 0, y = 0, width = 0, height = 0;
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
    const std::uint8_t* found = &rgb_[index(x, y)];
    return {found[0], found[1], found[2]};
  }
  /// The pixel's three bytes, with the rest of its row after them.
  std::uint8_t* pixel(int x, int y) { return &rgb_[index(x, y)]; }

  /// Mixes `color` into a pixel, 0 leaving it and 1 replacing it, in steps of 1/256. Points outside the picture are
  /// ignored.
  void blend(int x, int y, Color color, float alpha) {
    if (alpha <= 0 || x < 0 || y < 0 || x >= width_ || y >= height_) return;
    const int share = static_cast<int>(256 * std::min(alpha, 1.0f) + 0.5f);
    std::uint8_t* const mixed = pixel(x, y);
    const auto mix = [share](int old, int paint) {
      return static_cast<std::uint8_t>((old * (256 - share) + paint * share + 128) >> 8);
    };
    mixed[0] = mix(mixed[0], color.r);
    mixed[1] = mix(mixed[1], color.g);
    mixed[2] = mix(mixed[2], color.b);
  }

  /// A box with round corners and smooth edges.
  void fill_rounded_box(const PixelBox& box, float radius, Color color, float alpha);

 private:
  std::size_t index(int x, int y) const {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x)) * 3;
  }

  int width_, height_;
  std::vector<std::uint8_t> rgb_;
};

}  // namespace maskrt::cli
