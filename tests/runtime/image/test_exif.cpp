// Which way up a picture is: EXIF's and XMP's orientation, as Pillow finds it.
#include <catch2/catch.hpp>

#include "maskrt/maskrt.hpp"
#include "pixels_of.h"
#include "runtime/image/exif.h"
#include "support/checksum.h"
#include "support/files.h"

namespace maskrt {
namespace {

const std::string folder = MASKRT_TEST_DATA "/images/";

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

}  // namespace
}  // namespace maskrt
