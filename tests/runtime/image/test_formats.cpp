// Pictures of every format and of many irregular kinds, as Pillow reads them, with the image library's decoders and
// without.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "maskrt/maskrt.hpp"
#include "runtime/image/decode.h"
#include "runtime/image/exif.h"
#include "support/checksum.h"
#include "support/files.h"

#if MASKRT_IMAGES
extern "C" const MaskrtImageLibrary* maskrt_image_library(std::uint32_t version);
#endif

namespace maskrt {
namespace {

const std::string folder = MASKRT_TEST_DATA "/images/formats/";

const MaskrtImageLibrary* library() {
#if MASKRT_IMAGES
  return maskrt_image_library(MASKRT_IMAGE_LIBRARY_VERSION);
#else
  return nullptr;
#endif
}

/// The picture upright. Throws Error.
image::Raster decoded(const std::string& file, const MaskrtImageLibrary* by) {
  const image::Bytes bytes = std::as_bytes(std::span(file.data(), file.size()));
  const image::Header header = image::read_header(bytes);
  const auto rgb = image::decode(bytes, header, by);
  return image::oriented(rgb.get(), static_cast<int>(header.width), static_cast<int>(header.height),
                         header.orientation);
}

struct Expected {
  std::string file;
  int width = 0, height = 0;
  std::uint32_t crc32 = 0;
  int tolerance = 0;  ///< without the library, in levels
  bool needs_library = false, refused_without = false;
};

std::vector<Expected> expected_pictures() {
  std::vector<Expected> all;
  for (const auto& one : nlohmann::json::parse(std::ifstream(folder + "expected.json"))) {
    Expected picture;
    picture.file = one.at("file");
    picture.width = one.at("width");
    picture.height = one.at("height");
    picture.crc32 = one.at("crc32");
    picture.tolerance = one.value("tolerance", 0);
    picture.needs_library = one.value("needs_library", false);
    picture.refused_without = one.contains("without_library");
    all.push_back(picture);
  }
  REQUIRE(all.size() > 130);
  return all;
}

void check(const image::Raster& got, const Expected& want) {
  REQUIRE(got.width == want.width);
  REQUIRE(got.height == want.height);
  CHECK(testing::crc32(got.pixels) == want.crc32);
}

TEST_CASE("libmaskrt_images.so makes the pixels that Pillow makes") {
  if (library() == nullptr) return;
  for (const Expected& picture : expected_pictures()) {
    INFO(picture.file);
    check(decoded(testing::read_text(folder + picture.file), library()), picture);
  }
}

TEST_CASE("without the library, pictures are the same or differ by what stb_image rounds otherwise") {
  for (const Expected& picture : expected_pictures()) {
    INFO(picture.file);
    const std::string file = testing::read_text(folder + picture.file);
    if (picture.needs_library) continue;
    if (picture.refused_without) {
      CHECK_THROWS_AS(decoded(file, nullptr), Error);
    } else if (picture.tolerance == 0) {
      check(decoded(file, nullptr), picture);
    } else if (library() != nullptr) {
      const image::Raster got = decoded(file, nullptr), want = decoded(file, library());
      REQUIRE(got.pixels.size() == want.pixels.size());
      for (std::size_t i = 0; i < want.pixels.size(); ++i)
        if (std::abs(got.pixels[i] - want.pixels[i]) > picture.tolerance)
          FAIL("byte " << i << ": got " << int{got.pixels[i]} << ", want " << int{want.pixels[i]} << ", bound "
                       << picture.tolerance);
    }
  }
}

TEST_CASE("where the library is missing, pictures that need it say so") {
  ::setenv("MASKRT_IMAGES", "none", 1);  // before the first picture of this program that might open it
  int checked = 0;
  for (const Expected& picture : expected_pictures()) {
    if (!picture.needs_library) continue;
    ++checked;
    CHECK_THROWS_WITH(Image::from_file(folder + picture.file),
                      Catch::Contains(picture.file) && Catch::Contains("libmaskrt_images.so") &&
                          (Catch::Contains("found a WebP picture") || Catch::Contains("found a TIFF picture") ||
                           Catch::Contains("found an arithmetic-coded JPEG")));
  }
  CHECK(checked > 40);
}

TEST_CASE("files of other formats are named as what they are") {
  using namespace std::string_literals;
  const auto reason = [](const std::string& file) -> std::string {
    try {
      decoded(file + std::string(64, ' '), library());
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const std::pair<std::string, const char*> files[] = {
      {"\0\0\0\x18"s + "ftypheic\0\0\0\0mif1heic"s, "found a HEIC picture"},
      {"\0\0\0\x18"s + "ftypmif1\0\0\0\0mif1avif"s, "found an AVIF picture"},
      {"\0\0\0\x18"s + "ftypmif1\0\0\0\0mif1heic"s, "found a HEIC picture"},
      {"\0\0\0\x18"s + "ftypcrx \0\0\0\1crx isom"s, "found a camera's raw picture (CR3)"},
      {"\0\0\0\x14"s + "ftypqt  \0\0\2\0qt  "s, "found a QuickTime video"},
      {"\0\0\0\x18"s + "ftypisom\0\0\2\0isomavc1"s, "found an MP4 video"},
      {"\0\0\0\x0cjP  \r\n\x87\n"s, "found a JPEG 2000 picture"},
      {"\xff\x4f\xff\x51\0\x2f"s, "found a JPEG 2000 picture"},
      {"\xff\x0a\xfa\x1f"s, "found a JPEG XL picture"},
      {"\0\0\0\x0cJXL \r\n\x87\n"s, "found a JPEG XL picture"},
      {"8BPS\0\1"s, "found a Photoshop document"},
      {"<svg xmlns='http://www.w3.org/2000/svg'/>"s, "found an SVG picture"},
      {"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<svg/>"s, "found an SVG picture"},
      {"%PDF-1.7\n"s, "found a PDF document"},
      {"II*\0\x10\0\0\0CR\2\0"s, "found a camera's raw picture (CR2)"},
      {"II*\0\x08\0\0\0\1\0\x12\xc6\1\0\4\0\0\0\1\4\0\0\0\0\0\0"s, "found a camera's raw picture (DNG)"},
      {"MM\0*\0\0\0\x08\0\2\0\xfe\0\4\0\0\0\1\0\0\0\1\1\x4a\0\4\0\0\0\1\0\0\0\x20\0\0\0\0"s,
       "found a camera's raw picture behind a preview"},
      {"\0\0\1\0\1\0\x10\x10"s, "found a Windows icon"},
      {"RIFF\x24\0\0\0AVI LIST"s, "found an AVI video"},
      {"\x1a\x45\xdf\xa3\x9f"s, "found a Matroska or WebM video"},
      {"\n <!DOCTYPE HTML><html><head>"s, "found an HTML page"},
      {"<html><body>404"s, "found an HTML page"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 3\n"s, "found a Git LFS pointer"},
      {"\0\5\x16\7\0\2\0\0Mac OS X"s, "found an AppleDouble file"},
      {"P7\nWIDTH 1"s, "found a PAM picture"},
      {"Pf 1 1 -1.0\n"s, "found a PFM picture"},
      {"PK\3\4"s, "found a zip archive"},
      {"hello"s, "found other first bytes"},
  };
  for (const auto& [file, name] : files) CHECK_THAT(reason(file), Catch::Contains(name));
  CHECK_THROWS_WITH(decoded("", library()), Catch::Contains("found no bytes"));
  CHECK_THROWS_WITH(decoded(std::string(512, '\0'), library()), Catch::Contains("nothing but zeros"));
}

TEST_CASE("what a TIFF may claim is bounded by the file") {
  using namespace std::string_literals;
  const auto little = [](std::size_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xff);
    return text;
  };
  const auto entry = [&](std::size_t tag, std::size_t type, std::size_t count, std::size_t value) {
    return little(tag, 2) + little(type, 2) + little(count, 4) + little(value, 4);
  };
  const auto tiff = [&](const std::string& entries, std::size_t count) {
    return "II*\0\x08\0\0\0"s + little(count, 2) + entries + little(0, 4) + std::string(4096, 'x');
  };
  const auto size = [&](std::size_t width, std::size_t height) {
    return entry(256, 4, 1, width) + entry(257, 4, 1, height);
  };
  CHECK_THROWS_WITH(decoded(tiff(size(70000, 70000), 2), library()), Catch::Contains("70000 x 70000"));
  CHECK_THROWS_WITH(decoded(tiff(size(16000, 16000), 2), library()), Catch::Contains("16000 x 16000"));
  CHECK_THROWS_WITH(decoded(tiff(size(0, 16), 2), library()), Catch::Contains("0 x 16"));
  std::string many;
  for (std::size_t i = 0; i < 1001; ++i) many += entry(40000 + i, 4, 1, 0);
  CHECK_THROWS_WITH(decoded(tiff(many, 1001), library()), Catch::Contains("1000 entries"));
  std::string shared = size(8, 8);
  for (std::size_t i = 0; i < 10; ++i) shared += entry(40000 + i, 1, 4096, 100);
  CHECK_THROWS_WITH(decoded(tiff(shared, 12), library()), Catch::Contains("twice the file's"));
  if (library() == nullptr) return;
  // 200 strips over the same 4000 bytes; a tile of 2^30 bytes.
  std::string strips = "II*\0"s + little(4096 + 1600, 4) + std::string(4088, 'x');
  for (int i = 0; i < 200; ++i) strips += little(8, 4);
  for (int i = 0; i < 200; ++i) strips += little(4000, 4);
  const auto with_entries = [&](const std::string& file, const std::string& entries, std::size_t count) {
    return file + little(count, 2) + entries + little(0, 4);
  };
  const std::string grey = entry(258, 3, 1, 8) + entry(259, 3, 1, 1) + entry(262, 3, 1, 1);
  CHECK_THROWS_WITH(decoded(with_entries(strips,
                                         size(4000, 200) + grey + entry(273, 4, 200, 4096) + entry(277, 3, 1, 1) +
                                             entry(278, 4, 1, 1) + entry(279, 4, 200, 4096 + 800),
                                         9),
                            library()),
                    Catch::Contains("lie over each other"));
  const std::string tile = "II*\0"s + little(72, 4) + std::string(64, 'x');
  CHECK_THROWS_WITH(decoded(with_entries(tile,
                                         size(16, 16) + grey + entry(277, 3, 1, 1) + entry(322, 4, 1, 32768) +
                                             entry(323, 4, 1, 32768) + entry(324, 4, 1, 8) + entry(325, 4, 1, 64),
                                         10),
                            library()),
                    Catch::Contains("damaged or of a kind not supported"));
}

}  // namespace
}  // namespace maskrt
