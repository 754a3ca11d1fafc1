// Annotation and results files: what is read, what is written, and what an error says.
#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/coco/annotations.h"
#include "runtime/coco/image_lines.h"
#include "runtime/coco/results.h"
#include "support/files.h"

namespace maskrt::coco {
namespace {

using nlohmann::json;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

Annotations read_annotation_text(const std::string& text) {
  const TemporaryFolder folder;
  return read_annotations(write_text(folder / "a.json", text));
}

std::vector<CocoResult> read_result_text(const std::string& text) {
  const TemporaryFolder folder;
  return read_results(write_text(folder / "r.json", text));
}

void write_results(const std::filesystem::path& path, std::span<const CocoResult> results) {
  ResultsWriter writer(path);
  for (const CocoResult& result : results) writer.add(result);
  writer.finish();
}

/// A file whose one annotation has these members beside its ids and area.
std::string with_annotation(const std::string& members) {
  return R"({"images": [], "categories": [], "annotations": [{"id": 5, "image_id": 1, "category_id": 2, "area": 3)" +
         (members.empty() ? "" : ", " + members) + "}]}";
}

Annotation read_annotation(const std::string& members) {
  return read_annotation_text(with_annotation(members)).annotations.at(0);
}

}  // namespace

TEST_CASE("annotations are read in whatever order the file has them") {
  const Annotations set = read_annotation_text(R"({
    "info": {"annotations": [{"id": 1}], "deep": [[[[1]]]]},
    "annotations": [
      {"id": 5, "image_id": 1, "category_id": 2, "area": 3, "iscrowd": 1, "bbox": [1, 2.5, 3, 4],
       "segmentation": {"size": [4, 6], "counts": [3, 21]}, "extra": {"a": [1, 2]}},
      {"id": 6.0, "image_id": 1, "category_id": 2, "area": 0.5, "iscrowd": false,
       "segmentation": {"size": [4, 6], "counts": "X5"}},
      {"id": -7, "image_id": 9223372036854775807, "category_id": 2, "area": 3,
       "segmentation": [[0, 1, 2, 3, 4.5, 5], [1, 1, 2, 2]]}],
    "categories": [{"id": 2, "name": "caf\u00e9", "supercategory": "place"}],
    "images": [{"id": 1, "width": 6, "height": 4, "file_name": "a/b.jpg", "license": 3}, {"id": 2}]})");
  REQUIRE(set.images.size() == 2);
  CHECK(set.images[0].file_name == "a/b.jpg");
  CHECK(set.images[0].height == 4);
  CHECK(set.images[0].width == 6);
  CHECK(set.images[1].height == 0);
  REQUIRE(set.categories.size() == 1);
  CHECK(set.categories[0].name == "caf\xc3\xa9");
  REQUIRE(set.annotations.size() == 3);
  const Annotation &crowd = set.annotations[0], &compressed = set.annotations[1], &outline = set.annotations[2];
  CHECK(crowd.crowd);
  CHECK(crowd.bbox == std::array{1.0, 2.5, 3.0, 4.0});
  CHECK(std::get<RunCounts>(crowd.segmentation).counts == std::vector<std::uint32_t>{3, 21});
  CHECK(compressed.id == 6);
  CHECK_FALSE(compressed.crowd);
  CHECK_FALSE(compressed.bbox);
  CHECK(std::get<Rle>(compressed.segmentation).counts == "X5");
  CHECK(std::get<Rle>(compressed.segmentation).height == 4);
  CHECK(outline.id == -7);
  CHECK(outline.image_id == std::numeric_limits<std::int64_t>::max());
  CHECK(std::get<Polygons>(outline.segmentation) == Polygons{{0, 1, 2, 3, 4.5, 5}, {1, 1, 2, 2}});
}

TEST_CASE("annotations, masks and boxes may be missing") {
  CHECK(read_annotation_text(R"({"images": [], "categories": []})").annotations.empty());
  for (const char* members : {"", R"("segmentation": [], "bbox": [])", R"("segmentation": null, "bbox": null)"}) {
    CAPTURE(members);
    const Annotation annotation = read_annotation(members);
    CHECK(std::holds_alternative<std::monostate>(annotation.segmentation));
    CHECK_FALSE(annotation.bbox);
  }
}

TEST_CASE("an error names file, record, what was expected and what was found") {
  const auto error = [](const std::string& members) {
    std::string message = error_of([&] { read_annotation(members); });
    const auto start = message.find("a.json: ");
    return start == std::string::npos ? message : message.substr(start);
  };
  const std::string place = "a.json: annotations[0] (id 5): ";
  CHECK(error(R"("iscrowd": "no")") == place + "iscrowd must be 0 or 1, but is the string \"no\"");
  CHECK(error(R"("iscrowd": 0.5)") == place + "iscrowd must be 0 or 1, but is the number 0.5");
  CHECK(error(R"("bbox": [1, 2, 3])") == place + "bbox must be an array of 4 numbers, but is an array of 3");
  CHECK(error(R"("bbox": [1, 2, 3, true])") == place + "bbox must be an array of 4 numbers, but is true");
  CHECK(error(R"("segmentation": 1)") ==
        place + "segmentation must be polygons, or an object with size and counts, but is the number 1");
  CHECK(error(R"("segmentation": {"counts": "a"})") ==
        place + "segmentation.size must be [height, width], but is missing");
  CHECK(error(R"("segmentation": {"size": [4], "counts": "a"})") ==
        place + "segmentation.size must be [height, width], but is an array of 1");
  CHECK(error(R"("segmentation": {"size": [4, 0], "counts": "a"})") ==
        place + "an extent of segmentation.size must be from 1 to 2147483647, but is the number 0");
  CHECK(error(R"("segmentation": {"size": [4, 4]})") ==
        place + "segmentation.counts must be a string or an array, but is missing");
  CHECK(error(R"("segmentation": {"size": [4, 4], "counts": [1, -1]})") ==
        place + "a run of segmentation.counts must be from 0 to 4294967295, but is the number -1");
  CHECK(error(R"("segmentation": [[1, 2, 3, 4, 5, 6], 7])") ==
        place + "a polygon of segmentation must be an array of coordinates, but is the number 7");
  CHECK(error(R"("segmentation": [[1, 2, 3, 4]])") ==
        place + "the first polygon must be of 3 points or more, but is an array of 4");
  CHECK(error(R"("segmentation": [[1, 2, 3, 4, 5, "6"]])") ==
        place + "a coordinate of segmentation must be a finite number, but is the string \"6\"");
  CHECK(error(R"("area": null)") == place + "area must be a number, but is null");
  CHECK(error(R"("iscrowd": NaN)") == place + "iscrowd must be 0 or 1, but is the number NaN");
  CHECK_THAT(error(R"("extra": ")" + std::string("\xff") + "\""), Catch::Contains("ill-formed UTF-8"));
}

TEST_CASE("ids must be whole, of 64 bits and used once") {
  const auto error = [](const std::string& annotations) {
    std::string message = error_of(
        [&] { read_annotation_text(R"({"images": [], "categories": [], "annotations": [)" + annotations + "]}"); });
    return message.substr(message.find("a.json: ") + 8);
  };
  const std::string rest = R"(, "image_id": 1, "category_id": 2, "area": 3})";
  CHECK(error(R"({"id": 9223372036854775808)" + rest) ==
        "annotations[0]: id must be a whole number of 64 bits, but is the number 9223372036854775808");
  CHECK(error(R"({"id": 1e40)" + rest) ==
        "annotations[0]: id must be a whole number of 64 bits, but is the number 1e+40");
  CHECK(error(R"({"id": 1.5)" + rest) == "annotations[0]: id must be a whole number of 64 bits, but is the number 1.5");
  CHECK(error(R"({"id": "1.0")" + rest) ==
        "annotations[0] (id \"1.0\"): id must be a whole number of 64 bits, but is the string \"1.0\"");
  CHECK(error(R"({"id": 1)" + rest + R"(, {"id": "1")" + rest) ==
        "annotations[1] (id \"1\"): id must be used once in its list, but is the string \"1\"");
  CHECK(error(R"({"image_id": 1, "category_id": 2, "area": 3})") ==
        "annotations[0]: id must be a whole number, but is missing");
  CHECK(error(R"({"id": 1)" + rest + R"(, {"id": 1)" + rest) ==
        "annotations[1] (id 1): id must be used once in its list, but is the number 1");
}

TEST_CASE("files of another shape") {
  const auto error = [](const std::string& text) { return error_of([&] { read_annotation_text(text); }); };
  CHECK_THAT(error("[]"), Catch::EndsWith("a.json: expected an object, found an array"));
  CHECK_THAT(error("3"), Catch::EndsWith("a.json: expected an object, found the number 3"));
  CHECK_THAT(error("{}"), Catch::EndsWith("expected COCO annotations with \"images\", found no such member"));
  CHECK_THAT(error(R"({"images": []})"), Catch::EndsWith("with \"categories\", found no such member"));
  CHECK_THAT(error(R"({"images": {}})"), Catch::EndsWith("a.json: expected images to be an array, found an object"));
  CHECK_THAT(error(R"({"images": null})"), Catch::EndsWith("a.json: expected images to be an array, found null"));
  CHECK_THAT(error(R"({"images": [1]})"), Catch::EndsWith("a.json: images[0]: expected an object, found the number 1"));
  CHECK_THAT(error(R"({"images": [[]]})"),
             Catch::EndsWith("a.json: images[0]: expected an object, found an array of 0"));
  CHECK_THAT(error(R"({"images": [], "images": []})"),
             Catch::EndsWith("a.json: expected one member \"images\", found a second"));
  CHECK_THAT(error(""), Catch::Contains("a.json: expected valid JSON, found a"));
  CHECK_THAT(error(R"({"images": [], "categories": [])"), Catch::Contains("unexpected end of input"));
  CHECK_THAT(error(R"({"info": )" + std::string(100000, '[')),
             Catch::EndsWith("a.json: expected JSON nested at most 32 deep, found more"));
  CHECK_THAT(error(R"({"images": [{"id": )" + std::string(100000, '[')),
             Catch::EndsWith("a.json: expected JSON nested at most 32 deep, found more"));
  CHECK_THAT(error_of([] { read_result_text("{}"); }),
             Catch::EndsWith("r.json: expected results to be an array, found an object"));
  const TemporaryFolder folder;
  CHECK(error_of([&] { read_results(folder.path()); }) ==
        folder.path().string() + ": expected a JSON file, found a folder");
  CHECK(error_of([&] { read_results(folder / "none.json"); }) ==
        (folder / "none.json").string() + ": cannot be opened: No such file or directory");
}

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
  const auto outlined = read_result_text(
      R"([{"image_id": 1, "category_id": 1, "score": 1, "segmentation": [[1, 2, 3, 4, 5, 6]]}])");
  CHECK(outlined[0].outlines == Polygons{{1, 2, 3, 4, 5, 6}});
  CHECK_FALSE(outlined[0].segmentation);
  CHECK_THAT(error(R"([{"image_id": 1, "category_id": 1, "score": 1, "segmentation": [[1, 2, 3, 4]]}])"),
             Catch::Contains("results[0]: the first polygon must be of 3 points or more"));
  CHECK_THAT(
      error(R"([{"image_id": 1, "category_id": 1, "score": 1, "segmentation": {"size": [2, 2], "counts": [3]}}])"),
      Catch::Contains("r.json: results[0]: "));
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

TEST_CASE("lines of images read back as they were written") {
  const testing::TemporaryFolder folder;
  const ImageLine full{"a \"b\"\n.jpg",
                       7,
                       640,
                       480,
                       "model xxh3:1, score 0.5",
                       {{"a \"b\"\n.jpg", 7, 3, "car", {{1.5, 2, 3, 4}}, 0.1f, Rle{2, 2, "04"}},
                        {"a \"b\"\n.jpg", 7, 4, "", {}, 1.0 / 3, {}}}};
  const ImageLine empty{"caf\xe9.jpg", -1, 1, 1, "", {}};
  const std::string text = to_text(full) + to_text(empty);
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  const auto path = write_text(folder / "lines", text + to_text(full).substr(0, 100));
  const ImageLines read = read_image_lines(path);
  CHECK(read.bytes == text.size());
  REQUIRE(read.lines.size() == 2);
  CHECK(to_text(read.lines[0]) == to_text(full));
  CHECK(read.lines[0].instances.at(1).score == 1.0 / 3);
  CHECK(read.lines[1].file_name == "caf\xef\xbf\xbd.jpg");
  CHECK(read.lines[1].file_name == as_written("caf\xe9.jpg"));
  CHECK(read.lines[1].image_id == -1);
  CHECK(read_image_lines(write_text(folder / "none", "")).lines.empty());
  CHECK(read_image_lines(write_text(folder / "torn", "{")).bytes == 0);
}

TEST_CASE("lines that are no images' results are refused with their number") {
  const testing::TemporaryFolder folder;
  const std::string good = R"({"file_name": "a", "image_id": 1, "width": 2, "height": 2, "run": "", "instances": [)";
  const std::pair<std::string, const char*> lines[] = {
      {"", "line 2: expected JSON"},
      {"{}", "lines[1]: image_id must be"},
      {"[1]", "line 2: expected an image's results"},
      {"7", "line 2: expected an image's results"},
      {std::string(100, '['), "line 2: expected JSON nested at most 8 deep"},
      {R"({"image_id": 1, "image_id": 2})", "line 2: expected each key once"},
      {R"({"image_id": [1]})", "lines[1]: image_id must be a whole number"},
      {R"({"image_id": 1, "width": 0})", "lines[1]: width must be the size of an image"},
      {R"({"image_id": 1, "width": 3000000000})", "lines[1]: width must be the size of an image"},
      {R"({"image_id": 1, "width": 2, "height": 2})", "lines[1]: instances must be a list of results"},
      {R"({"image_id": 1, "width": 2, "height": 2, "instances": {}})", "instances must be a list"},
      {R"({"file_name": 3, "image_id": 1})", "file_name must be a string"},
      {good + "3]}", "lines[1].instances[0]: a result must be an object"},
      {good + R"({"image_id": 1, "category_id": 1}]})", "lines[1].instances[0]: score must be"},
      {good + R"({"image_id": 1, "category_id": 1, "score": 1e999}]})", "line 2: expected numbers"},
  };
  for (const auto& [line, message] : lines) {
    INFO(line);
    const auto path = write_text(folder / "lines", good + "]}\n" + line + "\n");
    CHECK_THAT(error_of([&] { read_image_lines(path); }), Catch::Contains(message));
  }
  CHECK_THAT(error_of([&] { read_image_lines(folder / "missing"); }), Catch::Contains("missing: cannot be opened"));
}

}  // namespace maskrt::coco
