// Pictures that are drawn on.
#include <catch2/catch.hpp>
#include <random>

#include "maskrt/maskrt.hpp"
#include "runtime/cli/canvas.h"
#include "runtime/cli/png.h"

using namespace maskrt;
using namespace maskrt::cli;

TEST_CASE("A canvas takes pixels of every format, and PNG gives them back") {
  const std::uint8_t bgr[] = {1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12};  // two pixels a row, rows 8 bytes apart
  const Canvas turned(Image::from_pixels(bgr, 2, 2, PixelFormat::bgr, 8));
  CHECK(turned.rgb() == std::vector<std::uint8_t>{3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10});
  const std::uint8_t levels[] = {0, 128, 255};
  CHECK(Canvas(Image::from_pixels(levels, 3, 1, PixelFormat::grey)).rgb() ==
        std::vector<std::uint8_t>{0, 0, 0, 128, 128, 128, 255, 255, 255});

  std::mt19937 random(5);
  std::vector<std::uint8_t> noise(37 * 23 * 3);
  for (auto& value : noise) value = static_cast<std::uint8_t>(random());
  const Canvas decoded(Image::from_bytes(encode_png(noise, 37, 23, 3)));
  CHECK(decoded.width() == 37);
  CHECK(decoded.rgb() == noise);
}
