// Broken pictures: each ends in an error that names the file and the reason, or in a picture; under sanitizers too.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "maskrt/maskrt.hpp"
#include "pixels_of.h"
#include "support/checksum.h"
#include "support/files.h"
#include "testing/mask_scenes.h"

namespace maskrt {
namespace {

const std::string folder = MASKRT_TEST_DATA "/images/";

Image decode(const std::string& bytes) {
  return Image::from_bytes(std::as_bytes(std::span(bytes.data(), bytes.size())), {}, "broken");
}

std::string reason_of(const std::string& bytes) {
  try {
    decode(bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// Every picture is read to its last byte, or refused by name.
bool survives(const std::string& bytes) {
  try {
    const Image image = decode(bytes);
    std::int64_t sum = 0;
    for (int y = 0; y < image.height(); ++y) {
      for (int i = 0; i < 3 * image.width(); ++i) sum += image.row(y)[i];
    }
    return sum >= 0;
  } catch (const Error& error) {
    return std::string_view(error.what()).starts_with("broken: ");
  }
}

/// Paths below the folder of pictures that can be read as they are.
std::vector<std::string> pictures() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (!entry.is_regular_file() || extension == ".json" || extension == ".md") continue;
    if (entry.path().stem() == "deflate_bomb" || !reason_of(testing::read_text(entry.path())).empty()) continue;
    names.push_back(std::filesystem::relative(entry.path(), folder));
  }
  REQUIRE(names.size() > 100);
  std::sort(names.begin(), names.end());
  return names;
}

bool is_refused_or_whole(const std::string& bytes, const std::vector<std::uint8_t>& whole) {
  try {
    return pixels_of(decode(bytes)) == whole;
  } catch (const Error& error) {
    return std::string_view(error.what()).starts_with("broken: ");
  }
}

/// Gives every chunk of a PNG the checksum of what it holds now, so that the damage reaches the decoder.
void repair_checksums(std::string& png) {
  const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<std::uint8_t>(png[i])}; };
  for (std::size_t chunk = 8; chunk + 12 <= png.size();) {
    const std::size_t length = byte(chunk) << 24 | byte(chunk + 1) << 16 | byte(chunk + 2) << 8 | byte(chunk + 3);
    if (length > png.size() - chunk - 12) return;
    const auto* data = reinterpret_cast<const std::uint8_t*>(png.data()) + chunk + 4;
    const std::uint32_t checksum = testing::crc32({data, length + 4});
    for (std::size_t i = 0; i < 4; ++i) png[chunk + 8 + length + i] = static_cast<char>(checksum >> (24 - 8 * i));
    chunk += 12 + length;
  }
}

TEST_CASE("a truncated picture is refused, wherever it ends, unless all of its pixels are there") {
  for (const std::string& name : pictures()) {
    if (name == "formats/tiff_turned_by_xmp.tif") continue;  // its last bytes alone say that it is turned
    const std::string whole = testing::read_text(folder + name);
    const auto pixels = pixels_of(decode(whole));
    // The last number of plain text is one without its last digit, too.
    const bool plain = name.starts_with("formats/pnm_p2") || name.starts_with("formats/pnm_p3");
    for (std::size_t size = 0; size < whole.size(); size += 1 + size / 32) {
      INFO(name << " cut to " << size << " of " << whole.size() << " bytes");
      REQUIRE(is_refused_or_whole(whole.substr(0, size), pixels));
    }
    for (std::size_t cut = plain ? 6 : 1; cut < std::min<std::size_t>(whole.size(), 24); ++cut) {
      INFO(name << " without its last " << cut << " bytes");
      REQUIRE(is_refused_or_whole(whole.substr(0, whole.size() - cut), pixels));
    }
  }
  const std::string jpeg = testing::read_text(folder + "baseline_444.jpg"),
                    png = testing::read_text(folder + "rgb.png");
  CHECK_THAT(reason_of(jpeg.substr(0, jpeg.size() / 2)), Catch::Contains("truncated"));
  CHECK_THAT(reason_of(jpeg.substr(0, jpeg.size() - 2)), Catch::Contains("truncated"));
  CHECK_THAT(reason_of(png.substr(0, png.size() / 2)), Catch::StartsWith("broken: "));
}

TEST_CASE("bit flips end in an error or in a picture") {
  testing::Uniform uniform(17);
  for (const std::string& name : pictures()) {
    const std::string whole = testing::read_text(folder + name);
    const int rounds = name.starts_with("formats/") ? 40 : 150;
    for (int round = 0; round < rounds; ++round) {
      std::string damaged = whole;
      const int flips = 1 + static_cast<int>(8 * uniform());
      for (int i = 0; i < flips; ++i) {
        // Half of them near the start, where the headers and tables are.
        const std::size_t reach = uniform() < 0.5f ? damaged.size() : std::min<std::size_t>(damaged.size(), 400);
        const auto at = static_cast<std::size_t>(uniform() * static_cast<float>(reach));
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << static_cast<int>(8 * uniform())));
      }
      if (round % 2 == 0 && name.ends_with(".png")) repair_checksums(damaged);
      INFO(name << ", round " << round);
      REQUIRE(survives(damaged));
    }
  }
}

TEST_CASE("a flipped bit in a PNG's pixels is seen") {
  std::string png = testing::read_text(folder + "rgb.png");
  const std::size_t data = png.find("IDAT") + 10;
  png[data] = static_cast<char>(png[data] ^ 4);
  CHECK_THAT(reason_of(png), Catch::Contains("checksum"));
}

TEST_CASE("sizes that a header merely claims take no memory") {
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  CHECK_THAT(reason_of(testing::read_text(folder + "huge.png")), Catch::Contains("60000 x 60000"));
  CHECK_THAT(reason_of("P6 100000 100000 255\n"), Catch::Contains("100000 x 100000"));
  CHECK_THAT(reason_of("P5 16000 16000 255\nabc"), Catch::Contains("truncated"));
  CHECK_THAT(reason_of("P5 99999999999999999999999999 1 255\n "), Catch::Contains("width"));

  std::string jpeg = testing::read_text(folder + "baseline_444.jpg");
  const std::size_t frame = jpeg.find("\xff\xc0");
  REQUIRE(frame != std::string::npos);
  jpeg.replace(frame + 5, 4, "\x3f\xff\x3f\xff");  // 16383 x 16383
  CHECK_THAT(reason_of(jpeg), Catch::Contains("16383 x 16383"));

  std::string bmp = testing::read_text(folder + "rgb.bmp");
  bmp.replace(18, 8, std::string("\x00\x40\x00\x00\x00\x3f\x00\x00", 8));
  CHECK_THAT(reason_of(bmp), Catch::Contains("truncated"));
  bmp.replace(18, 8, std::string("\x01\x00\x00\x00\x00\x00\x00\x80", 8));  // a height of -2^31
  CHECK_THAT(reason_of(bmp), Catch::StartsWith("broken: "));

  // 16 MB behind 10 x 10 pixels.
  CHECK(survives(testing::read_text(folder + "deflate_bomb.png")));
  getrusage(RUSAGE_SELF, &after);
  CHECK(after.ru_maxrss - before.ru_maxrss < 64 * 1024);  // kilobytes
}

TEST_CASE("what is no picture is named") {
  const testing::TemporaryFolder scratch;
  CHECK_THROWS_WITH(Image::from_file(scratch / "missing.jpg"),
                    Catch::Contains("missing.jpg") && Catch::Contains("No such file"));
  CHECK_THROWS_WITH(Image::from_file(scratch.path()), Catch::Contains(scratch.path().string()));
  testing::write_text(scratch / "empty.png", "");
  CHECK_THROWS_WITH(Image::from_file(scratch / "empty.png"), Catch::Contains("no bytes"));
  testing::write_text(scratch / "text.jpg", "this is text");
  CHECK_THROWS_WITH(Image::from_file(scratch / "text.jpg"), Catch::Contains("text.jpg") && Catch::Contains("PNG"));
  testing::write_text(scratch / "picture.jpg", "GIF89a\x01\x01");
  CHECK_THROWS_WITH(Image::from_file(scratch / "picture.jpg"), Catch::Contains("the GIF file is truncated"));
}

TEST_CASE("JPEG kinds that the decoder does not know are named") {
  const std::string whole = testing::read_text(folder + "baseline_444.jpg");
  const std::size_t frame = whole.find("\xff\xc0");
  std::string lossless = whole, deep = whole, twice = whole, two = whole;
  lossless[frame + 1] = '\xc3';
  CHECK_THAT(reason_of(lossless), Catch::Contains("lossless"));
  two[frame + 9] = 2;
  CHECK_THAT(reason_of(two), Catch::Contains("components"));
  deep[frame + 4] = 12;
  CHECK_THAT(reason_of(deep), Catch::Contains("12"));
  twice.insert(frame, whole.substr(frame, 19));
  CHECK_THAT(reason_of(twice), Catch::Contains("second"));
  CHECK_THAT(reason_of("\xff\xd8\xff\xd9"), Catch::Contains("scan"));
}

TEST_CASE("damaged EXIF blocks leave the picture upright") {
  const std::string whole = testing::read_text(folder + "orientation6.jpg");
  const std::size_t tiff = whole.find("Exif") + 6;
  const Image upright = Image::from_file(folder + "orientation6.jpg", {.exif_orientation = false});
  for (const std::size_t at : {tiff, tiff + 2, tiff + 4, tiff + 5, tiff + 7}) {
    std::string damaged = whole;
    damaged[at] = '\x7f';
    INFO("byte " << at - tiff << " of the TIFF header");
    CHECK(decode(damaged).width() == upright.width());
  }
}

}  // namespace
}  // namespace maskrt
