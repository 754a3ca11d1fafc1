// Annotation files: what is read, and what an error says.
#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <string>

#include "error_of.h"
#include "runtime/coco/annotations.h"
#include "support/files.h"

namespace maskrt::coco {
namespace {

using testing::TemporaryFolder;
using testing::write_text;

Annotations read_annotation_text(const std::string& text) {
  const TemporaryFolder folder;
  return read_annotations(write_text(folder / "a.json", text));
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
}

}  // namespace maskrt::coco
