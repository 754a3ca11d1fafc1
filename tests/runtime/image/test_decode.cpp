// Pictures of every kind against Pillow's reading of them, and pixels that stay the caller's.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "maskrt/maskrt.hpp"
#include "runtime/image/exif.h"
#include "runtime/image/open_image_library.h"
#include "support/checksum.h"
#include "support/files.h"

namespace maskrt {
namespace {

const std::string folder = MASKRT_TEST_DATA "/images/";

std::vector<std::uint8_t> pixels_of(const Image& image) {
  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < image.height(); ++y) {
    pixels.insert(pixels.end(), image.row(y), image.row(y) + static_cast<std::ptrdiff_t>(image.width()) * 3);
  }
  return pixels;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::span<const std::uint8_t> as_unsigned(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The last `count` bytes of a number, the highest first.
std::string big(std::size_t number, int count) {
  std::string bytes;
  while (count-- > 0) bytes += static_cast<char>(number >> 8 * count & 0xff);
  return bytes;
}

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

TEST_CASE("the EXIF orientation is applied, or left alone when asked") {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    INFO("orientation " << orientation);
    const std::string path = folder + "orientation" + std::to_string(orientation) + ".png";
    const Image raw = Image::from_file(path, {.exif_orientation = false});
    const Image first = Image::from_file(folder + "orientation1.png");
    CHECK(pixels_of(raw) == pixels_of(first));
    CHECK((Image::from_file(path).width() == raw.height()) == (orientation >= 5));
  }
  const Image raw = Image::from_file(folder + "orientation6.jpg", {.exif_orientation = false});
  CHECK(Image::from_file(folder + "orientation6.jpg").width() == raw.height());
}

TEST_CASE("EXIF's orientation is what Pillow 13 finds, in either byte order and in every type") {
  const auto orientation = [](std::string_view exif) { return image::exif_orientation(bytes_of(exif)); };
  using namespace std::literals;
  CHECK(orientation("II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"sv) == 6);
  CHECK(orientation("MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1\0\7\0\0"sv) == 7);
  CHECK(orientation("II\0*\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"sv) == 6);
  CHECK(orientation("Exif\0\0Exif\0\0MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1\0\7\0\0"sv) == 7);
  for (const char type : "\3\4\6\10\11\15"sv)
    CHECK(orientation("II*\0\10\0\0\0\1\0\x12\1"s + type + "\0\1\0\0\0\6\0\0\0"s) == 6);
  // Bytes, text and fractions are no numbers to it, and values from 1 to 8 alone mean something.
  for (const char type : "\1\2\7"sv)
    CHECK(orientation("II*\0\10\0\0\0\1\0\x12\1"s + type + "\0\1\0\0\0\6\0\0\0"s) == 1);
  CHECK(orientation("MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1\0\11\0\0"sv) == 1);
  // Another tag first; two values; three, which lie elsewhere.
  CHECK(orientation("MM\0*\0\0\0\10\0\2\1\x0f\0\3\0\0\0\1\0\1\0\0\1\x12\0\3\0\0\0\1\0\5\0\0"sv) == 5);
  CHECK(orientation("MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\2\0\7\0\3"sv) == 7);
  CHECK(orientation("MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\3\0\0\0\x16\0\4\0\1\0\1"sv) == 4);
  // No such tag: none, no value, an unknown type, values or a directory beyond the end.
  CHECK(orientation(""sv) == std::nullopt);
  CHECK(orientation("II*\0\10\0\0\0\0\0"sv) == std::nullopt);
  CHECK(orientation("MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\0\0\6\0\0"sv) == std::nullopt);
  CHECK(orientation("MM\0*\0\0\0\10\0\1\1\x12\0\x63\0\0\0\1\0\6\0\0"sv) == std::nullopt);
  CHECK(orientation("MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\3\0\0\0\x16\0\4"sv) == std::nullopt);
  CHECK(orientation("MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1\0\6"sv) == std::nullopt);
  CHECK(orientation("MM\0*\xff\xff\xff\xff\0\1"sv) == std::nullopt);
  // Not EXIF.
  CHECK(orientation("XX*\0\10\0\0\0\0\0"sv) == 1);
  CHECK(orientation("II+\0\10\0\0\0\0\0"sv) == 1);
  CHECK(orientation("II*\0"sv) == 1);
}

TEST_CASE("XMP's orientation is the first that is written as Pillow looks for it") {
  const auto orientation = [](std::string_view xmp) { return image::xmp_orientation(bytes_of(xmp)); };
  CHECK(orientation("<rdf:Description tiff:Orientation=\"6\"/>") == 6);
  CHECK(orientation("<tiff:Orientation>8</tiff:Orientation>") == 8);
  CHECK(orientation("tiff:Orientation='3' tiff:Orientation=\"5\"") == 5);
  CHECK(orientation("tiff:Orientation=\"x tiff:Orientation>2") == 2);
  CHECK(orientation("tiff:Orientation=\"16\"") == 1);
  CHECK(orientation("tiff:Orientation=\"9\"") == 1);
  CHECK(orientation("tiff:Orientation=\"") == std::nullopt);
  CHECK(orientation("") == std::nullopt);
}

TEST_CASE("files are turned as EXIF says, or where that says nothing XMP") {
  using namespace std::string_literals;
  const std::string exif3 = "Exif\0\0II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\3\0\0\0"s, untagged = "II*\0\10\0\0\0\0\0"s;
  const std::string xmp6 = "tiff:Orientation=\"6\"", xmp3 = "tiff:Orientation=\"3\"";
  const auto turned = [](const std::string& file) {
    const Image image = Image::from_bytes(bytes_of(file)), raw = Image::from_bytes(bytes_of(file), {false});
    REQUIRE(raw.width() != raw.height());
    if (image.width() == raw.height()) return 6;
    return pixels_of(image) == pixels_of(raw) ? 1 : 3;
  };

  const std::string jpeg = testing::read_text(folder + "baseline_444.jpg");
  const auto with_segments = [&](std::initializer_list<std::string> contents, std::size_t at = 2) {
    std::string segments;
    for (const std::string& content : contents) {
      segments += "\xff\xe1" + big(content.size() + 2, 2) + content;
    }
    return jpeg.substr(0, at) + segments + jpeg.substr(at);
  };
  const std::string space = "http://ns.adobe.com/xap/1.0/\0"s;
  CHECK(turned(jpeg) == 1);
  CHECK(turned(with_segments({space + xmp6})) == 6);
  CHECK(turned(with_segments({space + xmp3, space + xmp6})) == 6);
  CHECK(turned(with_segments({exif3, space + xmp6})) == 3);
  CHECK(turned(with_segments({space + xmp6, "Exif\0\0"s, exif3})) == 3);
  CHECK(turned(with_segments({"Exif\0\0"s + untagged, space + xmp6})) == 6);
  CHECK(turned(with_segments({"Exif\0\0damaged"s, space + xmp6})) == 1);
  CHECK(turned(with_segments({space + xmp6}, jpeg.size() - 2)) == 1);  // behind the pixels

  const std::string png = testing::read_text(folder + "rgb.png");
  const auto with_chunks = [&](std::initializer_list<std::string> contents, const char* before = "IDAT") {
    std::string chunks;
    for (const std::string& content : contents)
      chunks += big(content.size() - 4, 4) + content + big(testing::crc32(as_unsigned(content)), 4);
    const std::size_t at = png.find(before) - 4;
    return png.substr(0, at) + chunks + png.substr(at);
  };
  const std::string keyword = "XML:com.adobe.xmp\0"s;
  CHECK(turned(png) == 1);
  CHECK(turned(with_chunks({"iTXt" + keyword + "\0\0\0\0"s + xmp6})) == 6);
  CHECK(turned(with_chunks({"iTXt" + keyword + "\0\0en\0title\0"s + xmp6}, "IEND")) == 6);
  CHECK(turned(with_chunks({"tEXt" + keyword + xmp6})) == 6);
  CHECK(turned(with_chunks({"tEXtComment\0"s + xmp6})) == 1);
  CHECK(turned(with_chunks({"iTXt" + keyword + "\0\0\0"s + xmp6})) == 1);    // no second keyword
  CHECK(turned(with_chunks({"iTXt" + keyword + "\1\0\0\0"s + xmp6})) == 1);  // said to be compressed
  CHECK(turned(with_chunks({"eXIf" + exif3, "tEXt" + keyword + xmp6})) == 3);
  CHECK(turned(with_chunks({"eXIf" + untagged, "tEXt" + keyword + xmp6})) == 6);
}

TEST_CASE("a file in memory is read as the file is") {
  const std::string bytes = testing::read_text(folder + "rgb.png");
  const Image image = Image::from_bytes(std::as_bytes(std::span(bytes.data(), bytes.size())));
  CHECK(pixels_of(image) == pixels_of(Image::from_file(folder + "rgb.png")));
}

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
