// Run-length masks against pycocotools, and strings and polygons that mean harm.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "runtime/mask/rle.h"
#include "support/plain_polygon.h"

namespace maskrt::rle {
namespace {

const nlohmann::json& cases() {
  static const auto file = nlohmann::json::parse(std::ifstream(MASKRT_TEST_DATA "/rle/cases.json"));
  return file;
}

std::vector<Runs> masks_of(const nlohmann::json& list) {
  std::vector<Runs> masks;
  for (const auto& one : list) {
    masks.push_back(from_string(one.at("size")[0], one.at("size")[1], one.at("counts").get<std::string>()));
  }
  return masks;
}

void require_equal(const PairMatrix& got, const nlohmann::json& want) {
  REQUIRE(got.detections == want.size());
  for (std::size_t d = 0; d < want.size(); ++d) {
    REQUIRE(got.truths == want[d].size());
    for (std::size_t g = 0; g < want[d].size(); ++g) {
      INFO("detection " << d << ", truth " << g);
      CHECK(got.at(d, g) == want[d][g].get<double>());
    }
  }
}

TEST_CASE("every form of a mask is pycocotools'") {
  for (const auto& one : cases().at("masks")) {
    const int height = one.at("size")[0], width = one.at("size")[1];
    INFO(height << " x " << width);
    const std::string text = one.at("counts");
    const std::vector<std::uint32_t> counts = one.at("runs");
    const Runs runs = from_string(height, width, text);
    CHECK(runs.counts == counts);
    CHECK(from_counts(height, width, counts) == runs);
    CHECK(to_string(runs) == text);
    CHECK(area(runs) == one.at("area").get<std::int64_t>());
    CHECK(bounding_box(runs) == one.at("bbox").get<BoxXywh>());
    const auto words = to_bits(runs);
    CHECK(from_bits(height, width, words, (height + 63) / 64) == runs);
    CHECK(string_from_bits(height, width, words, (height + 63) / 64) == text);
    CHECK(from_bitmap(height, width, to_bitmap(runs)) == runs);
  }
}

TEST_CASE("columns may have words to spare, and bits below the last row do not count") {
  const std::vector<std::uint64_t> words = {0xfu, ~std::uint64_t{0}, 0x3u, 7};
  CHECK(from_bits(3, 2, words, 2).counts == std::vector<std::uint32_t>{0, 5, 1});
}

TEST_CASE("polygons are filled as pycocotools fills them") {
  for (const auto& one : cases().at("polygons")) {
    const int height = one.at("size")[0], width = one.at("size")[1];
    const std::vector<std::vector<double>> polygons = one.at("polygons");
    INFO(height << " x " << width << ", " << one.at("polygons").dump());
    CHECK(to_string(from_polygons(height, width, polygons)) == one.at("counts").get<std::string>());
    for (std::size_t i = 0; i < polygons.size(); ++i) {
      CHECK(to_string(from_polygon(height, width, polygons[i])) == one.at("parts")[i].get<std::string>());
    }
  }
}

TEST_CASE("merges and overlaps are pycocotools'") {
  for (const auto& one : cases().at("merges")) {
    const Merge how = one.at("intersect").get<bool>() ? Merge::intersect : Merge::unite;
    CHECK(to_string(merge(masks_of(one.at("masks")), how)) == one.at("counts").get<std::string>());
  }
  for (const auto& one : cases().at("overlaps")) {
    const std::vector<std::uint8_t> crowd = one.at("crowd");
    require_equal(iou(masks_of(one.at("detections")), masks_of(one.at("truths")), crowd), one.at("iou"));
  }
  for (const auto& one : cases().at("boxes")) {
    const std::vector<BoxXywh> detections = one.at("detections"), truths = one.at("truths");
    const std::vector<std::uint8_t> crowd = one.at("crowd");
    require_equal(iou(detections, truths, crowd), one.at("iou"));
  }
}

TEST_CASE("sizes that differ, and nothing at all") {
  const Runs small = from_counts(2, 2, std::vector<std::uint32_t>{0, 4});
  const Runs large = from_counts(3, 2, std::vector<std::uint32_t>{0, 6});
  CHECK(iou(std::vector{small}, std::vector{large}, {}).at(0, 0) == -1);
  CHECK_THROWS_WITH(merge(std::vector{small, large}, Merge::unite),
                    Catch::Contains("2 x 2") && Catch::Contains("3 x 2"));
  CHECK(merge({}, Merge::unite) == Runs{});
  CHECK(iou(std::vector<Runs>{}, std::vector{large}, {}).values.empty());
  CHECK(area(from_polygons(4, 5, {})) == 0);
  CHECK(area(from_polygon(4, 5, {})) == 0);
  CHECK(from_string(0, 0, "").counts.empty());
  CHECK(bounding_box(from_string(0, 7, "0")) == BoxXywh{0, 0, 0, 0});
  CHECK_THROWS_AS(iou(std::vector{small}, std::vector{small}, std::vector<std::uint8_t>{0, 1}), Error);
}

TEST_CASE("runs of length 0 in between are joined away") {
  const std::vector<std::uint32_t> counts = {2, 0, 3, 1, 0, 2, 0};
  CHECK(from_counts(2, 4, counts).counts == std::vector<std::uint32_t>{5, 3});
  const std::vector<std::uint32_t> leading = {0, 0, 1, 7};
  CHECK(from_counts(2, 4, leading).counts == std::vector<std::uint32_t>{1, 7});
}

TEST_CASE("strings that are no masks are refused") {
  CHECK_THROWS_WITH(from_string(2, 2, "5"), Catch::Contains("2 x 2 = 4"));
  CHECK_THROWS_WITH(from_string(2, 2, "3"), Catch::Contains("found 3"));
  CHECK_THROWS_WITH(from_string(2, 2, ""), Catch::Contains("found 0"));
  CHECK_THROWS_WITH(from_string(2, 2, "4 "), Catch::Contains("code 32"));
  CHECK_THROWS_WITH(from_string(2, 2, "4\xff"), Catch::Contains("code 255"));
  CHECK_THROWS_WITH(from_string(2, 2, "o"), Catch::Contains("the end"));
  CHECK_THROWS_WITH(from_string(2, 2, "oooooooooo0"), Catch::Contains("longer"));
  CHECK_THROWS_WITH(from_string(2, 2, "O"), Catch::Contains("-1"));  // a negative count
  CHECK_THROWS_AS(from_string(1 << 20, 1 << 20, "0"), Error);
  CHECK_THROWS_AS(from_string(-1, 4, "0"), Error);
  CHECK_THROWS_AS(from_string(1, std::numeric_limits<int>::max(), "0"), Error);
  const std::vector<std::uint32_t> overflowing = {0xffffffffu, 0xffffffffu, 6};
  CHECK_THROWS_AS(from_counts(2, 2, overflowing), Error);
  // Any two characters: an error or a mask of the size.
  for (int a = 1; a < 256; ++a) {
    for (int b = 1; b < 256; ++b) {
      const char text[] = {static_cast<char>(a), static_cast<char>(b)};
      try {
        const Runs runs = from_string(5, 7, {text, 2});
        CHECK(to_bitmap(runs).size() == 35);
      } catch (const Error&) {
        SUCCEED();
      }
    }
  }
}

TEST_CASE("runs filled by hand cannot reach outside") {
  const Runs wild{3, 3, {1, 4000000000u, 5, 4000000000u}};
  CHECK(to_bitmap(wild).size() == 9);
  CHECK(to_bits(wild).size() == 3);
  CHECK(bounding_box(wild) == BoxXywh{0, 0, 3, 3});
  CHECK(iou(std::vector{wild}, std::vector{wild}, {}).at(0, 0) == 1);
}

TEST_CASE("outlines are what walking along them gives, wherever they lie") {
  std::mt19937 random(11);
  const auto between = [&](int low, int high) { return low + static_cast<int>(random() % unsigned(high - low + 1)); };
  for (int round = 0; round < 2000; ++round) {
    const int height = between(1, 40), width = between(1, 40), corners = between(1, 7);
    // Inside, around, and far outside of the picture; on a grid that meets pixel centres, and off it.
    const int reach = round % 3 == 0 ? 0 : round % 3 == 1 ? 30 : 900;
    const double step = round % 2 == 0 ? 0.5 : 0.37;
    std::vector<double> xy;
    for (int i = 0; i < corners; ++i) {
      xy.push_back(step * between(-reach, static_cast<int>(width / step) + reach));
      xy.push_back(step * between(-reach, static_cast<int>(height / step) + reach));
    }
    CAPTURE(height, width, xy);
    REQUIRE(from_polygon(height, width, xy) == testing::plain_polygon(height, width, xy));
  }
}

TEST_CASE("the union of many outlines is that of their pixels") {
  std::mt19937 random(12);
  for (const std::size_t count : {1u, 2u, 3u, 7u, 8u, 33u}) {
    std::vector<std::vector<double>> polygons(count);
    std::vector<std::uint8_t> united(20 * 30);
    for (auto& polygon : polygons) {
      for (int i = 0; i < 6; ++i) polygon.push_back(static_cast<double>(random() % 30));
      const auto bitmap = to_bitmap(from_polygon(20, 30, polygon));
      for (std::size_t i = 0; i < united.size(); ++i) united[i] |= bitmap[i];
    }
    CHECK(from_polygons(20, 30, polygons) == from_bitmap(20, 30, united));
  }
}

TEST_CASE("boxes and overlaps are those of the pixels, for masks of few runs and of many") {
  std::mt19937 random(13);
  constexpr int height = 23, width = 31;
  std::vector<Runs> masks;
  for (int i = 0; i < 24; ++i) {
    std::vector<std::uint8_t> bitmap(height * width);
    if (i % 2 == 0) {  // about one run
      const std::size_t begin = random() % bitmap.size(), end = begin + random() % (bitmap.size() - begin);
      for (std::size_t p = begin; p < end; ++p) bitmap[p % height * width + p / height] = 1;
    } else {
      for (auto& pixel : bitmap) pixel = random() % 3 == 0;
    }
    masks.push_back(from_bitmap(height, width, bitmap));
  }
  const std::vector<std::uint8_t> crowds = [&] {
    std::vector<std::uint8_t> flags(masks.size());
    for (auto& flag : flags) flag = random() % 2;
    return flags;
  }();
  const PairMatrix overlaps = iou(masks, masks, crowds);
  for (std::size_t d = 0; d < masks.size(); ++d) {
    const auto detection = to_bitmap(masks[d]);
    int left = width, right = -1, top = height, bottom = -1;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        if (detection[static_cast<std::size_t>(y * width + x)] != 0) {
          left = std::min(left, x), right = std::max(right, x), top = std::min(top, y), bottom = std::max(bottom, y);
        }
    const BoxXywh box = right < 0
                            ? BoxXywh{0, 0, 0, 0}
                            : BoxXywh{double(left), double(top), double(right - left + 1), double(bottom - top + 1)};
    CHECK(bounding_box(masks[d]) == box);
    for (std::size_t g = 0; g < masks.size(); ++g) {
      const auto truth = to_bitmap(masks[g]);
      double both = 0, either = 0, own = 0;
      for (std::size_t p = 0; p < truth.size(); ++p) {
        both += detection[p] & truth[p];
        either += detection[p] | truth[p];
        own += detection[p];
      }
      CAPTURE(d, g);
      CHECK(overlaps.at(d, g) == (both == 0 ? 0 : both / (crowds[g] != 0 ? own : either)));
    }
  }
}

TEST_CASE("polygons that are none are refused, far ones are cut off") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH(from_polygon(4, 4, std::vector<double>{1, 2, 3}), Catch::Contains("3 numbers"));
  CHECK_THROWS_AS(from_polygon(4, 4, std::vector<double>{1, 2, infinity, 3, 4, 5}), Error);
  CHECK_THROWS_AS(from_polygon(4, 4, std::vector<double>{1, 2, std::nan(""), 3, 4, 5}), Error);
  CHECK_THROWS_WITH(from_polygon(4, 4, std::vector<double>{1, 2, 1e9, 3, 4, 5}), Catch::Contains("2^20"));
  const std::vector<double> around = {-1000, -1000, 1000, -1000, 1000, 1000, -1000, 1000};
  CHECK(area(from_polygon(6, 9, around)) == 54);
}

TEST_CASE("a polygon that crosses itself a million times stays small") {
  std::vector<double> zigzag;
  for (int i = 0; i < 40000; ++i) {
    zigzag.push_back(i % 2 == 0 ? -1 : 41);
    zigzag.push_back(i % 30);
  }
  CHECK(from_polygon(30, 40, zigzag).counts.size() <= 1201);
}

}  // namespace
}  // namespace maskrt::rle
