// `maskrt run --task`: label maps, maps of segments and what they are, drawings, and what a task has no form for.
#include <nlohmann/json.hpp>

#include "maskrt/maskrt.hpp"
#include "runtime/label_maps/maps.h"
#include "support/demo_command.h"
#include "support/fast_inst_command.h"

using namespace maskrt;
using Catch::Contains;
using namespace maskrt::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

ProcessResult run_task(const std::string& task, const Words& arguments) {
  return run_process(Words{MASKRT_COMMAND, "run", fast_inst_model(), "--device", "cpu", "--task", task} + arguments);
}

}  // namespace

TEST_CASE("run: semantic results are a label map for each picture, and its drawing") {
  TemporaryFolder folder;
  const ProcessResult ran = run_task("semantic", {demo_picture(0), demo_picture(1), "--semantic", folder / "made/maps",
                                                  "--overlay", folder / "drawn", "--batch", "2"});
  check_success(ran);
  CHECK_THAT(ran.out, Contains("000.jpg") && Contains("320x240") && Contains("2 images") && !Contains("detection"));
  CHECK(files_in(folder / "made/maps") == std::set<std::string>{"000.png", "001.png"});
  CHECK(files_in(folder / "drawn") == std::set<std::string>{"000.jpg", "001.jpg"});
  const label_maps::LabelMap map = label_maps::read_label_map(folder / "made/maps/000.png");
  CHECK(map.width == 320);
  CHECK(map.height == 240);
  for (const std::uint16_t label : map.labels) REQUIRE(label < 7);
}

TEST_CASE("run: panoptic results are COCO's maps, with what their segments are beside the folder or in --json") {
  TemporaryFolder folder;
  const bool named = GENERATE(false, true);
  const std::string maps = folder / "maps", list = named ? folder / "other/list.json" : folder / "maps.json";
  Words arguments = {demo_picture(0), demo_picture(3), "--panoptic", maps + "/", "--overlay", folder / "drawn"};
  if (named) arguments = arguments + Words{"--json", list};
  check_success(run_task("panoptic", arguments));
  CHECK(files_in(maps) == std::set<std::string>{"000.png", "003.png"});
  CHECK(files_in(folder / "drawn") == std::set<std::string>{"000.jpg", "003.jpg"});
  const json annotations = json::parse(read_text(list)).at("annotations");
  REQUIRE(annotations.size() == 2);
  CHECK(annotations[0].at("image_id") == 0);
  CHECK(annotations[1].at("image_id") == 3);
  std::size_t segments = 0;
  for (const json& image : annotations) {
    const label_maps::SegmentMap map = label_maps::read_segment_map(fs::path(maps) / image.at("file_name"));
    std::map<std::uint32_t, std::int64_t> areas;
    for (const std::uint32_t id : map.ids) ++areas[id];
    areas.erase(0);
    CHECK(areas.size() == image.at("segments_info").size());
    for (const json& segment : image.at("segments_info")) {
      ++segments;
      CHECK(segment.at("area") == areas.at(segment.at("id")));
      const int category = segment.at("category_id");
      CHECK(category >= 100);
      CHECK(category <= 106);
      const bool thing = category != 103 && category < 105;
      CHECK(segment.at("isthing") == thing);
      CHECK(segment.contains("score") == thing);
    }
  }
  CHECK(segments > 0);
}

TEST_CASE("run: without --task a model that finds all finds instances") {
  TemporaryFolder folder;
  const std::string list = folder / "r.json";
  check_success(run_process(
      {MASKRT_COMMAND, "run", fast_inst_model(), "--device", "cpu", demo_picture(0), "--json", list, "--quiet"}));
  const json results = json::parse(read_text(list));
  CHECK(!results.empty());
  for (const json& result : results) CHECK(result.at("segmentation").at("size") == json({240, 320}));
}

TEST_CASE("run: what a task has no form for, and a model that does not do it, are refused") {
  const std::string picture = demo_picture(0);
  const std::vector<std::pair<std::string, Words>> refused = {
      {"semantic", {"--panoptic", "x"}},   {"semantic", {"--json", "x"}},     {"semantic", {"--jsonl", "x"}},
      {"panoptic", {"--semantic", "x"}},   {"panoptic", {"--masks", "x"}},    {"panoptic", {"--score", "0.5"}},
      {"instance", {"--semantic", "x"}},   {"instance", {"--panoptic", "x"}}, {"semantic", {"--boxes"}},
      {"semantic", {"--activations", "x"}}};
  for (const auto& [task, arguments] : refused) {
    const ProcessResult ran = run_task(task, Words{picture} + arguments);
    INFO(task << " " << arguments[0] << ": " << ran.err);
    CHECK(ran.status == 2);
    CHECK_THAT(ran.err, Contains("has no " + arguments[0]));
  }
  CHECK(run_task("panoptic", {picture, "--json", "x"}).status == 2);
  const ProcessResult other = run_process(demo_command("run", {picture, "--task", "panoptic", "--panoptic", "x"}));
  CHECK(other.status != 0);
  CHECK_THAT(other.err, Contains("expected a model that finds segments (panoptic), found one with head SparseInst, "
                                 "which finds instances"));
}
