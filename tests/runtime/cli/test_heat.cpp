// Heat as colours, and tiles side by side.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "drawn_masks.h"
#include "maskrt/types.hpp"
#include "runtime/cli/heat.h"

using namespace maskrt;
using namespace maskrt::cli;
using namespace maskrt::testing;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Lab {
  double l = 0, a = 0, b = 0;
};

/// Oklab of an sRGB colour, by its author's matrices.
Lab oklab(Color color) {
  const auto linear = [](std::uint8_t value) {
    const double v = value / 255.0;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  const double r = linear(color.r), g = linear(color.g), b = linear(color.b);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

}  // namespace

TEST_CASE("Heat goes from dark blue to dark red in steps that look equal") {
  const Color cold = heat_color(0), warm = heat_color(0.5f), hot = heat_color(1);
  CHECK((cold.b > 2 * cold.r && cold.b > 2 * cold.g));
  CHECK((warm.g > warm.r && warm.g > warm.b));
  CHECK((hot.r > 4 * hot.g && hot.r > 4 * hot.b));
  double least = 1, most = 0;
  constexpr int steps = 16;
  for (int i = 0; i < steps; ++i) {
    const Lab from = oklab(heat_color(static_cast<float>(i) / steps)),
              to = oklab(heat_color(static_cast<float>(i + 1) / steps));
    const double distance = std::hypot(to.l - from.l, to.a - from.a, to.b - from.b);
    least = std::min(least, distance);
    most = std::max(most, distance);
  }
  CHECK(least > 0.08);
  CHECK(most < 0.10);
  for (const float below : {-1.0f, -std::numeric_limits<float>::infinity(), kNan}) CHECK(heat_color(below) == cold);
  for (const float above : {1.5f, std::numeric_limits<float>::infinity()}) CHECK(heat_color(above) == hot);
}

TEST_CASE("The hottest position of a map is red, alone and over the picture") {
  Canvas canvas(9, 5, kGrey);
  const std::vector<float> heat = {0.0f, 0.01f, 0.02f, 0.04f, 0.03f, 0.0f};
  draw_heat(canvas, {4, 1, 3, 2}, heat, nullptr);
  CHECK(canvas.at(4, 1) == heat_color(0));
  CHECK(canvas.at(5, 1) == heat_color(0.25f));
  CHECK(canvas.at(4, 2) == heat_color(1));
  CHECK(canvas.at(5, 2) == heat_color(0.75f));
  for (const auto& [x, y] : {std::pair(3, 1), {7, 1}, {4, 0}, {4, 3}}) CHECK(canvas.at(x, y) == kGrey);

  Canvas picture(3, 2, kBlue);
  picture.blend(0, 1, kRed, 1);
  draw_heat(canvas, {0, 0, 3, 2}, heat, &picture);
  const Color hot = heat_color(1), cold = heat_color(0);
  CHECK(difference(canvas.at(0, 1), {static_cast<std::uint8_t>((hot.r + 255) / 2), static_cast<std::uint8_t>(hot.g / 2),
                                     static_cast<std::uint8_t>(hot.b / 2)}) <= 1);
  CHECK(difference(canvas.at(2, 1), {static_cast<std::uint8_t>(cold.r / 2), static_cast<std::uint8_t>(cold.g / 2),
                                     static_cast<std::uint8_t>((cold.b + 255) / 2)}) <= 1);

  // Nothing is hot where all is 0, and numbers that are none are cold.
  draw_heat(canvas, {0, 0, 2, 1}, std::vector{0.0f, 0.0f}, nullptr);
  CHECK(canvas.at(1, 0) == cold);
  draw_heat(canvas, {0, 0, 3, 1}, std::vector{kNan, -1.0f, 2.0f}, nullptr);
  CHECK(canvas.at(0, 0) == cold);
  CHECK(canvas.at(1, 0) == cold);
  CHECK(canvas.at(2, 0) == hot);
}

TEST_CASE("Tiles lie side by side with white between, in more rows where a file would be too wide") {
  const Tiles four = tiles_in_a_row(320, 240, 4, 4);
  const Canvas sheet = four.sheet();
  CHECK(sheet.width() == 4 * 320 + 3 * 4);
  CHECK(sheet.height() == 240);
  CHECK(sheet.at(321, 100) == Color{255, 255, 255});
  CHECK(four.box(3).x == 3 * 324);
  CHECK(four.box(3).y == 0);
  CHECK(tiles_in_a_row(320, 240, 1, 4).sheet().width() == 320);

  const Tiles wide = tiles_in_a_row(30000, 2, 4, 4);
  CHECK(wide.columns == 2);
  CHECK(wide.sheet().width() == 60004);
  CHECK(wide.sheet().height() == 8);
  CHECK(wide.box(3).x == 30004);
  CHECK(wide.box(3).y == 6);
  CHECK(tiles_in_a_row(65500, 2, 4, 4).columns == 1);
  CHECK_THROWS_WITH(tiles_in_a_row(65501, 2, 1, 4).sheet(),
                    "expected heat pictures of at most 65500 pixels a side, found 1 of 65501x2");
  CHECK_THROWS_AS(tiles_in_a_row(60000, 40000, 2, 4).sheet(), Error);

  const Tiles square = tiles_in_a_square(64, 64, 100, 4);
  CHECK(square.columns == 10);
  CHECK(square.rows() == 10);
  const Tiles strips = tiles_in_a_square(268, 64, 40, 8);  // four times as wide as high
  CHECK(strips.sheet().width() <= 1100);
  CHECK(strips.sheet().height() <= 1100);
  CHECK(tiles_in_a_square(10, 10, 1, 4).sheet().width() == 10);
}
