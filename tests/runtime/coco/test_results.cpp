// Results files: what is read, what is written, and what an error says.
#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "error_of.h"
#include "runtime/coco/results.h"
#include "support/files.h"

namespace maskrt::coco {
namespace {

using nlohmann::json;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

std::vector<CocoResult> read_result_text(const std::string& text) {
  const TemporaryFolder folder;
  return read_results(write_text(folder / "r.json", text));
}

void write_results(const std::filesystem::path& path, std::span<const CocoResult> results) {
  ResultsWriter writer(path);
  for (const CocoResult& result : results) writer.add(result);
  writer.finish();
}

}  // namespace

TEST_CASE("results are read") {
  const auto results = read_result_text(R"([
    {"image_id": 3, "category_id": 90, "score": 0.37124019861221313, "bbox": [1, 2, 3, 4.25],
     "segmentation": {"counts": "04", "size": [2, 2]}, "file_name": "a.jpg", "category": "cup", "more": [1, {}]},
    {"image_id": 4, "category_id": 1, "score": 1, "bbox": [], "segmentation": {"size": [2, 3], "counts": [1, 5]}}])");
  REQUIRE(results.size() == 2);
  CHECK(results[0].image_id == 3);
  CHECK(results[0].category_id == 90);
  CHECK(results[0].score == 0.37124019861221313);
  CHECK(results[0].bbox == std::array{1.0, 2.0, 3.0, 4.25});
  CHECK(results[0].file_name == "a.jpg");
  CHECK(results[0].category == "cup");
  CHECK(results[0].segmentation->counts == "04");
  CHECK_FALSE(results[1].bbox);
  CHECK(results[1].segmentation->counts == "15");
  CHECK(read_result_text("[]").empty());

  const auto error = [](const std::string& text) { return error_of([&] { read_result_text(text); }); };
  CHECK_THAT(error(R"([{"image_id": 1, "category_id": 1}])"),
             Catch::EndsWith("r.json: results[0]: score must be a number, but is missing"));
  CHECK_THAT(error(R"([{"image_id": 1, "category_id": 1, "score": nan}])"), Catch::Contains("valid JSON"));
  CHECK_THAT(error(R"([{"image_id": 1, "category_id": 1, "score": "0.5"}])"),
             Catch::EndsWith("results[0]: score must be a number, but is the string \"0.5\""));
  const auto outlined =
      read_result_text(R"([{"image_id": 1, "category_id": 1, "score": 1, "segmentation": [[1, 2, 3, 4, 5, 6]]}])");
  CHECK(outlined[0].outlines == Polygons{{1, 2, 3, 4, 5, 6}});
  CHECK_FALSE(outlined[0].segmentation);
  CHECK_THAT(error(R"([{"image_id": 1, "category_id": 1, "score": 1, "segmentation": [[1, 2, 3, 4]]}])"),
             Catch::Contains("results[0]: the first polygon must be of 3 points or more"));
  CHECK_THAT(
      error(R"([{"image_id": 1, "category_id": 1, "score": 1, "segmentation": {"size": [2, 2], "counts": [3]}}])"),
      Catch::Contains("r.json: results[0]: "));
}

TEST_CASE("results of another shape") {
  CHECK_THAT(error_of([] { read_result_text("{}"); }),
             Catch::EndsWith("r.json: expected results to be an array, found an object"));
  const TemporaryFolder folder;
  CHECK(error_of([&] { read_results(folder.path()); }) ==
        folder.path().string() + ": expected a JSON file, found a folder");
  CHECK(error_of([&] { read_results(folder / "none.json"); }) ==
        (folder / "none.json").string() + ": cannot be opened: No such file or directory");
}

TEST_CASE("what is written reads back as it was") {
  const TemporaryFolder folder;
  const double third = 1.0 / 3, as_float = 0.1f;
  const std::vector<CocoResult> written = {
      {"a \"b\"\\\n\x01.jpg",
       std::numeric_limits<std::int64_t>::min(),
       90,
       "caf\xc3\xa9",
       {{0, 0.5, 1e300, -3}},
       third,
       Rle{480, 640, "\\`PO1"}},
      {"", 2, 1, "", {}, as_float, {}},
      {"c", 3, 1, "", {}, 1, Rle{1, 1, "01"}},
  };
  write_results(folder / "r.json", written);
  const auto read = read_results(folder / "r.json");
  REQUIRE(read.size() == written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    CAPTURE(i);
    CHECK(read[i].file_name == written[i].file_name);
    CHECK(read[i].image_id == written[i].image_id);
    CHECK(read[i].category_id == written[i].category_id);
    CHECK(read[i].category == written[i].category);
    CHECK(read[i].bbox == written[i].bbox);
    CHECK(read[i].segmentation.has_value() == written[i].segmentation.has_value());
    if (read[i].segmentation) CHECK(read[i].segmentation->counts == written[i].segmentation->counts);
  }
  CHECK(read[0].score == third);
  CHECK(static_cast<float>(read[1].score) == 0.1f);
  CHECK_THAT(read_text(folder / "r.json"), Catch::Contains("\"score\": 0.1}"));
  const json parsed = json::parse(read_text(folder / "r.json"));
  CHECK(parsed[0]["segmentation"]["size"] == json({480, 640}));
  CHECK_FALSE(parsed[1].contains("file_name"));
  CHECK_FALSE(parsed[1].contains("bbox"));
}

TEST_CASE("an empty list, names that are not UTF-8, and many results") {
  const TemporaryFolder folder;
  write_results(folder / "r.json", {});
  CHECK(json::parse(read_text(folder / "r.json")) == json::array());
  CHECK(read_results(folder / "r.json").empty());

  CocoResult odd{"x\xff\xc3.jpg", 1, 1, "\xed\xa0\x80", {}, 0.5, {}};
  write_results(folder / "r.json", std::vector{odd});
  const auto read = read_results(folder / "r.json");
  CHECK(read[0].file_name == "x\xef\xbf\xbd\xef\xbf\xbd.jpg");
  CHECK_THAT(read[0].category, Catch::StartsWith("\xef\xbf\xbd"));

  odd.file_name = std::string(1000, 'n');
  write_results(folder / "r.json", std::vector<CocoResult>(5000, odd));  // several times the writer's buffer
  CHECK(read_results(folder / "r.json").size() == 5000);
}

TEST_CASE("a results file is all there or not there") {
  const TemporaryFolder folder;
  const auto path = write_text(folder / "r.json", "before");
  const auto files = [&] { return std::distance(std::filesystem::directory_iterator(folder.path()), {}); };
  CocoResult result{"a", 1, 1, "", {}, 0.5, {}};
  {
    ResultsWriter writer(path);
    writer.add(result);
  }
  CHECK(read_text(path) == "before");
  CHECK(files() == 1);

  result.score = std::numeric_limits<double>::quiet_NaN();
  CHECK(error_of([&] { write_results(path, std::vector{result}); }) ==
        "cannot write result 0 to " + path.string() + ": expected a finite score and box, found one that is not");
  result.score = 0.5;
  result.bbox = {0, 0, std::numeric_limits<double>::infinity(), 0};
  CHECK_THAT(error_of([&] { write_results(path, std::vector{result}); }), Catch::Contains("finite"));
  CHECK(read_text(path) == "before");
  CHECK(files() == 1);

  CHECK_THAT(error_of([&] { write_results(folder / "no/r.json", {}); }), Catch::Contains("No such file"));
  CHECK_NOTHROW(write_results("/dev/null", {}));
}

TEST_CASE("a results file that is not completed holds the images that ended") {
  const testing::TemporaryFolder folder;
  const auto path = folder / "r.json";
  const auto result = [](std::int64_t image) { return CocoResult{"a", image, 1, "", {}, 0.5, {}}; };
  {
    ResultsWriter writer(path);
    CHECK(writer.keep() == 0);  // no image: no file
  }
  CHECK_FALSE(std::filesystem::exists(path));
  {
    ResultsWriter writer(path);
    writer.end_image();  // nothing was found in it
    writer.add(result(2));
    writer.add(result(2));
    writer.end_image();
    CHECK(writer.keep() == 2);
  }
  CHECK(read_results(path).size() == 2);
  {
    ResultsWriter writer(path);
    writer.end_image();
    CHECK(writer.keep() == 1);
  }
  CHECK(read_text(path) == "[]\n");
}

}  // namespace maskrt::coco
