// Masks as PNG files.
#include <catch2/catch.hpp>
#include <random>

#include "drawn_masks.h"
#include "runtime/cli/mask_png.h"

using namespace maskrt;
using namespace maskrt::cli;
using namespace maskrt::testing;

TEST_CASE("Masks come back from their PNG files as they were") {
  std::mt19937 random(4);
  const auto check = [](const Mask& mask) {
    const Image read = Image::from_bytes(encode_mask(mask));
    REQUIRE(read.width() == mask.width());
    REQUIRE(read.height() == mask.height());
    bool equal = true;
    for (int y = 0; y < mask.height(); ++y)
      for (int x = 0; x < mask.width(); ++x) equal = equal && read.row(y)[3 * x] == (mask.at(x, y) ? 255 : 0);
    CHECK(equal);
  };
  // Runs of every length up to more than the longest match, ones and zeros.
  for (int length = 1; length < 540; ++length) {
    check(mask_of({7, 0, length, 2}, 600, 3));
    check(mask_where(600, 1, [length](int x, int) { return x < 3 || x >= 3 + length; }));
  }
  for (const auto& [width, height] : {std::pair(1, 1), {1, 200}, {200, 1}, {63, 64}, {65, 129}, {700, 300}}) {
    check(mask_where(width, height, [](int, int) { return false; }));
    check(mask_where(width, height, [](int, int) { return true; }));
    check(mask_where(width, height, [&](int, int) { return random() % 2 == 0; }));
    check(mask_where(width, height, [&](int, int) { return random() % 50 == 0; }));
  }
}
