// How a mask is tinted and outlined.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "drawn_masks.h"
#include "runtime/cli/distance.h"
#include "runtime/cli/mask_painter.h"

using namespace maskrt;
using namespace maskrt::cli;
using namespace maskrt::testing;

TEST_CASE("Masks are painted as the plain formula says, whatever their shape, place and the line's width") {
  std::mt19937 random(11);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (const auto& [width, height] : {std::pair(1, 1), {1, 70}, {90, 1}, {64, 64}, {131, 129}, {200, 65}}) {
    for (const float line : {1.5f, 3.0f, 10.3f, MaskPainter::kWidestLine}) {
      for (int shape = 0; shape < 5; ++shape) {
        const int cx = below(width), cy = below(height), rx = 1 + below(60), ry = 1 + below(60);
        const Mask mask = mask_where(width, height, [&](int x, int y) {
          if (shape == 0) return true;
          if (shape == 1) return x == cx && y == cy;
          if (shape == 2) return below(10) == 0;  // specks
          const double dx = double(x - cx) / rx, dy = double(y - cy) / ry, square = dx * dx + dy * dy;
          return shape == 3 ? square < 1 : square < 1 && square > 0.5;
        });
        Canvas canvas(width, height, kGrey);
        MaskPainter(line).paint(canvas, mask, {0, 0, width, height}, {250, 30, 60});

        // The mask's border pixels go on beyond the picture, far enough for all that the formula looks at.
        constexpr int beyond = 30;
        const int wide = width + 2 * beyond, high = height + 2 * beyond;
        const auto at = [&](int x, int y) { return static_cast<std::size_t>(y * wide + x); };
        std::vector<std::uint8_t> bitmap(at(0, high));
        for (int y = 0; y < high; ++y)
          for (int x = 0; x < wide; ++x)
            bitmap[at(x, y)] =
                mask.at(std::clamp(x - beyond, 0, width - 1), std::clamp(y - beyond, 0, height - 1)) ? 1 : 0;
        std::vector<float> distance = signed_distance(bitmap, wide, high);
        for (float& d : distance) d = std::clamp(d, -20.0f, 20.0f);
        const auto smoothed = [&](int x, int y) {
          constexpr double weights[] = {1, 4, 6, 4, 1};
          double sum = 0;
          for (int j = 0; j < 5; ++j)
            for (int i = 0; i < 5; ++i) sum += weights[i] * weights[j] * distance[at(x + i - 2, y + j - 2)];
          return sum / 256;
        };
        int worst = 0;
        for (int y = 0; y < height; ++y)
          for (int x = 0; x < width; ++x) {
            const double d = smoothed(x + beyond, y + beyond), from_line = 0.5 * line + 0.5 - std::fabs(d);
            const double tint = 0.45 * std::clamp(d + 0.5, 0.0, 1.0), rim = 0.35 * std::clamp(from_line + 1, 0.0, 1.0);
            const double outline = 0.95 * std::clamp(from_line, 0.0, 1.0);
            const auto painted = [&](double old, double color) {
              const double tinted = old + tint * (color - old), rimmed = tinted * (1 - rim);
              return static_cast<std::uint8_t>(std::lround(rimmed + outline * (color - rimmed)));
            };
            const Color want = {painted(kGrey.r, 250), painted(kGrey.g, 30), painted(kGrey.b, 60)};
            worst = std::max(worst, difference(canvas.at(x, y), want));
          }
        INFO(width << "x" << height << ", line " << line << ", shape " << shape);
        // Half a level of rounding, weights in steps of 1 / 256, and a distance in steps of 1 / 64: 2.6 levels where
        // the outline's ramp is steepest.
        CHECK(worst <= 4);
      }
    }
  }
}

TEST_CASE("A mask is tinted inside, outlined at its edge, and leaves the rest alone") {
  Canvas canvas(200, 160, kGrey);
  draw_overlay(canvas, std::vector{rectangle(canvas, {60, 50, 80, 60}, "", kRed)});
  // 0.45 of red over grey: 100 + 0.45 * 155 and 100 * 0.55.
  CHECK(difference(canvas.at(100, 80), {170, 55, 55}) <= 1);
  // The edge's pixels: tint, 0.35 of the dark rim, then 0.95 * 0.75 of red, as a line of 1.5 pixels around the edge
  // covers three quarters of the pixel beside it. 170, 55 -> 111, 36 -> 213, 10.
  CHECK(difference(canvas.at(60, 80), {213, 10, 10}) <= 2);
  for (int y = 0; y < 160; ++y)
    for (int x = 0; x < 200; ++x)
      if (x < 56 || x > 143 || y < 46 || y > 113) {
        INFO("at " << x << ", " << y);
        REQUIRE(canvas.at(x, y) == kGrey);
      }
}

TEST_CASE("A mask that the picture's border cuts off has no outline along the border") {
  Canvas canvas(120, 100, kGrey);
  draw_overlay(canvas, std::vector{rectangle(canvas, {0, 0, 120, 40}, "", kRed)});
  CHECK(difference(canvas.at(0, 20), {170, 55, 55}) <= 1);
  CHECK(difference(canvas.at(60, 0), {170, 55, 55}) <= 1);
  CHECK(difference(canvas.at(60, 39), {213, 10, 10}) <= 2);
}
