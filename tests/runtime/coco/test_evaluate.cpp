// The evaluator against pycocotools' numbers on the demo's results and on made-up sets (tests/data/coco/README.md).
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/coco/evaluate.h"
#include "runtime/coco/matching.h"
#include "runtime/mask/rle.h"

namespace maskrt::coco {
namespace {

using nlohmann::json;

const std::string data = MASKRT_TEST_DATA "/coco/";
const std::string demo = MASKRT_DEMO "/";

json read_json(const std::string& path) {
  std::ifstream file(path);
  INFO(path);
  REQUIRE(file);
  return json::parse(file);
}

/// Sums of at most 10 thresholds x 101 recalls x 5 categories, each addition off by half an ulp of a partial sum that
/// after division is at most 1: 5050 * 2^-53 for each of the two that are compared.
constexpr double kBound = 2 * 5050 * 0x1p-53;

void compare(const Metrics& got, const json& want) {
  REQUIRE(want.size() == got.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO(kMetricNames[i] << ": got " << got[i] << ", want " << want[i] << ", bound " << kBound);
    CHECK(std::abs(got[i] - want[i].get<double>()) <= kBound);
  }
}

void compare(const Evaluation& got, const json& want) {
  compare(got.metrics, want.at("metrics"));
  REQUIRE(got.categories.size() == want.at("categories").size());
  for (const CategoryEvaluation& category : got.categories) {
    const double ap = want["categories"].at(category.id.described()).get<double>();
    INFO("category " << category.id.described() << ": got " << category.metrics[0] << ", want " << ap << ", bound "
                     << kBound);
    CHECK(std::abs(category.metrics[0] - ap) <= kBound);
  }
}

std::vector<CocoResult> without_boxes(std::vector<CocoResult> results) {
  for (CocoResult& result : results) result.bbox.reset();
  return results;
}

/// A mask of `height` rows and `width` columns whose first `inside` pixels are set.
Rle strip(int height, int width, std::uint32_t inside) {
  const std::uint32_t total = static_cast<std::uint32_t>(height) * static_cast<std::uint32_t>(width);
  return {height, width,
          rle::to_string(rle::from_counts(height, width, std::vector<std::uint32_t>{0, inside, total - inside}))};
}

/// One image of 10 x 20, one category, one instance.
Annotations small_set() {
  Annotations set;
  set.path = "small.json";
  set.images = {{1, "a.png", 10, 20}, {2, "b.png", 10, 20}};
  set.categories = {{4, "thing"}};
  set.annotations = {{7, 1, 4, false, 50, {{0, 0, 5, 10}}, strip(10, 20, 50)}};
  return set;
}

CocoResult small_result() { return {"a.png", 1, 4, "thing", {{0, 0, 5, 10}}, 0.5, strip(10, 20, 50)}; }

std::string error_of(const Annotations& set, const std::vector<CocoResult>& results, EvaluationOptions options = {}) {
  try {
    evaluate(set, results, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

EvaluationOptions options_of(IouType type, int threads = 0) {
  EvaluationOptions options;
  options.iou_type = type;
  options.threads = threads;
  return options;
}

EvaluationOptions with_images(std::vector<Id> ids) {
  EvaluationOptions options;
  options.image_ids = std::move(ids);
  return options;
}

}  // namespace

TEST_CASE("the demo's reference results score what pycocotools says") {
  const json want = read_json(demo + "reference_ap.json");
  const Annotations annotations = read_annotations(demo + "annotations.json");
  const auto results = read_results(demo + "reference_results.json");
  REQUIRE(want.at("names") == json(kMetricNames));
  SECTION("segm") { compare(evaluate(annotations, results).metrics, want.at("segm")); }
  SECTION("bbox") { compare(evaluate(annotations, results, options_of(IouType::bbox)).metrics, want.at("bbox")); }
}

TEST_CASE("made-up sets score what pycocotools says") {
  const auto name =
      GENERATE(as<std::string>(), "mixed", "many", "ties", "boxes", "outlines", "no_truths", "no_results");
  CAPTURE(name);
  const json want = read_json(data + name + "_expected.json");
  const Annotations annotations = read_annotations(data + name + "_annotations.json");
  const auto results = read_results(data + name + "_results.json");
  for (const auto& [kind, expected] : want.items()) {
    CAPTURE(kind);
    if (kind == "segm") {
      // A detection's area is its mask's, whether or not there are boxes.
      compare(evaluate(annotations, results), expected);
      compare(evaluate(annotations, without_boxes(results)), expected);
    } else if (kind == "bbox") {
      compare(evaluate(annotations, results, options_of(IouType::bbox)), expected);
    } else if (kind == "bbox_of_masks") {
      compare(evaluate(annotations, without_boxes(results), options_of(IouType::bbox)), expected);
    } else {
      REQUIRE(kind == "subset");
      const auto ids = expected.at("image_ids").get<std::vector<std::int64_t>>();
      compare(evaluate(annotations, results, with_images({ids.begin(), ids.end()})), expected);
    }
  }
}

TEST_CASE("results that the command wrote score what pycocotools says of the file") {
  const Annotations annotations = read_annotations(demo + "annotations.json");
  const auto results = read_results(data + "written_results.json");
  const json want = read_json(data + "written_expected.json");
  const auto ids = want.at("image_ids").get<std::vector<std::int64_t>>();
  for (const IouType type : {IouType::segm, IouType::bbox}) {
    EvaluationOptions options = with_images({ids.begin(), ids.end()});
    options.iou_type = type;
    compare(evaluate(annotations, results, options).metrics,
            want.at(type == IouType::segm ? "segm" : "bbox").at("metrics"));
  }
  // Boxes would have pycocotools take areas from them.
  for (const CocoResult& result : results) CHECK_FALSE(result.bbox);
}

TEST_CASE("the number of threads changes neither numbers nor errors") {
  const Annotations annotations = read_annotations(data + "mixed_annotations.json");
  auto results = read_results(data + "mixed_results.json");
  const Metrics one = evaluate(annotations, results, options_of(IouType::segm, 1)).metrics;
  for (const int threads : {2, 7, 100}) {
    CAPTURE(threads);
    CHECK(evaluate(annotations, results, options_of(IouType::segm, threads)).metrics == one);
  }
  for (CocoResult& result : results) result.segmentation->counts += "!";
  const std::string message = error_of(annotations, results, options_of(IouType::segm, 1));
  CHECK_THAT(message, Catch::StartsWith("results["));
  for (int repeat = 0; repeat < 20; ++repeat)
    CHECK(error_of(annotations, results, options_of(IouType::segm, 4)) == message);
}

TEST_CASE("thresholds are numpy's to the bit") {
  const std::array<double, kThresholdCount> want = {0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999,
                                                    0.95};
  const auto got = iou_thresholds();
  for (std::size_t t = 0; t < got.size(); ++t) {
    INFO("threshold " << t << ": got " << got[t] << ", want " << want[t]);
    CHECK(got[t] == want[t]);
  }
}

TEST_CASE("a perfect detection scores 1, and what it does not touch -1") {
  const Evaluation evaluation = evaluate(small_set(), std::vector{small_result()});
  const double one = 1 / (1 + std::numeric_limits<double>::epsilon());  // precision's guard against 0 / 0
  for (const std::size_t i : {0, 1, 2, 3}) CHECK(evaluation.metrics[i] == Approx(one).margin(1e-15));
  for (const std::size_t i : {6, 7, 8, 9}) CHECK(evaluation.metrics[i] == 1);
  for (const std::size_t i : {4, 5, 10, 11}) CHECK(evaluation.metrics[i] == -1);
  REQUIRE(evaluation.categories.size() == 1);
  CHECK(evaluation.categories[0].id == 4);
  CHECK(evaluation.categories[0].name == "thing");
  CHECK(evaluation.categories[0].metrics == evaluation.metrics);
}

TEST_CASE("results and images that do not belong to the annotations") {
  CocoResult other = small_result();
  SECTION("an image that is not listed is named") {
    other.image_id = 99;
    CHECK(error_of(small_set(), {small_result(), other}) ==
          "results[1]: expected an image that small.json lists, found image_id 99");
  }
  SECTION("with the file's name, where the results have one") {
    EvaluationOptions options;
    options.results_name = "r.json";
    other.image_id = 99;
    CHECK_THAT(error_of(small_set(), {other}, options), Catch::StartsWith("r.json[0]: "));
  }
  SECTION("so is one that is asked for") {
    CHECK(error_of(small_set(), {small_result()}, with_images({1, 98})) ==
          "expected images to score that small.json lists, found image_id 98");
  }
  SECTION("a category that is not listed does not count") {
    other.category_id = 5;
    other.segmentation.reset();
    CHECK(evaluate(small_set(), std::vector{other, small_result()}).metrics ==
          evaluate(small_set(), std::vector{small_result()}).metrics);
  }
  SECTION("an image that is listed but not scored does not count") {
    other.image_id = 2;
    CHECK(evaluate(small_set(), std::vector{other, small_result()}, with_images({1})).metrics ==
          evaluate(small_set(), std::vector{small_result()}).metrics);
  }
  SECTION("no image at all") {
    CHECK(evaluate(small_set(), std::vector{other}, with_images({})).metrics[0] == -1);
    CHECK(evaluate(Annotations{}, {}).metrics[0] == -1);
  }
}

TEST_CASE("records that cannot be scored are named") {
  Annotations set = small_set();
  CocoResult result = small_result();
  SECTION("a result without a mask") {
    result.segmentation.reset();
    CHECK(error_of(set, {result}) == "results[0]: expected a segmentation, found none");
  }
  SECTION("a result without a box among results with boxes") {
    CocoResult bare = result;
    bare.bbox.reset();
    CHECK(error_of(set, {result, bare}, options_of(IouType::bbox)) ==
          "results[1]: expected a bbox as the first result has, found none");
  }
  SECTION("an annotation without a mask") {
    set.annotations[0].segmentation = std::monostate{};
    CHECK(error_of(set, {result}) ==
          "small.json: annotation 7: expected a segmentation, which mask AP needs, found none");
  }
  SECTION("an annotation without a box") {
    set.annotations[0].bbox.reset();
    CHECK(error_of(set, {result}, options_of(IouType::bbox)) ==
          "small.json: annotation 7: expected a bbox, which box AP needs, found none");
  }
  SECTION("a mask of another size than its image's") {
    result.segmentation = strip(20, 10, 50);
    CHECK(error_of(set, {result}) ==
          "results[0]: expected a mask of the size of image 1, 10x20 (height x width), found 20x10");
  }
  SECTION("an annotation of another size than its image's") {
    set.annotations[0].segmentation = RunCounts{20, 10, {200}};
    CHECK_THAT(error_of(set, {result}), Catch::StartsWith("small.json: annotation 7: expected a mask of the size"));
  }
  SECTION("masks of two sizes in an image of which nobody states the size") {
    set.images[0].width = 0;
    CHECK(error_of(set, {result}) == "no error");
    result.segmentation = strip(20, 10, 50);
    CHECK(error_of(set, {result}) ==
          "results[0]: expected a mask of 10x20 (height x width) as others of image 1 are, found 20x10");
  }
  SECTION("runs that do not fill the mask") {
    set.annotations[0].segmentation = RunCounts{10, 20, {100, 99}};
    CHECK_THAT(error_of(set, {result}), Catch::StartsWith("small.json: annotation 7: "));
    set.annotations[0].segmentation = RunCounts{10, 20, {4294967295u, 201}};
    CHECK_THAT(error_of(set, {result}), Catch::StartsWith("small.json: annotation 7: "));
  }
}

}  // namespace maskrt::coco
