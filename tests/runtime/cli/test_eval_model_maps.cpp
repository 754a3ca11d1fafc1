// `maskrt eval MODEL --task semantic` and `--task panoptic`: scores as of results that are written first, the checks
// before and what becomes of pictures that cannot be used.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "graph/safetensors.h"
#include "maskrt/maskrt.hpp"
#include "runtime/label_maps/maps.h"
#include "support/demo_command.h"
#include "support/fast_inst_command.h"
#include "support/xml.h"

using namespace maskrt;
using namespace maskrt::testing;
using Catch::Contains;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// Results are the same to the last bit in every process.
ProcessResult command(const Words& words) {
  ::setenv("MASKRT_CPU_TUNE", "0", 1);
  return run_process(Words{MASKRT_COMMAND} + words);
}

json read_json(const fs::path& path) { return json::parse(read_text(path)); }

/// Pictures of the demo with annotations that nobody's model finds: blocks of all classes, some of them void.
struct DataSet {
  explicit DataSet(int count = 4, const std::string& picture_end = ".jpg", const std::string& label_end = ".png") {
    fs::create_directories(images());
    fs::create_directories(segments());
    fs::create_directories(labels());
    json annotations = json::array(), listed = json::array();
    for (int i = 0; i < count; ++i) {
      const std::string stem = "street_00000" + std::to_string(i) + "_000019";
      const fs::path picture = images() / (stem + picture_end);
      fs::copy_file(demo_picture(i), picture);
      const Image image = Image::from_file(picture.string(), {false});
      annotations.push_back(write_segments(i, stem, image.width(), image.height()));
      listed.push_back({{"id", i}, {"file_name", picture.filename().string()}});
      write_label_blocks(labels() / (stem + label_end), i, image.width(), image.height());
    }
    whole = {{"images", listed}, {"categories", read_json(fast_inst_labels())}, {"annotations", annotations}};
    write_truths();
  }

  fs::path images() const { return folder / "pictures"; }
  fs::path segments() const { return folder / "truths"; }
  fs::path labels() const { return folder / "labels"; }
  fs::path truths() const { return folder / "truths.json"; }
  void write_truths() const { write_text(truths(), whole.dump()); }

  static int block_of(int image, int x, int y) { return (x / 90 + 2 * (y / 70) + image) % 8; }

  json write_segments(int image, const std::string& stem, int width, int height) const {
    label_maps::SegmentMap map{width, height, {}};
    std::vector<std::int64_t> areas(9);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const int block = block_of(image, x, y);
        map.ids.push_back(static_cast<std::uint32_t>(block));  // block 0 is void
        ++areas[static_cast<std::size_t>(block)];
      }
    }
    graph::write_file(segments() / (stem + ".png"), label_maps::encode_segment_map(map));
    json segments = json::array();
    for (int id = 1; id < 8; ++id)
      if (areas[static_cast<std::size_t>(id)] > 0)
        segments.push_back({{"id", id}, {"category_id", 99 + id}, {"iscrowd", id == 5 ? 1 : 0}});
    return {{"image_id", image}, {"file_name", stem + ".png"}, {"segments_info", segments}};
  }

  static void write_label_blocks(const fs::path& path, int image, int width, int height) {
    label_maps::LabelMap map{width, height, {}};
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const int block = x < width / 2 ? 6 : block_of(image, x, y);
        map.labels.push_back(static_cast<std::uint16_t>(block == 7 ? 255 : block));
      }
    }
    graph::write_file(path, label_maps::encode_label_map(map, {}));
  }

  TemporaryFolder folder;
  json whole;  ///< the panoptic annotations
};

Words eval_panoptic(const DataSet& set, const Words& more = {}) {
  return Words{"eval",     fast_inst_model(), "--device",   "cpu",           "--task",
               "panoptic", "--images",        set.images(), "--annotations", set.truths()} +
         more;
}

Words eval_semantic(const DataSet& set, const Words& more = {}) {
  return Words{"eval",
               fast_inst_model(),
               "--device",
               "cpu",
               "--task",
               "semantic",
               "--images",
               set.images(),
               "--annotations",
               set.labels(),
               "--classes",
               fast_inst_labels(),
               "--annotation-labels",
               "indices"} +
         more;
}

Words run_model(const DataSet& set, const Words& more) {
  return Words{"run", fast_inst_model(), set.images(), "--device", "cpu", "--quiet"} + more;
}

}  // namespace

TEST_CASE("eval --task panoptic scores a model as the results that run writes are scored") {
  DataSet set;
  const fs::path of_model = set.folder / "model.json", of_results = set.folder / "results.json";
  check_success(command(run_model(set, {"--task", "panoptic", "--panoptic", set.folder / "found"})));
  json found = read_json(set.folder / "found.json");
  for (std::size_t i = 0; i < found.at("annotations").size(); ++i) found["annotations"][i]["image_id"] = i;
  write_text(set.folder / "found.json", found.dump());
  // Of one image most is as found, so that something matches.
  json& matching = set.whole["annotations"][1];
  label_maps::SegmentMap map = label_maps::read_segment_map(set.folder / "found/street_000001_000019.png");
  for (std::size_t i = 0; i < map.ids.size(); i += 4)
    if (map.ids[i] != 0) map.ids[i] = 99;
  graph::write_file(set.segments() / "street_000001_000019.png", label_maps::encode_segment_map(map));
  matching["segments_info"] = found.at("annotations")[1].at("segments_info");
  for (auto& segment : matching["segments_info"]) segment.erase("area");
  matching["segments_info"].push_back({{"id", 99}, {"category_id", 101}});
  set.write_truths();

  const ProcessResult ran =
      command(eval_panoptic(set, {"--json", of_model, "--per-class", "--overlay", set.folder / "drawn"}));
  check_success(ran);
  CHECK_THAT(ran.out, Contains("ran in ") && Contains(" ms an image") && Contains("\n4 images\n") &&
                          Contains("things  ") && Contains("name6"));
  CHECK(files_in(set.folder / "drawn").size() == 4);

  check_success(command({"eval", "--task", "panoptic", "--annotations", set.truths(), "--results-only",
                         set.folder / "found.json", "--json", of_results}));
  CHECK(read_text(of_model) == read_text(of_results));
  const json scores = read_json(of_model);
  CHECK(scores.at("PQ").get<double>() > 0);
  CHECK(scores.at("PQ").get<double>() < 1);
  CHECK(scores.at("images") == 4);

  // In other numbers at a time: the sums are in the order of the images.
  check_success(command(eval_panoptic(set, {"--json", set.folder / "again.json", "--threads", "1", "--quiet"})));
  CHECK(read_json(set.folder / "again.json") == scores);
}

TEST_CASE("eval --task semantic scores a model as the results that run writes are scored") {
  const DataSet set;
  const fs::path of_model = set.folder / "model.json", of_results = set.folder / "results.json";
  const ProcessResult ran =
      command(eval_semantic(set, {"--json", of_model, "--per-class", "--overlay", set.folder / "drawn"}));
  check_success(ran);
  CHECK_THAT(ran.out, Contains("4 images, ") && Contains("mean IoU") && Contains("frequency-weighted IoU") &&
                          Contains("pixel accuracy") && Contains("name6"));
  CHECK(files_in(set.folder / "drawn").size() == 4);

  check_success(command(run_model(set, {"--task", "semantic", "--semantic", set.folder / "found"})));
  check_success(
      command({"eval", "--task", "semantic", "--annotations", set.labels(), "--results-only", set.folder / "found",
               "--classes", fast_inst_labels(), "--annotation-labels", "indices", "--json", of_results}));
  CHECK(read_text(of_model) == read_text(of_results));
  const json scores = read_json(of_model);
  CHECK(scores.at("mIoU").get<double>() > 0);
  CHECK(scores.at("mIoU").get<double>() < 1);
  CHECK(scores.at("per_class").size() == 7);

  // What is not scored is another number now; the results' numbers are the model's all the same.
  const ProcessResult ignored =
      command(eval_semantic(set, {"--ignore-label", "6", "--limit", "1", "--json", of_model}));
  CHECK(ignored.status == 1);  // the annotations' 255 stands for nothing then
  CHECK_THAT(ignored.err,
             Contains("expected labels of the classes in the truth, found 255") && Contains("scored 0 of 1 images"));
}

TEST_CASE("eval --task with a model takes --limit, --min-size, --max-size and --batch") {
  const DataSet set;
  const fs::path scores = set.folder / "s.json";
  check_success(command(eval_panoptic(set, {"--limit", "2", "--batch", "2", "--json", scores, "--quiet"})));
  CHECK(read_json(scores).at("images") == 2);
  check_success(command(eval_semantic(set, {"--limit", "3", "--min-size", "128", "--max-size", "200", "--json", scores,
                                            "--quiet", "--plot", set.folder / "one.svg"})));
  CHECK(read_json(scores).at("images") == 3);
  CHECK(texts_of(XmlReader(read_text(set.folder / "one.svg")).elements(), "circle").size() == 1);

  const ProcessResult several =
      command(eval_panoptic(set, {"--limit", "2", "--min-size", "112", "160", "--max-size", "300", "--json", scores,
                                  "--plot", set.folder / "two.svg"}));
  check_success(several);
  CHECK_THAT(several.out, Contains("shortest") && Contains("PQth") && Contains("\n     160  "));
  const json sizes = read_json(scores);
  CHECK(sizes.at("task") == "panoptic");
  REQUIRE(sizes.at("sizes").size() == 2);
  CHECK(sizes.at("sizes")[1].at("min_size") == 160);
  CHECK(sizes.at("sizes")[1].at("images") == 2);
  for (const char* const name : {"PQ", "SQ", "RQ", "PQ_things", "RQ_stuff"})
    CHECK(sizes.at("sizes")[0].at(name).is_number());
  const auto texts = texts_of(XmlReader(read_text(set.folder / "two.svg")).elements(), "text");
  CHECK(std::find(texts.begin(), texts.end(), "PQ (panoptic quality)") != texts.end());
}

TEST_CASE("eval --task finds Cityscapes' pictures by city, sequence and frame") {
  const DataSet set(2, "_leftImg8bit.jpg", "_gtFine_labelTrainIds.png");
  const std::string model = set.folder / "city.maskrt";
  check_success(
      run_process({MASKRT_CONVERT_COMMAND, "--random-weights", "--config",
                   test_data() / "heads" / "fast_inst_panoptic" / "config.yaml", "-o", model,
                   "MODEL.SEM_SEG_HEAD.NUM_CLASSES", "19", "DATASETS.TRAIN", "('cityscapes_fine_panoptic_train',)"}));
  const ProcessResult ran = command({"eval", model, "--device", "cpu", "--task", "semantic", "--images", set.images(),
                                     "--annotations", set.labels(), "--classes", "cityscapes"});
  check_success(ran);
  CHECK_THAT(ran.out, Contains("2 images, "));

  const ProcessResult other = command({"eval", fast_inst_model(), "--device", "cpu", "--task", "semantic", "--images",
                                       set.images(), "--annotations", set.labels(), "--classes", "cityscapes"});
  CHECK(other.status == 1);
  CHECK_THAT(other.err, Contains("expected the model's categories of the same ids and names as in cityscapes, found "
                                 "none of 7 in common"));
}

TEST_CASE("eval --task: pictures that are missing, of another size or broken") {
  const DataSet set;
  fs::rename(set.images() / "street_000002_000019.jpg", set.folder / "away.jpg");
  for (const bool panoptic : {true, false}) {
    const ProcessResult missing = command(panoptic ? eval_panoptic(set) : eval_semantic(set));
    CHECK(missing.status == 1);
    CHECK_THAT(missing.err, Contains("expected pictures of all 4 images of ") &&
                                Contains("1 is missing, the first is of street_000002_000019"));
  }
  fs::copy_file(set.images() / "street_000001_000019.jpg", set.images() / "street_000002_000019.jpg");
  write_text(set.images() / "street_000003_000019.jpg", "no picture");
  for (const bool panoptic : {true, false}) {
    const ProcessResult ran = command((panoptic ? eval_panoptic(set) : eval_semantic(set)) + Words{"--threads", "2"});
    CHECK(ran.status == 1);
    CHECK_THAT(ran.err, Contains("street_000002_000019.jpg of 300x400 as ") && Contains("has, found 400x300") &&
                            Contains("use --no-exif") && Contains("street_000003_000019.jpg") &&
                            Contains("scored 2 of 4 images, the others could not be used"));
    CHECK_THAT(ran.out, Contains("2 images"));
  }
}

TEST_CASE("eval --task compares the model's categories with those of the annotations") {
  DataSet set(1);
  const json categories = set.whole.at("categories");
  // Some of the model's alone: segments of the others are left out.
  set.whole["categories"].erase(6);
  auto& segments = set.whole["annotations"][0]["segments_info"];
  for (auto& segment : segments)
    if (segment.at("category_id") == 106) segment["category_id"] = 105;
  set.write_truths();
  const ProcessResult fewer = command(eval_panoptic(set));
  CHECK(fewer.status == 0);
  CHECK_THAT(fewer.err, Contains("left out, since ") && Contains("truths.json does not list"));

  set.whole["categories"] = categories;
  for (auto& category : set.whole["categories"]) category["id"] = category.at("id").get<int>() - 99;
  for (auto& segment : segments) segment["category_id"] = segment.at("category_id").get<int>() - 99;
  set.write_truths();
  const ProcessResult moved = command(eval_panoptic(set));
  CHECK(moved.status == 1);
  CHECK_THAT(moved.err, Contains("found \"name0\" with the id 100 where the annotations have 1") &&
                            Contains("--ignore-labels goes on regardless"));
  CHECK(command(eval_panoptic(set, {"--ignore-labels"})).status == 0);

  DataSet other(1);
  other.whole["categories"][0]["isthing"] = 0;
  other.write_truths();
  const ProcessResult stuff = command(eval_panoptic(other));
  CHECK(stuff.status == 0);
  CHECK_THAT(stuff.err, Contains("the first is 100, a thing to the model"));

  write_text(other.folder / "names", "name1\nname0\nname2\nname3\nname4\nname5\nname6\n");
  const Words by_names = {"eval",          fast_inst_model(), "--device",  "cpu",
                          "--task",        "semantic",        "--images",  other.images(),
                          "--annotations", other.labels(),    "--classes", other.folder / "names"};
  const ProcessResult swapped = command(by_names);
  CHECK(swapped.status == 1);
  CHECK_THAT(swapped.err, Contains("found \"name0\" with the id 0 where the annotations have 1"));
  write_text(other.folder / "names", "name0\nname1\nname2\nname3\nname4\nname5\n");
  const ProcessResult few = command(by_names + Words{"--ignore-labels"});
  CHECK(few.status == 1);
  CHECK_THAT(few.err, Contains("expected a model of the 6 classes of ") && Contains("found one of 7"));

  const ProcessResult instances = run_process(
      demo_command("eval", {"--task", "panoptic", "--images", other.images(), "--annotations", other.truths()}));
  CHECK(instances.status == 1);
  CHECK_THAT(instances.err,
             Contains("expected a model that finds segments (panoptic), found one with head SparseInst"));
}

TEST_CASE("eval --task with a model: what does not go with it is refused by name") {
  const DataSet set(1);
  const auto usage = [&](const Words& more, const std::string& sentence) {
    for (const Words& words : {eval_panoptic(set), eval_semantic(set)}) {
      const ProcessResult ran = command(words + more);
      CHECK(ran.status == 2);
      CHECK_THAT(ran.err, Contains(sentence));
    }
  };
  usage({"--results", "r.json"}, "go without --results");
  usage({"--jsonl", "r.jsonl"}, "go without --results, --jsonl");
  usage({"--activations", "a"}, "--activations");
  usage({"--iou-type", "bbox"}, "--iou-type");
  usage({"--results-only", "r"}, "not both");
  usage({"--quiet"}, "--quiet prints errors alone");
  usage({"--min-size", "64", "96", "--per-class"}, "--per-class and --overlay are of one size");
  usage({"--min-size", "64", "64"}, "found 64 twice");
  CHECK(command(eval_panoptic(set, {"--result-maps", "m"})).status == 2);
  CHECK(command(eval_semantic(set, {"--result-labels", "ids"})).status == 2);
  CHECK(command({"eval", fast_inst_model(), "--task", "panoptic", "--annotations", set.truths()}).status == 2);
  const ProcessResult over = command(eval_panoptic(set, {"--json", set.truths()}));
  CHECK(over.status == 1);
  CHECK_THAT(over.err, Contains("expected an output file that is none of the inputs"));
}

TEST_CASE("eval --task takes no more memory for more pictures") {
  const auto peak = [](int copies) {
    const DataSet set(1);
    json annotations = json::array();
    for (int i = 0; i < copies; ++i) {
      json one = set.whole.at("annotations")[0];
      const std::string stem = "copy" + std::to_string(i);
      fs::create_symlink(set.images() / "street_000000_000019.jpg", set.images() / (stem + ".jpg"));
      fs::create_symlink(set.segments() / "street_000000_000019.png", set.segments() / (stem + ".png"));
      one["image_id"] = i;
      one["file_name"] = stem + ".png";
      annotations.push_back(one);
    }
    json whole = set.whole;
    whole["annotations"] = annotations;
    write_text(set.truths(), whole.dump());
    const ProcessResult ran = command(eval_panoptic(set, {"--threads", "2"}));
    check_success(ran);
    return ran.peak_memory;
  };
  const std::size_t few = peak(20), many = peak(200);
  INFO(few << " and " << many << " bytes");
  // Each picture's result alone has 300 kB, which would make 54 MB.
  CHECK(many < few + (std::size_t{16} << 20));
}
