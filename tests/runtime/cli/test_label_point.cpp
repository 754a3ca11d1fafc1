// Where in a mask its label points to.
#include <catch2/catch.hpp>
#include <random>

#include "drawn_masks.h"
#include "runtime/cli/label_point.h"

using namespace maskrt;
using namespace maskrt::cli;
using namespace maskrt::testing;

TEST_CASE("The point of a mask's label is set, at the upper edge, and in thin masks too") {
  std::mt19937 random(2);
  const auto check = [](const Mask& mask, const PixelBox& box) {
    const Pixel point = label_point(mask, box);
    CHECK(mask.at(point.x, point.y));
    CHECK_FALSE(mask.at(point.x, point.y - 1));
    return point;
  };
  const Pixel middle = check(mask_of({100, 50, 300, 200}, 500, 300), {100, 50, 300, 200});
  CHECK(std::abs(middle.x - 250) <= 60);
  CHECK(middle.y == 50);
  for (const int x : {0, 1, 7, 100, 498})
    check(mask_where(500, 300, [x](int i, int) { return i == x || i == 499; }), {x, 0, 500 - x, 300});
  check(mask_where(500, 500, [](int x, int y) { return x == y; }), {0, 0, 500, 500});
  check(mask_of({499, 299, 1, 1}, 500, 300), {499, 299, 1, 1});
  check(mask_of({0, 0, 500, 300}, 500, 300), {0, 0, 500, 300});
}
