// Semantic and panoptic results as they are drawn.
#include <catch2/catch.hpp>
#include <cmath>

#include "drawn_masks.h"
#include "runtime/cli/label_point.h"
#include "runtime/cli/palette.h"
#include "runtime/cli/segment_drawings.h"

using namespace maskrt;
using namespace maskrt::cli;
using namespace maskrt::testing;
using namespace maskrt::label_maps;

namespace {

/// A map of 120 x 90 by what is at each pixel.
template <typename Map, typename At>
Map map_of(const At& at) {
  Map map;
  map.width = 120;
  map.height = 90;
  for (int y = 0; y < 90; ++y)
    for (int x = 0; x < 120; ++x)
      if constexpr (std::is_same_v<Map, LabelMap>)
        map.labels.push_back(static_cast<std::uint16_t>(at(x, y)));
      else
        map.ids.push_back(static_cast<std::uint32_t>(at(x, y)));
  return map;
}

}  // namespace

TEST_CASE("classes are drawn in their colours, named in the middle, the largest first") {
  LabelClasses table = cityscapes_classes();
  table.classes[1].color = {};
  const auto map = map_of<LabelMap>([](int x, int y) { return y < 20 ? 255 : x < 80 ? 13 : y < 85 ? 1 : 255; });
  const std::vector<Drawing> drawings = drawings_of(map, table.indices, table);
  REQUIRE(drawings.size() == 2);
  CHECK(drawings[0].name == "car");
  CHECK(drawings[0].score.empty());
  CHECK(drawings[0].centred);
  CHECK(drawings[0].color == Color{0, 0, 142});
  CHECK(drawings[0].mask.area() == 80 * 70);
  CHECK(drawings[0].box.x == 0);
  CHECK(drawings[0].box.y == 20);
  CHECK(drawings[0].box.width == 80);
  CHECK(drawings[0].box.height == 70);
  CHECK(drawings[0].mask.at(79, 89));
  CHECK_FALSE(drawings[0].mask.at(80, 89));
  CHECK(drawings[1].name == "sidewalk");
  CHECK(drawings[1].color == class_color({}, 1));
  CHECK(drawings[1].mask.area() == 40 * 65);

  // By ids, the same.
  const auto in_ids = map_of<LabelMap>([](int x, int y) { return y < 20 ? 4 : x < 80 ? 26 : y < 85 ? 8 : 0; });
  CHECK(drawings_of(in_ids, table.ids, table).at(1).mask.area() == 40 * 65);
}

TEST_CASE("things are drawn above stuff, with colours and scores of their own") {
  std::vector<PanopticCategory> categories(3);
  categories[0] = {1, "cat", true, {9, 9, 9}};
  categories[1] = {90, "sky", false, {70, 130, 180}};
  categories[2] = {91, "road", false, {}};
  const auto map = map_of<SegmentMap>([](int x, int y) {
    return y < 60 ? (x < 20 ? 500 : x < 50 ? 70000 : 7) : x < 110 ? 8 : 0;
  });
  std::vector<SegmentInfo> segments(4);
  segments[0] = {500, 0, false, {}, 0.876};
  segments[1] = {7, 1, false, {}, 0.5};
  segments[2] = {8, 2, false, {}, {}};
  segments[3] = {70000, 0, false, {}, {}};
  const std::vector<Drawing> drawings = drawings_of(map, segments, categories);
  REQUIRE(drawings.size() == 4);
  CHECK(drawings[0].name == "sky");
  CHECK(drawings[0].color == Color{70, 130, 180});
  CHECK(drawings[0].score.empty());
  CHECK(drawings[0].centred);
  CHECK(drawings[1].name == "road");
  CHECK(drawings[1].color == class_color({}, 2));
  CHECK(drawings[2].name == "cat");
  CHECK(drawings[2].mask.area() == 30 * 60);
  CHECK_FALSE(drawings[2].centred);
  CHECK(drawings[2].score.empty());
  CHECK(drawings[3].score == "0.88");
  CHECK(drawings[3].box.width == 20);
  CHECK(difference(drawings[2].color, drawings[3].color) > 60);

  segments.pop_back();
  CHECK_THROWS_WITH(drawings_of(map, segments, categories), Catch::Contains("found none for 70000"));
}

TEST_CASE("labels of areas lie over their middles") {
  Canvas canvas(400, 300, kGrey);
  Drawing area = rectangle(canvas, {50, 40, 300, 240}, "grass", kRed);
  area.centred = true;
  const Pixel deep = deep_point(area.mask, area.box);
  CHECK(std::abs(deep.x - 200) <= 40);
  CHECK(std::abs(deep.y - 160) <= 20);
  Canvas plain = canvas;
  draw_overlay(canvas, std::vector{area});
  area.name.clear();
  draw_overlay(plain, std::vector{area});
  int top = 300, bottom = -1;
  for (int y = 0; y < 300; ++y)
    for (int x = 0; x < 400; ++x)
      if (canvas.at(x, y) != plain.at(x, y)) {
        top = std::min(top, y);
        bottom = std::max(bottom, y);
      }
  REQUIRE(bottom > top);
  CHECK(std::abs((top + bottom) / 2 - deep.y) <= 2);
}

TEST_CASE("of many segments the largest are drawn") {
  const auto map = map_of<SegmentMap>([](int x, int y) { return y == 0 ? 1 : y * 120 + x; });
  std::vector<SegmentInfo> segments;
  for (std::uint32_t id = 1; id < 90 * 120; ++id)
    if (id == 1 || id >= 120) segments.push_back({id, 0, false, {}, {}});
  const std::vector<Drawing> drawings = drawings_of(map, segments, {label_maps::PanopticCategory{1, "dot", true, {}}});
  CHECK(drawings.size() == kMostDrawnSegments);
  CHECK(drawings[0].mask.area() == 120);
}

TEST_CASE("a network's results are drawn alike") {
  std::vector<Category> categories(3);
  categories[1].name = "sky";
  categories[1].color[2] = 200;
  const auto at = [](int x, int y) { return y < 60 ? (x < 20 ? 0 : 1) : -1; };
  SemanticMap semantic;
  PanopticMap panoptic;
  semantic.width = panoptic.width = 120;
  semantic.height = panoptic.height = 90;
  for (int y = 0; y < 90; ++y)
    for (int x = 0; x < 120; ++x) {
      semantic.class_ids.push_back(at(x, y));
      panoptic.ids.push_back(at(x, y) + 1);
    }
  const std::vector<Drawing> areas = drawings_of(semantic, categories);
  REQUIRE(areas.size() == 2);
  CHECK(areas[0].name == "sky");
  CHECK(areas[0].color == Color{0, 0, 200});
  CHECK(areas[0].mask.area() == 100 * 60);

  panoptic.segments.resize(2);
  panoptic.segments[0].id = 1;
  panoptic.segments[0].score = 0.5f;
  panoptic.segments[0].class_id = 2;
  panoptic.segments[0].label = "cat";
  panoptic.segments[1].id = 2;
  panoptic.segments[1].class_id = 1;
  panoptic.segments[1].label = "sky";
  panoptic.segments[1].is_thing = false;
  const std::vector<Drawing> drawings = drawings_of(panoptic, categories);
  REQUIRE(drawings.size() == 2);
  CHECK(drawings[0].name == "sky");
  CHECK(drawings[0].color == Color{0, 0, 200});
  CHECK(drawings[0].centred);
  CHECK(drawings[1].name == "cat");
  CHECK(drawings[1].score == "0.50");
}
