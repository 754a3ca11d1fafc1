// The resize against Pillow's own output, and the CPU's loops against the plain ones.
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/preprocess/preprocess.h"
#include "owned_tensor.h"
#include "support/checksum.h"
#include "testing/mask_scenes.h"

namespace maskrt::kernels {
namespace {

using testing::crc32;
using testing::OwnedTensor;
using testing::Uniform;
using Resize = void (*)(const std::uint8_t*, int, int, int, std::uint8_t*, int, int);

/// The picture that tests/data/resize/cases.json describes: half noise, half ramps.
std::vector<std::uint8_t> pattern(std::uint32_t width, std::uint32_t height) {
  std::vector<std::uint8_t> pixels;
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      for (std::uint32_t c = 0; c < 3; ++c) {
        const std::uint32_t mixed = (x * 73856093u) ^ (y * 19349663u) ^ (c * 83492791u);
        const std::uint32_t noise = mixed ^ (mixed >> 13), ramp = (x * 3 + y * 5 + c * 40) / 2;
        pixels.push_back(static_cast<std::uint8_t>(((x / 16 + y / 16) & 1) == 1 ? noise : ramp));
      }
    }
  }
  return pixels;
}

std::vector<std::uint8_t> random_bytes(std::size_t count, std::uint64_t seed) {
  Uniform uniform(seed);
  std::vector<std::uint8_t> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(256 * uniform());
  return bytes;
}

TEST_CASE("the resize is Pillow's, bit for bit") {
  const bool plain = GENERATE(true, false);
  const Resize version = plain ? resize_pillow_ref : resize_pillow_cpu;
  const auto file = nlohmann::json::parse(std::ifstream(MASKRT_TEST_DATA "/resize/cases.json"));
  REQUIRE(file.at("cases").size() > 20);
  for (const auto& one : file.at("cases")) {
    const int width = one.at("width"), height = one.at("height");
    const int out_width = one.at("out_width"), out_height = one.at("out_height");
    INFO((plain ? "plain" : "CPU") << " loops, " << width << " x " << height << " to " << out_width << " x "
                                   << out_height);
    const auto in = pattern(static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height));
    REQUIRE(crc32(in) == one.at("input_crc32").get<std::uint32_t>());
    std::vector<std::uint8_t> out(static_cast<std::size_t>(out_width) * out_height * 3);
    version(in.data(), width, height, 3, out.data(), out_width, out_height);
    const std::vector<int> want = one.at("first_row");
    for (std::size_t i = 0; i < want.size(); ++i) {
      INFO("byte " << i << " of the first row");
      REQUIRE(static_cast<int>(out[i]) == want[i]);
    }
    CHECK(crc32(out) == one.at("output_crc32").get<std::uint32_t>());
  }
}

TEST_CASE("the CPU's resize equals the plain one at ragged sizes and every number of channels") {
  struct Case {
    int width, height, out_width, out_height;
  };
  const auto size = GENERATE(values<Case>({{1, 1, 1, 1},
                                           {1, 1, 100, 100},
                                           {1, 5000, 3, 17},
                                           {5000, 1, 17, 3},
                                           {5000, 1, 5000, 100},
                                           {2, 3, 200, 300},
                                           {15, 16, 17, 31},
                                           {16, 33, 16, 32},
                                           {31, 64, 33, 64},
                                           {65, 63, 64, 66},
                                           {300, 7, 1, 1},
                                           {129, 257, 33, 65}}));
  const int channels = GENERATE(1, 2, 3, 4);
  INFO(size.width << " x " << size.height << " to " << size.out_width << " x " << size.out_height << ", " << channels
                  << " channels");
  const auto in = random_bytes(static_cast<std::size_t>(size.width) * size.height * channels, 3);
  std::vector<std::uint8_t> got(static_cast<std::size_t>(size.out_width) * size.out_height * channels, 1), want = got;
  resize_pillow_cpu(in.data(), size.width, size.height, channels, got.data(), size.out_width, size.out_height);
  resize_pillow_ref(in.data(), size.width, size.height, channels, want.data(), size.out_width, size.out_height);
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] != want[i]) FAIL("byte " << i << ": got " << int{got[i]} << ", want " << int{want[i]} << ", bound 0");
  }
}

/// A picture in memory, its rows any distance apart, with the first row anywhere.
struct Picture {
  std::vector<std::uint8_t> bytes;
  Pixels pixels;
};

Picture picture(int width, int height, PixelOrder order, std::ptrdiff_t spare, bool bottom_up) {
  Picture p;
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(width) * bytes_of_pixel(order) + spare;
  p.bytes = random_bytes(static_cast<std::size_t>(row * height), 9);
  p.pixels = {p.bytes.data() + (bottom_up ? row * (height - 1) : 0), width, height, bottom_up ? -row : row, order};
  return p;
}

TEST_CASE("the input is normalised, then padded, in every layout, order and type") {
  const int block = GENERATE(1, 3, 8, 16);
  const auto type = GENERATE(DataType::f32, DataType::bf16);
  const auto order = GENERATE(PixelOrder::rgb, PixelOrder::bgr, PixelOrder::grey);
  const bool rgb = GENERATE(true, false), bottom_up = GENERATE(false, true);
  INFO("block " << block << ", " << name_of(type) << ", order " << static_cast<int>(order) << ", rgb " << rgb
                << ", bottom up " << bottom_up);
  constexpr int width = 37, height = 41, in_width = 50, in_height = 29;
  const Picture p = picture(in_width, in_height, order, 5, bottom_up);
  const Normalisation normalisation{rgb, {123.675f, 116.28f, 103.53f}, {58.395f, 57.12f, 57.375f}};
  OwnedTensor got(type, 2, 64, 40, 3, block), want(type, 2, 64, 40, 3, block);
  got.poison();
  want.poison();
  preprocess_cpu(p.pixels, width, height, normalisation, *got, 1);
  preprocess_ref(p.pixels, width, height, normalisation, *want, 1);
  got.require_intact();
  want.require_intact();

  const int channels = bytes_of_pixel(order);
  std::vector<std::uint8_t> dense_rows, resized(static_cast<std::size_t>(width) * height * channels);
  for (int y = 0; y < in_height; ++y) {
    const std::uint8_t* row = p.pixels.data + y * p.pixels.row_stride;
    dense_rows.insert(dense_rows.end(), row, row + in_width * channels);
  }
  resize_pillow_ref(dense_rows.data(), in_width, in_height, channels, resized.data(), width, height);

  for_each_element(padded(*want), [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) {
    if (b != 1) return;
    float value = 0;
    if (y < height && x < width && c < 3) {
      const bool swap = (order == PixelOrder::rgb) != rgb;
      const std::int64_t source = channels == 1 ? 0 : swap ? 2 - c : c;
      value = (static_cast<float>(resized[static_cast<std::size_t>((y * width + x) * channels + source)]) -
               normalisation.mean[c]) /
              normalisation.std[c];
      if (type == DataType::bf16) value = float_from_bf16(bf16_from_float(value));
    }
    const float defined = get(padded(*want), b, y, x, c), computed = get(padded(*got), b, y, x, c);
    if (defined != value || computed != value) {
      FAIL("y " << y << ", x " << x << ", channel " << c << ": got " << computed << " (CPU) and " << defined
                << " (plain), want " << value << ", bound 0");
    }
  });
}

TEST_CASE("the image beside the one that is filled stays as it was") {
  OwnedTensor out(DataType::f32, 2, 8, 8, 3, 1);
  out.fill(1);
  const float before = get(*out, 0, 7, 7, 2);
  const Picture p = picture(4, 4, PixelOrder::rgb, 0, false);
  preprocess_cpu(p.pixels, 8, 8, {}, *out, 1);
  CHECK(get(*out, 0, 7, 7, 2) == before);
}

TEST_CASE("a picture that does not fit is refused") {
  OwnedTensor out(DataType::f32, 1, 8, 8, 3, 1);
  const Picture p = picture(4, 4, PixelOrder::rgb, 0, false);
  for (const auto preprocess : {preprocess_ref, preprocess_cpu}) {
    CHECK_THROWS_WITH(preprocess(p.pixels, 9, 8, {}, *out, 0),
                      Catch::Contains("9 x 8") && Catch::Contains("8 x 8 x 3"));
    CHECK_THROWS_AS(preprocess(p.pixels, 8, 0, {}, *out, 0), Error);
    CHECK_THROWS_AS(preprocess(Pixels{}, 8, 8, {}, *out, 0), Error);
  }
  out.require_intact();
}

}  // namespace
}  // namespace maskrt::kernels
