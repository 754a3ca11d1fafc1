// The maskrt command on the demo's model: results that other evaluators score alike, image ids from annotations, and
// categories that are compared before a picture is read.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/coco/image_lines.h"
#include "runtime/coco/results.h"
#include "support/demo_command.h"

using namespace maskrt;
using Catch::Contains;
using namespace maskrt::testing;
using nlohmann::json;

namespace {

ProcessResult maskrt_command(const std::string& command, const Words& arguments) {
  return run_process(demo_command(command, Words{"--deterministic"} + arguments));
}

/// The demo's annotations, with each category changed.
std::string with_categories(const TemporaryFolder& folder, const std::function<void(json&, std::size_t)>& change) {
  json annotations = json::parse(read_text(demo + "/annotations.json"));
  for (std::size_t i = 0; i < annotations.at("categories").size(); ++i) change(annotations["categories"][i], i);
  return write_text(folder / "a.json", annotations.dump());
}

}  // namespace

TEST_CASE("results have boxes when they are asked for, of earlier lines too") {
  TemporaryFolder folder;
  const std::string picture = demo + "/images/000.jpg";
  REQUIRE(maskrt_command("run", {picture, "--json", folder / "r.json", "--jsonl", folder / "l"}).status == 0);
  const auto plain = coco::read_results(folder / "r.json");
  REQUIRE_FALSE(plain.empty());
  for (const auto& result : plain) CHECK_FALSE(result.bbox);
  CHECK_THAT(read_text(folder / "l"), !Contains("bbox"));

  REQUIRE(maskrt_command("run", {picture, "--boxes", "--json", folder / "b.json", "--jsonl", folder / "bl"}).status ==
          0);
  const auto boxes = coco::read_results(folder / "b.json");
  REQUIRE(boxes.size() == plain.size());
  for (const auto& result : boxes) CHECK(result.bbox);
  // From lines of the other kind, in either direction, the list is the same.
  REQUIRE(maskrt_command("run", {picture, "--boxes", "--json", folder / "b2.json", "--jsonl", folder / "l", "--resume"})
              .status == 0);
  CHECK(read_text(folder / "b2.json") == read_text(folder / "b.json"));
  REQUIRE(maskrt_command("run", {picture, "--json", folder / "r2.json", "--jsonl", folder / "bl", "--resume"}).status ==
          0);
  CHECK(read_text(folder / "r2.json") == read_text(folder / "r.json"));
}

TEST_CASE("run --annotations gives the results that eval gives") {
  TemporaryFolder folder;
  const std::string annotations = demo + "/annotations.json";
  REQUIRE(maskrt_command("eval", {"--images", demo + "/images", "--annotations", annotations, "--limit", "3",
                                  "--results", folder / "eval.json"})
              .status == 0);
  REQUIRE(maskrt_command("run", {demo + "/images/000.jpg", demo + "/images/001.jpg", demo + "/images/002.jpg",
                                 "--annotations", annotations, "--json", folder / "run.json"})
              .status == 0);
  CHECK(read_text(folder / "run.json") == read_text(folder / "eval.json"));
  CHECK(coco::read_results(folder / "run.json").at(0).image_id == coco::Id(1000));

  const ProcessResult other = maskrt_command("run", {demo + "/showcase", "--annotations", annotations});
  CHECK(other.status == 1);
  CHECK_THAT(other.err, Contains("annotations.json lists each picture as one image, found 4 of 4"));
  const ProcessResult itself =
      maskrt_command("run", {demo + "/images/000.jpg", "--annotations", annotations, "--json", annotations});
  CHECK_THAT(itself.err, Contains("expected an output file that is none of the inputs"));
}

TEST_CASE("eval refuses annotations of other categories before it reads a picture") {
  TemporaryFolder folder;
  std::string path;
  std::string found;
  SECTION("the ids are the positions from 0") {
    path = with_categories(folder, [](json& category, std::size_t i) { category["id"] = i; });
    found = "found \"circle\" with the id 2 where the annotations have 0";
  }
  SECTION("the names are others") {
    path = with_categories(folder, [](json& category, std::size_t i) { category["name"] = std::string(i + 1, 'x'); });
    found = "found none of 5 in common";
  }
  const Words set = {"--images", folder / "pictures", "--annotations", path, "--limit", "1"};
  std::filesystem::create_directory(folder / "pictures");
  write_text(folder / "pictures/000.jpg", "no picture");
  const ProcessResult refused = maskrt_command("eval", set);
  CHECK(refused.status == 1);
  CHECK_THAT(refused.err, Contains(found) && Contains("--labels " + path) && !Contains("000.jpg"));
  Words regardless = set;
  regardless.push_back("--ignore-labels");
  CHECK_THAT(maskrt_command("eval", regardless).err, Contains("000.jpg") && !Contains("--labels"));
}

TEST_CASE("eval tells whose numbers those of LVIS files are, and finds their pictures") {
  TemporaryFolder folder;
  json annotations = json::parse(read_text(demo + "/annotations.json"));
  for (json& image : annotations.at("images")) {
    image["coco_url"] = "http://images.cocodataset.org/val2017/" + image.at("file_name").get<std::string>();
    image["neg_category_ids"] = json::array();
    image["not_exhaustive_category_ids"] = json::array();
    image.erase("file_name");
  }
  for (json& annotation : annotations.at("annotations")) annotation.erase("iscrowd");
  const std::string path = write_text(folder / "lvis.json", annotations.dump());
  const ProcessResult ran = maskrt_command(
      "eval", {"--images", demo + "/images", "--annotations", path, "--limit", "2", "--results", folder / "r.json"});
  CHECK(ran.status == 0);
  CHECK_THAT(ran.err, Contains("these are COCO's numbers") && Contains("not LVIS's AP"));
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
  CHECK(coco::read_results(folder / "r.json").at(0).file_name == "val2017/000.jpg");
}

TEST_CASE("eval: what the annotations lack is found before the model runs") {
  TemporaryFolder folder;
  json annotations = json::parse(read_text(demo + "/annotations.json"));
  annotations["annotations"][3].erase("bbox");
  annotations["annotations"][4]["segmentation"] = nullptr;
  const std::string path = write_text(folder / "a.json", annotations.dump());
  const Words set = {"--images", demo + "/images", "--annotations", path};
  const ProcessResult masks = maskrt_command("eval", set);
  CHECK(masks.status == 1);
  CHECK(masks.out == "");
  CHECK_THAT(masks.err, Contains("expected a segmentation, which mask AP needs, found none"));
  Words boxes = set;
  boxes.insert(boxes.end(), {"--iou-type", "bbox"});
  CHECK_THAT(maskrt_command("eval", boxes).err, Contains("expected a bbox, which box AP needs, found none"));
}
