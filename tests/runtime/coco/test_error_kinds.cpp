// What AP is lost to, against tidecv's numbers on the demo's results and on made-up sets (tests/data/tide/README.md).
#include <catch2/catch.hpp>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "error_of.h"
#include "runtime/coco/error_kinds.h"

namespace maskrt::coco {
namespace {

using nlohmann::json;

const std::string data = MASKRT_TEST_DATA "/tide/";

json read_json(const std::string& path) {
  std::ifstream file(path);
  INFO(path);
  REQUIRE(file);
  return json::parse(file);
}

/// Far below any error of the method, far above what the order of sums changes.
constexpr double kBound = 1e-6;

void compare(const ErrorAnalysis& got, const json& want) {
  REQUIRE(want.size() == got.deltas.size() + 1);
  const auto check = [&](const char* name, double value) {
    INFO(name << ": got " << value << ", want " << want.at(name) << ", bound " << kBound);
    CHECK(std::abs(value - want.at(name).get<double>()) <= kBound);
  };
  check("AP", got.ap);
  for (std::size_t kind = 0; kind < got.deltas.size(); ++kind) check(kErrorNames[kind], got.deltas[kind]);
}

EvaluationOptions options_of(IouType type, int threads = 0) {
  EvaluationOptions options;
  options.iou_type = type;
  options.threads = threads;
  return options;
}

double delta(const ErrorAnalysis& analysis, ErrorKind kind) { return analysis.deltas[static_cast<std::size_t>(kind)]; }

// Boxes in a row, whose overlap is easily seen.

std::array<double, 4> box(double x, double width) { return {x, 0, width, 10}; }

struct SmallSet {
  Annotations annotations;
  std::vector<CocoResult> results;

  SmallSet() {
    annotations.path = "small.json";
    annotations.images = {{1, "a.png", 10, 100}, {2, "b.png", 10, 100}};
    annotations.categories = {{4, "thing"}, {5, "other"}};
  }
  void truth(std::int64_t image, std::int64_t category, const std::array<double, 4>& at, bool crowd = false) {
    const auto id = static_cast<std::int64_t>(annotations.annotations.size()) + 1;
    annotations.annotations.push_back({id, image, category, crowd, 100, at, {}});
  }
  void result(std::int64_t image, std::int64_t category, const std::array<double, 4>& at, double score) {
    results.push_back({"", image, category, "", at, score, {}});
  }
  ErrorAnalysis analyse(EvaluationOptions options = options_of(IouType::bbox), ErrorThresholds thresholds = {}) const {
    return analyse_errors(annotations, results, options, thresholds);
  }
};

}  // namespace

TEST_CASE("errors are what tidecv finds") {
  const auto name = GENERATE(as<std::string>(), "mixed", "ties", "many", "limits", "demo");
  const auto type = GENERATE(IouType::segm, IouType::bbox);
  const std::string iou = type == IouType::segm ? "segm" : "bbox";
  CAPTURE(name, iou);
  const std::string folder = MASKRT_DEMO "/";
  const bool is_demo = name == "demo";
  const Annotations annotations =
      read_annotations(is_demo ? folder + "annotations.json" : data + name + "_annotations.json", type);
  const auto results = read_results(is_demo ? folder + "reference_results.json" : data + name + "_results.json", type);
  const json want = read_json(data + "expected.json");
  compare(analyse_errors(annotations, results, options_of(type)), want.at(name).at(iou));
}

TEST_CASE("errors: the number of threads changes nothing") {
  const Annotations annotations = read_annotations(data + "mixed_annotations.json");
  auto results = read_results(data + "mixed_results.json");
  const ErrorAnalysis one = analyse_errors(annotations, results, options_of(IouType::segm, 1));
  for (const int threads : {2, 7, 100}) {
    CAPTURE(threads);
    const ErrorAnalysis more = analyse_errors(annotations, results, options_of(IouType::segm, threads));
    CHECK(more.ap == one.ap);
    CHECK(more.deltas == one.deltas);
  }
  for (CocoResult& result : results) result.segmentation->counts += "!";
  const auto message = [&](int threads) {
    return error_of([&] { analyse_errors(annotations, results, options_of(IouType::segm, threads)); });
  };
  CHECK_THAT(message(1), Catch::StartsWith("results["));
  for (int repeat = 0; repeat < 20; ++repeat) CHECK(message(4) == message(1));
}

TEST_CASE("errors: one of each kind") {
  SmallSet set;
  set.truth(1, 4, box(0, 10));
  SECTION("none") {
    set.result(1, 4, box(0, 10), 0.9);
    const ErrorAnalysis analysis = set.analyse();
    CHECK(analysis.ap == 100);
    for (const double points : analysis.deltas) CHECK(points == 0);
  }
  SECTION("the wrong category, which is then one without truths") {
    set.result(1, 5, box(0, 10), 0.9);
    const ErrorAnalysis analysis = set.analyse();
    CHECK(analysis.ap == 0);
    CHECK(delta(analysis, ErrorKind::classification) == 100);
    CHECK(delta(analysis, ErrorKind::missed) == 0);
  }
  SECTION("too little overlap: 1 to 3") {
    set.result(1, 4, box(5, 10), 0.9);
    const ErrorAnalysis analysis = set.analyse();
    CHECK(delta(analysis, ErrorKind::localisation) == 100);
    CHECK(delta(analysis, ErrorKind::missed) == 0);
    SECTION("which other thresholds call right") {
      CHECK(set.analyse(options_of(IouType::bbox), {0.3, 0.1}).ap == 100);
      CHECK(delta(set.analyse(options_of(IouType::bbox), {0.5, 0.4}), ErrorKind::localisation) == 0);
    }
  }
  SECTION("both: taken away, after which a category without truths is gone") {
    set.result(1, 5, box(5, 10), 0.9);
    CHECK(delta(set.analyse(), ErrorKind::both) == 0);
    set.result(1, 4, box(0, 10), 0.8);
    CHECK(set.analyse().ap == 50);
    CHECK(delta(set.analyse(), ErrorKind::both) == 50);
  }
  SECTION("a duplicate, better than what is right in another image") {
    set.truth(2, 4, box(0, 10));
    set.result(1, 4, box(0, 10), 0.9);
    set.result(1, 4, box(1, 9), 0.8);
    set.result(2, 4, box(0, 10), 0.7);
    CHECK(delta(set.analyse(), ErrorKind::duplicate) == Approx(100 - set.analyse().ap));
    CHECK(delta(set.analyse(), ErrorKind::duplicate) > 10);
    CHECK(delta(set.analyse(), ErrorKind::false_positives) == delta(set.analyse(), ErrorKind::duplicate));
  }
  SECTION("nothing there") {
    set.result(1, 4, box(0, 10), 0.8);
    set.result(1, 4, box(60, 10), 0.9);
    CHECK(set.analyse().ap == 50);
    CHECK(delta(set.analyse(), ErrorKind::background) == 50);
  }
  SECTION("not found") {
    set.truth(2, 5, box(0, 10));
    set.result(1, 4, box(0, 10), 0.8);
    CHECK(set.analyse().ap == 50);
    CHECK(delta(set.analyse(), ErrorKind::missed) == 50);
    CHECK(delta(set.analyse(), ErrorKind::false_negatives) == 50);
  }
  SECTION("in a crowd: not wrong") {
    set.truth(1, 4, box(50, 50), true);
    set.result(1, 4, box(0, 10), 0.8);
    set.result(1, 4, box(60, 10), 0.9);
    CHECK(set.analyse().ap == 100);
    SECTION("but of another category") {
      set.results[1].category_id = 5;
      CHECK(set.analyse().ap == 50);
      CHECK(delta(set.analyse(), ErrorKind::background) == 50);
    }
  }
}

TEST_CASE("errors: where there is nothing to average") {
  SmallSet set;
  SECTION("no records") {
    const ErrorAnalysis analysis = set.analyse();
    CHECK(analysis.ap == 0);
    for (const double points : analysis.deltas) CHECK(points == 0);
  }
  SECTION("results alone") {
    set.result(1, 4, box(0, 10), 0.9);
    const ErrorAnalysis analysis = set.analyse();
    CHECK(analysis.ap == 0);
    for (const double points : analysis.deltas) CHECK(points == 0);
  }
  SECTION("annotations alone") {
    set.truth(1, 4, box(0, 10));
    const ErrorAnalysis analysis = set.analyse();
    CHECK(analysis.ap == 0);
    CHECK(delta(analysis, ErrorKind::false_negatives) == 0);
  }
  SECTION("no image") {
    EvaluationOptions options = options_of(IouType::bbox);
    options.image_ids.emplace();
    set.truth(1, 4, box(0, 10));
    CHECK(set.analyse(options).ap == 0);
  }
}

TEST_CASE("errors: some of the images, and what cannot be scored") {
  SmallSet set;
  set.truth(1, 4, box(0, 10));
  set.truth(2, 4, box(0, 10));
  set.result(1, 4, box(0, 10), 0.9);
  EvaluationOptions options = options_of(IouType::bbox);
  CHECK(set.analyse().ap < 60);
  options.image_ids = {{Id(1)}};
  CHECK(set.analyse(options).ap == 100);

  CHECK_THAT(error_of([&] { set.analyse(options_of(IouType::segm)); }),
             Catch::StartsWith("small.json: annotation 1: expected a segmentation"));
  set.result(3, 4, box(0, 10), 0.9);
  CHECK(error_of([&] { set.analyse(); }) == "results[1]: expected an image that small.json lists, found image_id 3");
  const double infinity = std::numeric_limits<double>::infinity();
  set.results[1] = set.results[0];
  set.results[1].bbox = {-infinity, -infinity, infinity, infinity};
  CHECK(set.analyse().ap < 60);
}

TEST_CASE("errors: thresholds that make no sense") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [foreground, background] : {std::pair{0.5, 0.6}, {0.0, 0.0}, {1.1, 0.1}, {0.5, -0.1}, {nan, 0.1}}) {
    CAPTURE(foreground, background);
    const ErrorThresholds thresholds{foreground, background};
    CHECK_THAT(error_of([&] { SmallSet().analyse({}, thresholds); }),
               Catch::StartsWith("errors: expected thresholds 0 <= background <= foreground <= 1"));
  }
}

}  // namespace maskrt::coco
