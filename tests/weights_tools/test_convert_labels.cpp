// Labels in every form, and in forms that are none.
#include <catch2/catch.hpp>
#include <string>

#include "maskrt/types.hpp"
#include "support/files.h"
#include "weights_tools/labels.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

struct File {
  testing::TemporaryFolder folder;
  std::vector<Category> read(const std::string& text, int classes) {
    return read_labels(testing::write_text(folder / "labels", text), classes).categories;
  }
  std::string outcome(const std::string& text, int classes = 2) {
    try {
      read(text, classes);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

std::string names(const std::vector<Category>& categories) {
  std::string text;
  for (const auto& one : categories)
    text += std::to_string(one.id) + ":" + one.name + (one.is_thing ? " " : "(stuff) ");
  return text;
}

TEST_CASE("labels that nobody gave") {
  const auto coco = default_categories(80);
  REQUIRE(coco.size() == 80);
  CHECK(coco.front().id == 1);
  CHECK(coco.front().name == "person");
  CHECK(coco[11].id == 13);  // 12 is a gap
  CHECK(coco[11].name == "stop sign");
  CHECK(coco.back().id == 90);
  CHECK(coco.back().name == "toothbrush");
  for (std::size_t i = 1; i < 80; ++i) CHECK(coco[i - 1].id < coco[i].id);
  CHECK(names(default_categories(3)) == "1:class_0 2:class_1 3:class_2 ");
}

TEST_CASE("labels as text") {
  File file;
  CHECK(names(file.read("cat\nsea lion\n", 2)) == "1:cat 2:sea lion ");
  CHECK(names(file.read("\xef\xbb\xbf"
                        "cat\r\n\xc3\xa9l\xc3\xa9phant\t \r\n\r\n\n",
                        2)) == "1:cat 2:\xc3\xa9l\xc3\xa9phant ");
  CHECK_THAT(file.outcome("a\n\nb"), Contains("line 2: expected one name a line, found an empty line"));
  CHECK_THAT(file.outcome("a\nb\nc"), Contains("expected 2 labels (MODEL.SPARSE_INST.DECODER.NUM_CLASSES), found 3"));
  CHECK_THAT(file.outcome(""), Contains("expected 2 labels") && Contains("found 0"));
  CHECK_THAT(file.outcome(std::string("a\nb\0c", 5)), Contains("line 2: expected a name"));
  CHECK_THAT(file.outcome(std::string(5000, 'x')), Contains("line 1: expected a name"));
}

TEST_CASE("labels as COCO categories") {
  File file;
  const std::string list =
      R"([{"id": 9, "name": "b", "isthing": 0, "color": [1, 20, 255]}, {"name": "a", "id": 4, "supercategory": "x"}])";
  for (const auto& text :
       {list, "{\"categories\": " + list + "}",
        R"({"info": {"categories": [1], "a": {"id": 5}}, "images": [{"id": 1}], "categories": )" + list +
            R"(, "annotations": [{"segmentation": [[1, 2.5]], "category_id": 4, "name": null}]})",
        " \n\t" + list, "\xef\xbb\xbf" + list}) {
    INFO(text);
    const auto categories = file.read(text, 2);
    CHECK(names(categories) == "4:a 9:b(stuff) ");
    CHECK(static_cast<int>(categories[1].color[0]) == 1);
    CHECK(static_cast<int>(categories[1].color[1]) == 20);
    CHECK(static_cast<int>(categories[1].color[2]) == 255);
  }
  CHECK(names(file.read(R"([{"id": 0, "name": "x", "isthing": true, "keypoints": ["id", ["name"]]}])", 1)) == "0:x ");
}

TEST_CASE("JSON that holds no labels") {
  File file;
  CHECK_THAT(file.outcome("{}"), Contains("expected a list of COCO categories or of names, or an object"));
  CHECK_THAT(file.outcome(R"({"categories": 5})"), Contains("expected a list of COCO categories"));
  CHECK_THAT(file.outcome("[1]"), Contains("expected categories or names in the list, found 1"));
  CHECK_THAT(file.outcome("[[]]"), Contains("expected categories or names in the list, found a list"));
  CHECK_THAT(file.outcome(R"([{"id": 1}])"), Contains("expected an 'id' and a 'name' in each category"));
  CHECK_THAT(file.outcome(R"([{"name": "a"}])"), Contains("expected an 'id' and a 'name' in each category"));
  CHECK_THAT(file.outcome(R"([{"id": "1", "name": "a"}])"), Contains("expected an integer as a category's 'id'"));
  CHECK_THAT(file.outcome(R"([{"id": 1.5, "name": "a"}])"), Contains("found a fraction"));
  CHECK_THAT(file.outcome(R"([{"id": -1, "name": "a"}])"), Contains("from 0 to 1073741824, found -1"));
  CHECK_THAT(file.outcome(R"([{"id": 18446744073709551615, "name": "a"}])"), Contains("from 0 to 1073741824"));
  CHECK_THAT(file.outcome(R"([{"id": 1, "name": 5}])"), Contains("expected a string as a category's 'name'"));
  CHECK_THAT(file.outcome(R"([{"id": 1, "name": "a", "isthing": 2}])"), Contains("expected 0 or 1"));
  CHECK_THAT(file.outcome(R"([{"id": 1, "name": "a"}, {"id": 1, "name": "b"}])"),
             Contains("expected each category id once, found 1 for 'a' and 'b'"));
  CHECK_THAT(file.outcome(R"({"categories": [], "categories": []})"), Contains("'categories' once"));
  CHECK_THAT(file.outcome("[" + std::string(2000, 'x')), Contains("expected JSON"));
  CHECK_THAT(file.outcome("[] []"), Contains("expected JSON"));
  CHECK_THAT(file.outcome(R"([{"id": 1e999, "name": "a"}])"), Contains("expected numbers that a double can hold"));
  CHECK_THAT(file.outcome(R"({"info": -1e4000, "categories": []})"), Contains("expected numbers that a double can hold"));
  CHECK_THAT(file.outcome(std::string(100000, '[')), Contains("names in the list, found a list"));
  std::string deep = "{\"x\": ";
  for (int i = 0; i < 100000; ++i) deep += "[";
  CHECK_THAT(file.outcome(deep), Contains("expected at most 64 nested levels"));
  CHECK_THROWS_WITH(read_labels(file.folder / "none", 2), Contains("expected a labels file"));
  CHECK_THROWS_WITH(read_labels(file.folder.path(), 2), Contains("expected a labels file"));
}

TEST_CASE("labels cut off or with flipped bits") {
  File file;
  const std::string whole = R"({"categories": [{"id": 9, "name": "b", "color": [1, 2, 3]}, {"id": 4, "name": "a"}]})";
  REQUIRE(file.outcome(whole) == "");
  for (std::size_t length = 0; length < whole.size(); ++length) CHECK(file.outcome(whole.substr(0, length)) != "");
  int refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      auto flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      refused += file.outcome(flipped) != "";
    }
  CHECK(refused > static_cast<int>(whole.size()) * 8 / 2);  // changed digits and letters of names stay valid
}

}  // namespace
}  // namespace maskrt::weights
