// Panoptic results as files, which the evaluator reads back.
#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>

#include "map_folder.h"
#include "runtime/label_maps/panoptic_quality.h"
#include "runtime/label_maps/panoptic_writer.h"

namespace maskrt::label_maps {
namespace {

using nlohmann::json;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

}  // namespace

TEST_CASE("panoptic files have what COCO's format has, and read back") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "r");
  const SegmentMap map = segments("aa.b/aacb/...b");
  PanopticWriter writer(folder / "r.json", folder / "r");
  writer.add(encode_panoptic(
      139, "139.png", map,
      std::vector<SegmentToWrite>{{2, 7, true, 0.25f}, {1, coco::Id("sky"), false, {}}, {3, 7, true, 0.9f}}));
  writer.add(encode_panoptic(coco::Id("b\"\xff"), "b.png", segments("../.."), {}));
  CHECK_FALSE(std::filesystem::exists(folder / "r.json"));
  CHECK(read_segment_map(folder / "r/139.png").ids == map.ids);
  writer.finish();

  const json found = json::parse(read_text(folder / "r.json"));
  const json want = json::parse(R"({"annotations": [
    {"image_id": 139, "file_name": "139.png", "segments_info": [
      {"id": 2, "category_id": 7, "isthing": true, "bbox": [3, 0, 1, 3], "area": 3, "score": 0.25},
      {"id": 1, "category_id": "sky", "isthing": false, "bbox": [0, 0, 2, 2], "area": 4},
      {"id": 3, "category_id": 7, "isthing": true, "bbox": [2, 1, 1, 1], "area": 1, "score": 0.9}]},
    {"image_id": "b\"�", "file_name": "b.png", "segments_info": []}]})");
  CHECK(found == want);

  // As truths, with categories beside them, they are matched by themselves.
  json truths = found;
  truths["categories"] =
      json::parse(R"([{"id": 7, "name": "cat", "isthing": 1}, {"id": "sky", "name": "sky", "isthing": 0}])");
  write_text(folder / "t.json", truths.dump());
  const PanopticSet set = read_panoptic_annotations(folder / "t.json", folder / "r");
  const PanopticSet results = read_panoptic_results(folder / "r.json", set);
  CHECK(results.images[0].segments[0].score == Approx(0.25));
  const PanopticQuality quality = panoptic_quality(set, results);
  CHECK(quality.all.quality.pq == 1);
  CHECK(quality.categories[0].matches.matched == 2);
}

TEST_CASE("panoptic files: an empty list, and what was there before") {
  const TemporaryFolder folder;
  write_text(folder / "r.json", "before");
  { PanopticWriter writer(folder / "r.json", folder.path()); }
  CHECK(read_text(folder / "r.json") == "before");
  PanopticWriter writer(folder / "r.json", folder.path());
  writer.finish();
  CHECK(json::parse(read_text(folder / "r.json")) == json::parse(R"({"annotations": []})"));
}

TEST_CASE("panoptic files: what is done is kept when a map cannot be written") {
  const TemporaryFolder folder;
  PanopticWriter writer(folder / "r.json", folder.path());
  writer.add(encode_panoptic(1, "1.png", segments("."), {}));
  CHECK_THROWS_AS(writer.add(encode_panoptic(2, "none/2.png", segments("."), {})), graph::WriteError);
  CHECK(writer.keep() == 1);
  CHECK(json::parse(read_text(folder / "r.json")).at("annotations").size() == 1);
}

TEST_CASE("segments that are not as their map are refused") {
  const SegmentMap map = segments("ab");
  const auto error = [&](const std::vector<SegmentToWrite>& segments) {
    return error_of([&] { encode_panoptic(1, "1.png", map, segments); });
  };
  CHECK(error({{1, 1, true, {}}, {2, 1, true, {}}}) == "no error");
  CHECK(error({{1, 1, true, {}}}) == "expected a segment for each id in the map, found none for 2");
  CHECK(error({{1, 1, true, {}}, {1, 1, true, {}}}) == "expected segments of different ids, found 1 twice");
  CHECK(error({{1, 1, true, {}}, {2, 1, true, {}}, {3, 1, true, {}}}) ==
        "expected a pixel or more of each segment, found none of 3");
  CHECK(error({{1, 1, true, std::numeric_limits<double>::quiet_NaN()}, {2, 1, true, {}}}) ==
        "expected a finite score of segment 1, found one that is not");
}

TEST_CASE("a network's results are written alike") {
  PanopticMap panoptic;
  panoptic.width = 3;
  panoptic.height = 1;
  panoptic.ids = {2, 0, 1};
  panoptic.segments.resize(2);
  panoptic.segments[0].id = 1;
  panoptic.segments[0].category_id = 7;
  panoptic.segments[0].score = 0.5f;
  panoptic.segments[1].id = 2;
  panoptic.segments[1].category_id = 90;
  panoptic.segments[1].is_thing = false;
  const PanopticFile file = encode_panoptic(1, "1.png", panoptic);
  CHECK(json::parse(file.record) == json::parse(R"({"image_id": 1, "file_name": "1.png", "segments_info": [
    {"id": 1, "category_id": 7, "isthing": true, "bbox": [2, 0, 1, 1], "area": 1, "score": 0.5},
    {"id": 2, "category_id": 90, "isthing": false, "bbox": [0, 0, 1, 1], "area": 1}]})"));
  panoptic.ids[0] = -1;
  CHECK(error_of([&] { encode_panoptic(1, "1.png", panoptic); }) == "expected ids of segments from 0, found -1");

  SemanticMap semantic;
  semantic.width = 3;
  semantic.height = 1;
  semantic.class_ids = {0, -1, 18};
  CHECK(label_map_of(semantic, 19).labels == std::vector<std::uint16_t>{0, 255, 18});
  CHECK(label_map_of(semantic, 256).labels == std::vector<std::uint16_t>{0, 65535, 18});
  CHECK(error_of([&] { label_map_of(semantic, 18); }) == "expected classes below 18, or -1, found 18");
}

TEST_CASE("label maps are written whole or not at all") {
  const TemporaryFolder folder;
  const std::vector<ClassColor> colors(3);
  write_label_map(folder / "m.png", labels("012"), colors);
  const std::string before = read_text(folder / "m.png");
  CHECK_THROWS_AS(write_label_map(folder / "m.png", {1, 1, {256}}, colors), Error);
  CHECK(read_text(folder / "m.png") == before);
  CHECK(read_label_map(folder / "m.png").labels == labels("012").labels);
  CHECK_THROWS_AS(write_label_map(folder / "none/m.png", labels("012"), colors), Error);
}

}  // namespace maskrt::label_maps
