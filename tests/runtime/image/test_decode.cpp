// Pictures of every kind against Pillow's reading of them.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "maskrt/maskrt.hpp"
#include "pixels_of.h"
#include "runtime/image/open_image_library.h"
#include "support/checksum.h"
#include "support/files.h"

namespace maskrt {
namespace {

const std::string folder = MASKRT_TEST_DATA "/images/";

/// Looks at every picture that expected.json lists.
template <typename Check>
void for_each_picture(Check&& check) {
  const auto pictures = nlohmann::json::parse(std::ifstream(folder + "expected.json"));
  REQUIRE(pictures.size() > 30);
  for (const auto& picture : pictures) {
    INFO(picture.at("file").get<std::string>());
    check(picture);
  }
}

TEST_CASE("lossless pictures are read exactly, whatever their container and depth") {
  for_each_picture([](const nlohmann::json& picture) {
    if (!picture.contains("crc32")) return;
    const Image image = Image::from_file(folder + picture.at("file").get<std::string>());
    CHECK(image.format() == PixelFormat::rgb);
    REQUIRE(image.width() == picture.at("width").get<int>());
    REQUIRE(image.height() == picture.at("height").get<int>());
    CHECK(testing::crc32(pixels_of(image)) == picture.at("crc32").get<std::uint32_t>());
  });
}

TEST_CASE("JPEG pictures are as libjpeg reads them, and without the image library differ by rounding alone") {
  const bool exact = image::image_library() != nullptr;
  // Each decoder's inverse DCT is within a level of the exact one, so two differ by 2 in luma, and by 2 in chroma,
  // which counts up to 1.77 times; rounding makes 6 of it, and interpolated chroma 8.
  for_each_picture([&](const nlohmann::json& picture) {
    if (!picture.contains("pixels")) return;
    const Image image = Image::from_file(folder + picture.at("file").get<std::string>());
    const Image want = Image::from_file(folder + picture.at("pixels").get<std::string>());
    REQUIRE(image.width() == want.width());
    REQUIRE(image.height() == want.height());
    const int bound = exact ? 0 : picture.at("tolerance").get<int>();
    const int skipped = exact ? -1 : picture.value("skip_column", -1);
    for (int y = 0; y < want.height(); ++y) {
      for (int i = 0; i < 3 * want.width(); ++i) {
        if (i / 3 == skipped) continue;
        const int got = image.row(y)[i], expected = want.row(y)[i];
        if (std::abs(got - expected) > bound) {
          FAIL("row " << y << ", byte " << i << ": got " << got << ", want " << expected << ", bound " << bound);
        }
      }
    }
  });
}

TEST_CASE("a file in memory is read as the file is") {
  const std::string bytes = testing::read_text(folder + "rgb.png");
  const Image image = Image::from_bytes(std::as_bytes(std::span(bytes.data(), bytes.size())));
  CHECK(pixels_of(image) == pixels_of(Image::from_file(folder + "rgb.png")));
}

}  // namespace
}  // namespace maskrt
