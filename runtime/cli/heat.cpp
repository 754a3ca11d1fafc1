#include "heat.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numbers>
#include <string>

#include "maskrt/types.hpp"
#include "palette.h"

namespace maskrt::cli {
namespace {

constexpr std::int64_t kLongestSide = 65500;  // of a JPEG file, for libjpeg
constexpr Color kWhite = {255, 255, 255};

/// A colour of the scale in Oklab's polar form; between two of them all three numbers change evenly. They are near the
/// most saturated colours of their lightness that sRGB shows, and `share` is the length of the way to them through
/// Oklab.
struct Knot {
  double share, lightness, chroma, degrees;
};
constexpr std::array<Knot, 10> kKnots = {{{0, 0.26, 0.10, 278},
                                          {0.155, 0.45, 0.23, 266},
                                          {0.282, 0.62, 0.17, 248},
                                          {0.415, 0.78, 0.13, 205},
                                          {0.532, 0.84, 0.19, 150},
                                          {0.619, 0.90, 0.19, 115},
                                          {0.676, 0.86, 0.17, 92},
                                          {0.777, 0.74, 0.17, 60},
                                          {0.881, 0.62, 0.22, 35},
                                          {1, 0.45, 0.17, 28}}};

Color color_between_knots(double share) {
  std::size_t next = 1;
  while (next + 1 < kKnots.size() && kKnots[next].share < share) ++next;
  const Knot &a = kKnots[next - 1], &b = kKnots[next];
  const double part = (share - a.share) / (b.share - a.share);
  const auto between = [part](double from, double to) { return from + (to - from) * part; };
  return from_oklch(between(a.lightness, b.lightness), between(a.chroma, b.chroma),
                    between(a.degrees, b.degrees) * std::numbers::pi / 180);
}

constexpr int kLastColor = 255;

const std::array<Color, kLastColor + 1>& colors() {
  static const auto all = [] {
    std::array<Color, kLastColor + 1> made;
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = color_between_knots(static_cast<double>(i) / kLastColor);
    return made;
  }();
  return all;
}

Color mean_of(Color a, Color b) {
  const auto half = [](int x, int y) { return static_cast<std::uint8_t>((x + y + 1) / 2); };
  return {half(a.r, b.r), half(a.g, b.g), half(a.b, b.b)};
}

std::int64_t side_of(int tile, std::size_t count, int gap) {
  return static_cast<std::int64_t>(count) * (std::int64_t{tile} + gap) - gap;
}

}  // namespace

Color heat_color(float share) {
  if (!(share > 0)) return colors()[0];
  return colors()[static_cast<std::size_t>(std::min(share, 1.0f) * kLastColor + 0.5f)];
}

void draw_heat(Canvas& canvas, const PixelBox& box, std::span<const float> heat, const Canvas* picture) {
  float most = 0;
  for (const float number : heat) most = std::max(most, number);  // NaN is no maximum
  const float scale = most > 0 ? 1 / most : 0;
  const float* number = heat.data();
  for (int y = 0; y < box.height; ++y) {
    std::uint8_t* to = canvas.pixel(box.x, box.y + y);
    for (int x = 0; x < box.width; ++x, ++number, to += 3) {
      Color color = heat_color(*number * scale);
      if (picture != nullptr) color = mean_of(color, picture->at(x, y));
      to[0] = color.r;
      to[1] = color.g;
      to[2] = color.b;
    }
  }
}

Canvas Tiles::sheet() const {
  const std::int64_t wide = side_of(width, columns, gap), high = side_of(height, rows(), gap);
  if (wide > kLongestSide || high > kLongestSide)
    throw Error("expected heat pictures of at most " + std::to_string(kLongestSide) + " pixels a side, found " +
                std::to_string(count) + " of " + std::to_string(width) + "x" + std::to_string(height));
  return {static_cast<int>(wide), static_cast<int>(high), kWhite};
}

PixelBox Tiles::box(std::size_t tile) const {
  const int column = static_cast<int>(tile % columns), row = static_cast<int>(tile / columns);
  return {column * (width + gap), row * (height + gap), width, height};
}

Tiles tiles_in_a_row(int width, int height, std::size_t count, int gap) {
  const std::int64_t room = (kLongestSide + gap) / (std::int64_t{width} + gap);
  return {width, height, count, std::clamp<std::size_t>(static_cast<std::size_t>(room), 1, count), gap};
}

Tiles tiles_in_a_square(int width, int height, std::size_t count, int gap) {
  Tiles best;
  std::int64_t shortest = 0;
  for (std::size_t columns = 1; columns <= count; ++columns) {
    const Tiles tiles = {width, height, count, columns, gap};
    const std::int64_t wide = side_of(width, columns, gap);
    const std::int64_t longer = std::max(wide, side_of(height, tiles.rows(), gap));
    if (columns == 1 || longer < shortest) {
      best = tiles;
      shortest = longer;
    }
    if (wide >= longer) break;  // more columns only make it wider
  }
  return best;
}

}  // namespace maskrt::cli
