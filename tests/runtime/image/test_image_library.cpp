// What libmaskrt_images.so writes, read back.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>

#include "maskrt/maskrt.hpp"
#include "runtime/image/open_image_library.h"

namespace maskrt {
namespace {

constexpr int kWidth = 37, kHeight = 21, kStride = 3 * kWidth + 5;

/// A soft picture, so that JPEG keeps it nearly as it is.
std::vector<std::uint8_t> soft_picture() {
  std::vector<std::uint8_t> pixels(std::size_t{kStride} * kHeight);
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      const auto at = static_cast<std::size_t>(kStride * y + 3 * x);
      pixels[at] = static_cast<std::uint8_t>(40 + 5 * x);
      pixels[at + 1] = static_cast<std::uint8_t>(220 - 8 * y);
      pixels[at + 2] = static_cast<std::uint8_t>(100 + 2 * x + 2 * y);
    }
  return pixels;
}

int largest_difference(const Image& image, const std::vector<std::uint8_t>& pixels) {
  REQUIRE(image.width() == kWidth);
  REQUIRE(image.height() == kHeight);
  int largest = 0;
  for (int y = 0; y < kHeight; ++y)
    for (int i = 0; i < 3 * kWidth; ++i)
      largest = std::max(largest, std::abs(image.row(y)[i] - pixels[static_cast<std::size_t>(kStride * y + i)]));
  return largest;
}

TEST_CASE("JPEG files of every subsampling hold the picture") {
  const auto pixels = soft_picture();
  std::size_t last = 1 << 20;
  for (const auto subsampling : {MASKRT_SUBSAMPLING_444, MASKRT_SUBSAMPLING_422, MASKRT_SUBSAMPLING_420}) {
    const auto file = image::encode_jpeg(pixels.data(), kWidth, kHeight, kStride, 95, subsampling);
    CHECK(largest_difference(Image::from_bytes(file), pixels) < 12);
    CHECK(file.size() < last);
    last = file.size();
  }
}

TEST_CASE("a JPEG file that outgrows its first memory is whole") {
  std::vector<std::uint8_t> noise(std::size_t{3} * 200 * 200);
  std::uint32_t state = 1;
  for (std::uint8_t& value : noise) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<std::uint8_t>(state >> 24);
  }
  const auto file = image::encode_jpeg(noise.data(), 200, 200, 600, 100, MASKRT_SUBSAMPLING_444);
  CHECK(file.size() > 200 * 200);
  CHECK(Image::from_bytes(file).width() == 200);
}

TEST_CASE("PNG files are exact at every level of compression") {
  const auto pixels = soft_picture();
  for (const int level : {0, 1, 9})
    CHECK(largest_difference(Image::from_bytes(image::encode_png(pixels.data(), kWidth, kHeight, kStride, level)),
                             pixels) == 0);
}

TEST_CASE("what cannot be encoded is refused with a reason") {
  const auto pixels = soft_picture();
  const auto jpeg = [&](int w, int quality, std::uint32_t subsampling) {
    return image::encode_jpeg(pixels.data(), w, 1, 0, quality, static_cast<MaskrtSubsampling>(subsampling));
  };
  CHECK_THROWS_WITH(jpeg(8, 101, 0), Catch::Contains("101"));
  CHECK_THROWS_WITH(jpeg(8, 0, 0), Catch::Contains("1 to 100"));
  CHECK_THROWS_WITH(jpeg(8, 90, 3), Catch::Contains("number 3"));
  CHECK_THROWS_WITH(jpeg(70000, 90, 0), Catch::Contains("70000"));
  CHECK_THROWS_WITH(image::encode_png(pixels.data(), 0, 1, 0, 1), Catch::Contains("libpng says"));
  CHECK_THROWS_WITH(image::encode_png(pixels.data(), 8, 1, 0, 10), Catch::Contains("10"));
}

}  // namespace
}  // namespace maskrt
