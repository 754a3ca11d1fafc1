// Distances to a mask's edge.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "runtime/cli/distance.h"

using namespace maskrt::cli;

TEST_CASE("The distance field equals a search over all pixels") {
  std::mt19937 random(7);
  for (const auto& [width, height] : {std::pair(1, 1), {1, 9}, {13, 1}, {17, 11}, {31, 32}}) {
    for (const int share : {0, 1, 5, 9, 10}) {  // tenths of the pixels that are set
      std::vector<std::uint8_t> bitmap(static_cast<std::size_t>(width * height));
      for (auto& pixel : bitmap) pixel = static_cast<int>(random() % 10) < share ? 1 : 0;
      const std::vector<float> got = signed_distance(bitmap, width, height);
      for (int i = 0; i < width * height; ++i) {
        double nearest = 1e12;
        for (int j = 0; j < width * height; ++j)
          if (bitmap[static_cast<std::size_t>(j)] != bitmap[static_cast<std::size_t>(i)])
            nearest = std::min(nearest, std::hypot(i % width - j % width, i / width - j / width));
        const double magnitude = nearest < 1e6 ? nearest - 0.5 : 1e6;
        const double want = bitmap[static_cast<std::size_t>(i)] != 0 ? magnitude : -magnitude;
        INFO(width << "x" << height << ", share " << share << ", pixel " << i);
        // sqrt of a whole number in float: one rounding each of root and difference.
        CHECK(got[static_cast<std::size_t>(i)] == Approx(want).epsilon(2.0f / (1 << 23)));
      }
    }
  }
}
