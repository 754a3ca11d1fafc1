// Pixels that stay the caller's.
#include <catch2/catch.hpp>
#include <vector>

#include "maskrt/maskrt.hpp"

namespace maskrt {
namespace {

TEST_CASE("the caller's pixels are looked at in place, rows any distance apart") {
  std::vector<std::uint8_t> pixels(40);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i);
  const Image dense = Image::from_pixels(pixels.data(), 2, 3, PixelFormat::bgr);
  CHECK(dense.format() == PixelFormat::bgr);
  CHECK(dense.row(2) == pixels.data() + 12);
  const Image apart = Image::from_pixels(pixels.data(), 5, 4, PixelFormat::grey, 9);
  CHECK(apart.row(3)[0] == 27);
  const Image bottom_up = Image::from_pixels(pixels.data() + 20, 3, 3, PixelFormat::rgb, -10);
  CHECK(bottom_up.row(2) == pixels.data());
  const Image copy = bottom_up;
  CHECK(copy.row(0) == bottom_up.row(0));
}

TEST_CASE("pixels that cannot be are refused") {
  const std::uint8_t pixels[64] = {};
  CHECK_THROWS_WITH(Image::from_pixels(nullptr, 2, 2, PixelFormat::rgb), Catch::Contains("null"));
  CHECK_THROWS_WITH(Image::from_pixels(pixels, 0, 2, PixelFormat::rgb), Catch::Contains("0 x 2"));
  CHECK_THROWS_WITH(Image::from_pixels(pixels, 2, -1, PixelFormat::rgb), Catch::Contains("2 x -1"));
  CHECK_THROWS_WITH(Image::from_pixels(pixels, 4, 2, PixelFormat::rgb, 11),
                    Catch::Contains("12 bytes") && Catch::Contains("11"));
  CHECK_THROWS_WITH(Image::from_pixels(pixels, 4, 2, PixelFormat::rgb, -11), Catch::Contains("-11"));
  CHECK_NOTHROW(Image::from_pixels(pixels, 4, 2, PixelFormat::grey, 4));
}

}  // namespace
}  // namespace maskrt
