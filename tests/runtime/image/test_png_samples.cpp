// PNG files whose pixels are numbers: every kind as it is stored, against decoders of colours, and files made to hurt.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "maskrt/maskrt.hpp"
#include "runtime/image/inflate.h"
#include "runtime/image/png_areas.h"
#include "runtime/image/png_runs.h"
#include "runtime/image/png_samples.h"
#include "support/files.h"

namespace maskrt::image {
namespace {

using testing::read_text;

Bytes bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string error_of(Bytes file) {
  try {
    read_png_samples(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// Channels of the colours that a sample stands for; 0 where the two decoders differ in what they make.
int colour_channels(const PngSamples& picture) {
  if (picture.bits != 8) return 0;
  if (picture.type == PngType::grey) return 1;
  if (picture.type == PngType::rgb) return 3;
  return picture.type == PngType::rgba ? 4 : 0;
}

std::string inflated(const std::string& stream, std::size_t size) {
  std::vector<std::uint8_t> out(size);
  try {
    inflate(bytes_of(stream), out);
  } catch (const Error& error) {
    return error.what();
  }
  return {out.begin(), out.end()};
}

std::string hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return out;
}

}  // namespace

TEST_CASE("samples are the pixels that a decoder of colours makes") {
  std::size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MASKRT_TEST_DATA "/images")) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".png" || name == "deflate_bomb.png" || name == "huge.png") continue;
    CAPTURE(name);
    const std::string file = read_text(entry.path());
    if (name == "interlaced.png") {
      CHECK(error_of(bytes_of(file)) == "expected a PNG file that is not interlaced, found an interlaced one");
      continue;
    }
    const PngSamples picture = read_png_samples(bytes_of(file));
    const Image image = Image::from_bytes(bytes_of(file), {false});
    REQUIRE(picture.width == image.width());
    REQUIRE(picture.height == image.height());
    const int channels = colour_channels(picture);
    if (channels == 0) continue;
    bool equal = true;
    for (int y = 0; y < picture.height; ++y)
      for (int x = 0; x < picture.width; ++x)
        for (int c = 0; c < 3; ++c) {
          const int at = channels == 1 ? x : channels * x + c;
          equal = equal && picture.row(y)[at] == image.row(y)[3 * x + c];
        }
    CHECK(equal);
    ++compared;
  }
  CHECK(compared > 10);
}

TEST_CASE("samples come back from files of every kind as they were") {
  std::mt19937 random(1);
  struct Kind {
    int type, bits, channels;
    const char* name;
  };
  const Kind kinds[] = {{0, 1, 1, "1-bit grey"},
                        {0, 2, 1, "2-bit grey"},
                        {0, 4, 1, "4-bit grey"},
                        {0, 8, 1, "8-bit grey"},
                        {0, 16, 1, "16-bit grey"},
                        {3, 1, 1, "1-bit palette"},
                        {3, 8, 1, "8-bit palette"},
                        {2, 8, 3, "8-bit RGB"},
                        {2, 16, 3, "16-bit RGB"},
                        {6, 8, 4, "8-bit RGB with alpha"},
                        {4, 16, 2, "16-bit grey with alpha"}};
  const std::vector<std::uint8_t> palette(768, 7);
  for (const Kind& kind : kinds)
    for (const auto& [width, height] : {std::pair(1, 1), {7, 3}, {64, 65}, {300, 2}}) {
      CAPTURE(kind.name, width, height);
      const auto row = static_cast<std::size_t>((width * kind.channels * kind.bits + 7) / 8);
      std::vector<std::uint8_t> rows(row * static_cast<std::size_t>(height));
      for (std::uint8_t& byte : rows) byte = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : 90);
      const auto colours = kind.type == 3 ? std::span<const std::uint8_t>(palette) : std::span<const std::uint8_t>();
      const auto file = encode_areas(rows, width, height, kind.bits, kind.type, colours);
      const PngSamples read = read_png_samples(file);
      CHECK(read.width == width);
      CHECK(read.height == height);
      CHECK(read.kind() == kind.name);
      CHECK(read.rows == rows);
    }
}

TEST_CASE("single samples are taken out of bytes and pairs of bytes") {
  const std::vector<std::uint8_t> rows = {0b10110010, 0b01000000};
  const auto read = [&](int width, int bits) { return read_png_samples(encode_areas(rows, width, 1, bits, 0)); };
  const auto samples = [](const PngSamples& picture) {
    std::vector<int> values;
    for (int x = 0; x < picture.width; ++x) values.push_back(picture.sample(x, 0));
    return values;
  };
  CHECK(samples(read(10, 1)) == std::vector{1, 0, 1, 1, 0, 0, 1, 0, 0, 1});
  CHECK(samples(read(5, 2)) == std::vector{2, 3, 0, 2, 1});
  CHECK(samples(read(3, 4)) == std::vector{11, 2, 4});
  CHECK(samples(read(2, 8)) == std::vector{0xb2, 0x40});
  CHECK(samples(read(1, 16)) == std::vector{0xb240});
}

TEST_CASE("zlib streams of each kind of block") {
  // Stored, with the fixed codes, and with codes of its own ("abc" 200 times), as zlib writes them.
  CHECK(inflated(hex("7801010300fcff616263024d0127"), 3) == "abc");
  CHECK(inflated(hex("789c4b4c4a0600024d0127"), 3) == "abc");
  CHECK_THAT(inflated(hex("789c4b4c4a0600024d0128"), 3), Catch::Contains("incorrect data check"));
  CHECK_THAT(inflated(hex("789c4b4c4a0600024d0127"), 2), Catch::Contains("more of it than the picture has pixels"));
  CHECK_THAT(inflated(hex("789c4b4c4a0600024d0127"), 4), Catch::Contains("less of it than the picture has pixels"));
  CHECK(inflated(hex("789c4b4c4a0600024d01270000"), 3) == "abc");  // what follows the checksum is passed over
  const std::string whole = hex("789c4b4c4a0600024d0127");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_THAT(inflated(whole.substr(0, size), 3), Catch::Contains("an early end"));
  }
  CHECK_THAT(inflated(hex("78bb024d01274b4c4a0600024d0127"), 3), Catch::Contains("needs a dictionary"));
  CHECK_THAT(inflated(hex("789d4b4c4a0600024d0127"), 3), Catch::Contains("incorrect header check"));
  CHECK_THAT(inflated(hex("7801010300fcfe616263024d0127"), 3), Catch::Contains("invalid stored block lengths"));
  CHECK_THAT(inflated(hex("789c0700"), 3), Catch::Contains("invalid block type"));
}

TEST_CASE("runs of bytes are zlib streams of them") {
  std::mt19937 random(6);
  for (const std::size_t longest : {1u, 4u, 12u, 260u, 900u, 70000u}) {
    std::string wanted;
    std::vector<std::byte> stream;
    RunDeflate deflate(stream);
    for (int run = 0; run < 300; ++run) {
      const std::size_t length = 1 + random() % longest;
      const auto value = static_cast<std::uint8_t>(random());
      deflate.run(value, static_cast<std::int64_t>(length));
      wanted.append(length, static_cast<char>(value));
    }
    deflate.finish();
    CHECK(inflated({reinterpret_cast<const char*>(stream.data()), stream.size()}, wanted.size()) == wanted);
  }
}

TEST_CASE("damaged files are errors, or pictures") {
  for (const char* const name : {"rgb.png", "palette.png", "grey16.png", "bilevel.png"}) {
    CAPTURE(name);
    const std::string whole = read_text(std::string(MASKRT_TEST_DATA "/images/") + name);
    for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 200) {
      CAPTURE(size);
      CHECK(error_of(bytes_of(whole.substr(0, size))) != "no error");
    }
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
      std::string damaged = whole;
      for (unsigned damages = 1 + random() % 3; damages > 0; --damages)
        damaged[random() % damaged.size()] = static_cast<char>(random());
      CHECK_FALSE(error_of(bytes_of(damaged)).empty());
    }
  }
  const std::string bomb = read_text(MASKRT_TEST_DATA "/images/deflate_bomb.png");
  CHECK(error_of(bytes_of(bomb)) != "no error");
  CHECK(error_of(bytes_of(read_text(MASKRT_TEST_DATA "/images/huge.png"))) != "no error");
  CHECK(
      error_of(bytes_of(read_text(MASKRT_TEST_DATA "/hostile/image/expands_25000_times.png"))) ==
      "expected a picture of this size in a file of at least 4194304 bytes, found 16384 x 16384 pixels in 32697 bytes");
}

TEST_CASE("damaged zlib data end in an error or in as many bytes") {
  const std::string file = read_text(MASKRT_TEST_DATA "/images/rgb.png");
  const std::size_t at = file.find("IDAT") + 4;
  std::mt19937 random(9);
  std::vector<std::uint8_t> out(std::size_t{3} * 100 * 100);
  for (int round = 0; round < 2000; ++round) {
    std::string stream = file.substr(at, 400 + random() % 2000);
    for (unsigned damages = 1 + random() % 4; damages > 0; --damages)
      stream[2 + random() % (stream.size() - 2)] = static_cast<char>(random());
    CHECK_THROWS_AS(inflate(bytes_of(stream), out), Error);
  }
}

}  // namespace maskrt::image
