// Masks as products see them: one set of bits in every form.
#include <catch2/catch.hpp>

#include "runtime/mask/mask.h"
#include "runtime/mask/rle.h"
#include "testing/mask_scenes.h"

namespace maskrt {
namespace {

struct Picture {
  int width, height;
  std::vector<std::uint8_t> bitmap;  // row-major
  bool at(int x, int y) const {
    return x >= 0 && y >= 0 && x < width && y < height && bitmap[static_cast<std::size_t>(y * width + x)] != 0;
  }
};

Picture noise(int width, int height, float share, std::uint64_t seed) {
  testing::Uniform uniform(seed);
  Picture picture{width, height, {}};
  for (int i = 0; i < width * height; ++i) picture.bitmap.push_back(uniform() < share ? 1 : 0);
  return picture;
}

Mask mask_of(const Picture& picture) {
  kernels::MaskBits bits{picture.width, picture.height, (picture.height + 63) / 64, {}};
  bits.words.resize(static_cast<std::size_t>(bits.width * bits.words_per_column));
  std::int64_t area = 0;
  for (int x = 0; x < picture.width; ++x) {
    for (int y = 0; y < picture.height; ++y) {
      if (!picture.at(x, y)) continue;
      bits.words[static_cast<std::size_t>(x * bits.words_per_column + y / 64)] |= std::uint64_t{1} << (y % 64);
      ++area;
    }
  }
  return Mask(std::make_shared<Mask::Data>(std::move(bits), area));
}

/// Twice the area that a ring encloses, positive where it runs clockwise with y pointing down.
double doubled_area(const std::vector<Point>& ring) {
  double sum = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point &a = ring[i], &b = ring[(i + 1) % ring.size()];
    sum += static_cast<double>(a.x) * b.y - static_cast<double>(b.x) * a.y;
  }
  return sum;
}

TEST_CASE("a mask without a run is empty") {
  const Mask mask;
  CHECK(mask.width() == 0);
  CHECK(mask.height() == 0);
  CHECK(mask.area() == 0);
  CHECK(!mask.at(0, 0));
  CHECK(mask.bits().empty());
  CHECK(mask.bitmap().empty());
  CHECK(mask.polygon().empty());
  CHECK(mask.rle().width == 0);
}

TEST_CASE("a mask that came as run lengths is the same in every form") {
  for (const float share : {0.0f, 0.3f, 1.0f}) {
    const Mask of_bits = mask_of(noise(37, 70, share, 5));
    const Mask of_runs(std::make_shared<Mask::Data>(
        rle::from_bits(of_bits.height(), of_bits.width(), of_bits.bits(), of_bits.words_per_column()), of_bits.area()));
    CHECK(of_runs.width() == 37);
    CHECK(of_runs.height() == 70);
    CHECK(of_runs.area() == of_bits.area());
    CHECK(of_runs.words_per_column() == of_bits.words_per_column());
    CHECK(of_runs.rle().counts == of_bits.rle().counts);
    CHECK(of_runs.bitmap() == of_bits.bitmap());
    CHECK(std::equal(of_runs.bits().begin(), of_runs.bits().end(), of_bits.bits().begin(), of_bits.bits().end()));
  }
}

TEST_CASE("every form holds the same pixels") {
  struct Case {
    int width, height;
    float share;
  };
  const auto size = GENERATE(values<Case>({{1, 1, 1},
                                           {1, 1, 0},
                                           {7, 63, 0.5f},
                                           {5, 64, 0.5f},
                                           {5, 65, 0.5f},
                                           {3, 200, 0.9f},
                                           {90, 3, 0.1f},
                                           {9, 64, 1},
                                           {9, 65, 1},
                                           {40, 33, 0.5f}}));
  INFO(size.width << " x " << size.height << ", " << size.share);
  const Picture picture = noise(size.width, size.height, size.share, 4);
  const Mask mask = mask_of(picture);
  CHECK(mask.bitmap() == picture.bitmap);
  std::int64_t area = 0;
  for (int y = -1; y <= size.height; ++y) {
    for (int x = -1; x <= size.width; ++x) {
      if (mask.at(x, y) != picture.at(x, y)) FAIL("pixel " << x << ", " << y << ": want " << picture.at(x, y));
      area += picture.at(x, y) ? 1 : 0;
    }
  }
  CHECK(mask.area() == area);
  const Rle rle = mask.rle();
  CHECK(rle.width == size.width);
  CHECK(rle.height == size.height);
  CHECK(rle::to_bitmap(rle::from_string(rle.height, rle.width, rle.counts)) == picture.bitmap);
}

TEST_CASE("outlines of simple shapes") {
  // A frame three pixels wide, with a hole, and a pixel that touches it at a corner.
  const Picture picture{5, 4, {1, 1, 1, 0, 0,  //
                               1, 0, 1, 0, 0,  //
                               1, 1, 1, 0, 0,  //
                               0, 0, 0, 1, 0}};
  const auto rings = mask_of(picture).polygon();
  REQUIRE(rings.size() == 3);
  CHECK(rings[0].size() == 4);
  CHECK(doubled_area(rings[0]) == 18);  // the frame's outer outline
  CHECK(doubled_area(rings[1]) == -2);  // its hole, the other way round
  CHECK(doubled_area(rings[2]) == 2);   // the pixel: apart, for pixels are 4-connected
}

TEST_CASE("outlines enclose exactly the mask") {
  const float share = GENERATE(0.05f, 0.3f, 0.5f, 0.8f, 1.0f);
  const int height = GENERATE(1, 40, 64, 70);
  const Picture picture = noise(37, height, share, 8);
  const auto rings = mask_of(picture).polygon();
  // COCO's rasteriser is even-odd and exact on pixel edges, so the rings, one over the other, give the mask back.
  std::vector<std::uint8_t> drawn(picture.bitmap.size());
  double area = 0;
  for (const auto& ring : rings) {
    std::vector<double> xy;
    for (std::size_t i = 0; i < ring.size(); ++i) {
      const Point &a = ring[i], &b = ring[(i + 1) % ring.size()];
      REQUIRE((a.x == b.x) != (a.y == b.y));
      xy.push_back(a.x);
      xy.push_back(a.y);
    }
    area += doubled_area(ring) / 2;
    const auto filled = rle::to_bitmap(rle::from_polygon(picture.height, picture.width, xy));
    for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] ^= filled[i];
  }
  CHECK(drawn == picture.bitmap);
  CHECK(area == static_cast<double>(mask_of(picture).area()));
}

}  // namespace
}  // namespace maskrt
