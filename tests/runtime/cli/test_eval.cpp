// `maskrt eval` on the demo's model.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "four_pictures.h"
#include "runtime/coco/image_lines.h"
#include "runtime/coco/results.h"
#include "support/demo_command.h"

using namespace maskrt;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;
using namespace maskrt::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::ptrdiff_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

const std::string annotation_file = demo + "/annotations.json";

}  // namespace

TEST_CASE("eval: runs a model, writes its results, and scores those the same") {
  TemporaryFolder folder;
  const std::vector<std::string> annotations = {"--annotations", demo + "/annotations.json"};
  const ProcessResult ran =
      ruled_command("eval", {"--images", demo + "/images", annotations[0], annotations[1], "--limit", "6", "--results",
                             folder / "r.json", "--json", folder / "ap.json"});
  check_success(ran);
  CHECK_THAT(ran.out, StartsWith("6 images, ") && Contains("images a second"));
  CHECK(lines(ran.out) == 13);

  const ProcessResult again = run_process({MASKRT_COMMAND, "eval", "--results-only", folder / "r.json", annotations[0],
                                           annotations[1], "--limit", "6", "--json", folder / "again.json"});
  check_success(again);
  CHECK(read_text(folder / "ap.json") == read_text(folder / "again.json"));
  const json metrics = json::parse(read_text(folder / "ap.json"));
  CHECK(metrics.size() == 12);
  CHECK(metrics.at("AP").get<double>() > 0.4);
  std::set<coco::Id> images;
  for (const auto& result : coco::read_results(folder / "r.json")) images.insert(result.image_id);
  CHECK(images == std::set<coco::Id>{1000, 1007, 1014, 1021, 1028, 1035});

  const std::string other = write_text(
      folder / "other.json",
      R"({"images": [{"id": 1, "file_name": "000.jpg"}], "categories": [{"id": 77, "name": "x"}], "annotations": []})");
  const ProcessResult refused = ruled_command("eval", {"--images", demo + "/images", "--annotations", other});
  CHECK(refused.status == 1);
  CHECK_THAT(refused.err, Contains("--labels"));
}

TEST_CASE("eval --errors: what AP is lost to, of a model and of its results") {
  TemporaryFolder folder;
  const Words annotations = {"--annotations", annotation_file, "--limit", "4"};
  const ProcessResult ran = ruled_command("eval", Words{"--images", demo + "/images", "--errors", "--results",
                                                        folder / "r.json", "--json", folder / "ap.json"} +
                                                      annotations);
  check_success(ran);
  CHECK(lines(ran.out) == 13 + 2 + 8);
  CHECK_THAT(ran.out,
             Contains("Errors of AP @[ IoU=0.50 ] = ") && Contains(" Dupe      found before           dAP = "));
  const json scores = json::parse(read_text(folder / "ap.json"));
  CHECK(scores.size() == 13);
  CHECK(scores.at("AP").get<double>() < 1);
  const json& errors = scores.at("errors");
  std::set<std::string> names;
  for (const auto& [name, points] : errors.items()) names.insert(name);
  CHECK(names == std::set<std::string>{"AP", "Cls", "Loc", "Both", "Dupe", "Bkg", "Miss", "FalsePos", "FalseNeg"});
  CHECK(errors.at("AP").get<double>() == Approx(100 * scores.at("AP50").get<double>()).margin(2));
  CHECK(errors.at("FalseNeg").get<double>() > 0);

  const std::vector<std::string> scoring = {MASKRT_COMMAND, "eval", "--results-only", folder / "r.json"};
  const ProcessResult again = run_process(scoring + annotations + Words{"--errors", "--json", folder / "again.json"});
  check_success(again);
  CHECK(read_text(folder / "again.json") == read_text(folder / "ap.json"));

  // The twelve numbers are the same without.
  check_success(run_process(scoring + annotations + Words{"--json", folder / "plain.json"}));
  json plain = json::parse(read_text(folder / "plain.json"));
  CHECK_FALSE(plain.contains("errors"));
  plain["errors"] = errors;
  CHECK(plain == scores);

  check_success(
      run_process(scoring + annotations + Words{"--errors", "--iou-type", "bbox", "--json", folder / "boxes.json"}));
  CHECK(json::parse(read_text(folder / "boxes.json")).at("errors") != errors);
}

TEST_CASE("eval: a picture that cannot be used is reported, and the others are scored") {
  const TemporaryFolder folder;
  json set = json::parse(read_text(annotation_file));
  const std::vector<std::string> names = {"000.jpg", "001.jpg", "002.jpg", "003.jpg"};
  json images = json::array(), kept = json::array();
  for (json& image : set["images"]) {
    const std::string name = image["file_name"];
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    fs::copy(demo + "/images/" + name, folder / name);
    if (name == "003.jpg") image["width"] = 7;
    images.push_back(image);
    if (name == "000.jpg" || name == "002.jpg") kept.push_back(image);
  }
  REQUIRE(images.size() == 4);
  REQUIRE(kept.size() == 2);
  write_text(folder / "001.jpg", read_text(folder / "001.jpg").substr(0, 400));
  set["images"] = images;
  write_text(folder / "all.json", set.dump());
  set["images"] = kept;
  write_text(folder / "good.json", set.dump());

  const std::string batch = GENERATE("1", "3");
  const ProcessResult ran = ruled_command(
      "eval", {"--images", folder.path(), "--annotations", folder / "all.json", "--batch", batch, "--results",
               folder / "r.json", "--jsonl", folder / "r.jsonl", "--json", folder / "ap.json"});
  CHECK(ran.status == 1);
  CHECK_THAT(ran.err, Contains("001.jpg: the JPEG file is truncated") && Contains("003.jpg of 7x320 as") &&
                          EndsWith("maskrt: scored 2 of 4 images, the others could not be used\n"));
  CHECK_THAT(ran.out, StartsWith("2 images, ") && Contains("Average Recall"));
  CHECK(images_of(folder / "r.json") == std::set<std::string>{"000.jpg", "002.jpg"});
  CHECK(coco::read_image_lines(folder / "r.jsonl").lines.size() == 2);
  // The figures are those of the two pictures by themselves.
  const ProcessResult alone = run_process({MASKRT_COMMAND, "eval", "--results-only", folder / "r.json", "--annotations",
                                           folder / "good.json", "--json", folder / "alone.json"});
  CHECK(alone.status == 0);
  CHECK(read_text(folder / "alone.json") == read_text(folder / "ap.json"));

  for (const std::string& name : names) write_text(folder / name, "no picture");
  const ProcessResult none = ruled_command("eval", {"--images", folder.path(), "--annotations", folder / "all.json"});
  CHECK(none.status == 1);
  CHECK(none.out.empty());
  CHECK_THAT(none.err, Contains("scored 0 of 4 images"));
}
