// Annotations and results with odd records: what pycocotools scores gets its numbers, what it stumbles over an error
// with the place (tests/data/coco/README.md).
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/coco/evaluate.h"
#include "runtime/mask/rle.h"
#include "support/files.h"

namespace maskrt::coco {
namespace {

using nlohmann::json;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

const std::string data = MASKRT_TEST_DATA "/coco/";

/// JSON text with the numbers that only Python writes, which the cases have as "@NaN".
std::string python_text(const json& value) {
  std::string text = value.dump();
  for (std::size_t at; (at = text.find("\"@")) != std::string::npos;) {
    text.erase(text.find('"', at + 1), 1);
    text.erase(at, 2);
  }
  return text;
}

json patched(const json& plain, const json& test, const char* file) {
  return test.contains(file) ? plain.at(file).patch(test.at(file)) : plain.at(file);
}

void check_case(const json& plain, const json& test, IouType type) {
  const TemporaryFolder folder;
  const json& want = test.at(type == IouType::segm ? "segm" : "bbox");
  try {
    EvaluationOptions options;
    options.iou_type = type;
    const auto annotations = write_text(folder / "a.json", python_text(patched(plain, test, "annotations")));
    const auto results = write_text(folder / "r.json", python_text(patched(plain, test, "results")));
    const Metrics got = evaluate(read_annotations(annotations, type), read_results(results, type), options).metrics;
    INFO("expected an error: " << want);
    REQUIRE(want.is_array());
    for (std::size_t i = 0; i < got.size(); ++i) {
      constexpr double bound = 1e-12;  // to which the numbers are written down
      INFO(kMetricNames[i] << ": got " << got[i] << ", want " << want[i] << ", bound " << bound);
      CHECK(std::abs(got[i] - want[i].get<double>()) <= bound);
    }
  } catch (const Error& error) {
    INFO(error.what());
    REQUIRE(want.is_string());
    CHECK_THAT(error.what(), Catch::Contains(want.get<std::string>()));
  }
}

}  // namespace

TEST_CASE("odd records are scored as pycocotools scores them, or refused with their place") {
  const json plain = json::parse(read_text(data + "odd_records.json"));
  REQUIRE(plain.at("cases").size() > 50);
  for (const json& test : plain.at("cases")) {
    for (const IouType type : {IouType::segm, IouType::bbox}) {
      INFO(test.at("name") << (type == IouType::segm ? ", masks" : ", boxes"));
      check_case(plain, test, type);
    }
  }
}

TEST_CASE("scores that are no numbers are equal to each other") {
  const json plain = json::parse(read_text(data + "odd_records.json"));
  json results = plain.at("results");
  for (json& result : results) result["score"] = "@NaN";
  const TemporaryFolder folder;
  const Annotations annotations = read_annotations(write_text(folder / "a.json", plain.at("annotations").dump()));
  const auto read = [&] { return read_results(write_text(folder / "r.json", python_text(results))); };
  const Metrics all = evaluate(annotations, read()).metrics;
  for (json& result : results) result["score"] = 0.5;
  CHECK(evaluate(annotations, read()).metrics == all);
}

TEST_CASE("results may have outlines: scored as pycocotools scores them, and as their runs are") {
  const json plain = json::parse(read_text(data + "odd_records.json"));
  json results = json::array();
  for (const json& truth : plain.at("annotations").at("annotations")) {
    const std::size_t i = results.size();
    const auto box = truth.at("bbox").get<std::vector<double>>();
    const double x = std::floor(box[0]) + static_cast<double>(i % 4), y = std::floor(box[1]), w = std::floor(box[2]),
                 h = std::floor(box[3]);
    results.push_back({{"image_id", truth.at("image_id")},
                       {"category_id", truth.at("category_id")},
                       {"score", static_cast<double>(i % 7) / 8},
                       {"bbox", {x, y, w, h}},
                       {"segmentation", {{x, y, x + w, y, x + w, y + h, x, y + h}}}});
  }
  const TemporaryFolder folder;
  const auto path = write_text(folder / "r.json", results.dump());
  // Rectangles: pycocotools' areas, which are the boxes', are the masks' then.
  const Metrics expected = {0.7414191419141913,
                            1,
                            0.8316831683168316,
                            0.7915841584158416,
                            0.7757425742574258,
                            -1,
                            0.4666666666666667,
                            0.8,
                            0.8,
                            0.8166666666666667,
                            0.85,
                            -1};
  for (const IouType type : {IouType::segm, IouType::bbox}) {
    const Annotations annotations =
        read_annotations(write_text(folder / "a.json", plain.at("annotations").dump()), type);
    EvaluationOptions options;
    options.iou_type = type;
    const Metrics got = evaluate(annotations, read_results(path, type), options).metrics;
    for (std::size_t i = 0; i < got.size(); ++i) {
      INFO(kMetricNames[i]);
      CHECK(got[i] == Approx(expected[i]).margin(1e-12));
    }
  }

  // Any outlines, in an image without truths of the category too, and without boxes: what their runs give.
  const Annotations annotations = read_annotations(folder / "a.json", IouType::segm);
  std::vector<CocoResult> outlined, run;
  for (int i = 0; i < 12; ++i) {
    CocoResult result;
    result.image_id = annotations.images[static_cast<std::size_t>(i) % annotations.images.size()].id;
    result.category_id = 1 + i % 2;
    result.score = 0.9 - 0.01 * i;
    result.outlines = {{10.5 + i, 10, 50, 12.25, 48, 55}, {1, 1, 9, 1, 5, 7.5}};
    outlined.push_back(result);
    result.segmentation = Rle{60, 80, rle::to_string(rle::from_polygons(60, 80, result.outlines))};
    result.outlines = {};
    run.push_back(result);
  }
  CHECK(evaluate(annotations, outlined).metrics == evaluate(annotations, run).metrics);

  EvaluationOptions boxes;
  boxes.iou_type = IouType::bbox;
  CHECK_THROWS_WITH(evaluate(read_annotations(folder / "a.json", IouType::bbox), outlined, boxes),
                    Catch::Contains("results[") && Catch::Contains("found outlines alone"));
  // Work that a few bytes ask for has a bound.
  Annotations wide = annotations;
  wide.images.front().width = 1 << 20;
  CocoResult crossing = outlined.front();
  crossing.outlines = {{0, 0, 1e6, 1, 0, 2}};
  CHECK_THROWS_WITH(evaluate(wide, std::vector<CocoResult>(20, crossing)),
                    Catch::Contains("results[") && Catch::Contains("expected outlines that cross at most"));
}

TEST_CASE("LVIS files: images are named by their URLs, and nothing is crowded") {
  const TemporaryFolder folder;
  const auto path = write_text(folder / "lvis.json", R"({
    "images": [
      {"id": 397133, "width": 80, "height": 60, "license": 4, "neg_category_ids": [3], "not_exhaustive_category_ids": [],
       "coco_url": "http://images.cocodataset.org/val2017/000000397133.jpg", "flickr_url": "http://f/x.jpg"},
      {"id": 2, "width": 80, "height": 60, "coco_url": "http://images.cocodataset.org/train2017/2.jpg?size=1#a/b"},
      {"id": 3, "file_name": "named.jpg", "coco_url": "http://images.cocodataset.org/val2017/3.jpg"},
      {"id": 4, "coco_url": "4.jpg"}, {"id": 5}],
    "categories": [{"id": 1, "name": "aerosol_can", "synset": "aerosol.n.02", "frequency": "c", "synonyms": ["spray can"],
                    "def": "a dispenser", "image_count": 64, "instance_count": 109}],
    "annotations": [{"id": 1, "image_id": 397133, "category_id": 1, "area": 200, "bbox": [1, 1, 10, 20],
                     "segmentation": [[1, 1, 11, 1, 11, 21, 1, 21]]}]})");
  const Annotations set = read_annotations(path);
  CHECK(set.federated);
  REQUIRE(set.images.size() == 5);
  const std::pair<const char*, bool> names[] = {{"val2017/000000397133.jpg", true},
                                                {"train2017/2.jpg", true},
                                                {"named.jpg", false},
                                                {"4.jpg", true},
                                                {"", false}};
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(set.images[i].file_name == names[i].first);
    CHECK(set.images[i].named_by_url == names[i].second);
  }
  CHECK_FALSE(set.annotations.at(0).crowd);
  CHECK(set.categories.at(0).name == "aerosol_can");
  const auto images = read_images(path);
  REQUIRE(images.size() == 5);
  CHECK(images[0].file_name == "val2017/000000397133.jpg");
  CHECK_FALSE(read_annotations(data + "mixed_annotations.json").federated);
}

}  // namespace maskrt::coco
