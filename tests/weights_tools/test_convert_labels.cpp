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
    return read_labels(testing::write_text(folder / "labels", text), classes, "NUM_CLASSES").categories;
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
  CHECK_THAT(file.outcome("a\nb\nc"), Contains("expected 2 labels (NUM_CLASSES), found 3"));
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
  CHECK_THAT(file.outcome(R"({"info": -1e4000, "categories": []})"),
             Contains("expected numbers that a double can hold"));
  CHECK_THAT(file.outcome(std::string(100000, '[')), Contains("names in the list, found a list"));
  std::string deep = "{\"x\": ";
  for (int i = 0; i < 100000; ++i) deep += "[";
  CHECK_THAT(file.outcome(deep), Contains("expected at most 64 nested levels"));
  CHECK_THROWS_WITH(read_labels(file.folder / "none", 2, "NUM_CLASSES"), Contains("expected a labels file"));
  CHECK_THROWS_WITH(read_labels(file.folder.path(), 2, "NUM_CLASSES"), Contains("expected a labels file"));
}

TEST_CASE("colours as annotation tools write them") {
  File file;
  const auto color = [&](const std::string& written) {
    const auto labels = read_labels(
        testing::write_text(file.folder / "l.json", R"([{"id": 1, "color": )" + written + R"(, "name": "cat"}])"), 1,
        "NUM_CLASSES");
    const auto& c = labels.categories.at(0).color;
    std::string text = std::to_string(c[0]) + " " + std::to_string(c[1]) + " " + std::to_string(c[2]);
    for (const auto& sentence : labels.left_out) text += "; " + sentence;
    return text;
  };
  CHECK(color("[166, 15, 47]") == "166 15 47");
  CHECK(color("[166, 15, 47, 128]") == "166 15 47");
  CHECK(color("[166.0, 15.0, 47.0]") == "166 15 47");
  CHECK(color("[1, 1, 0]") == "1 1 0");
  CHECK(color("[0.5, 1, 0.0]") == "128 255 0");
  CHECK(color("[0.5, 1, 0, 0.5]") == "128 255 0");
  CHECK(color(R"("#a60f2f")") == "166 15 47");
  CHECK(color(R"("#A60F2F80")") == "166 15 47");
  CHECK(color(R"("#fa0")") == "255 170 0");
  CHECK(color(R"("#fa08")") == "255 170 0");
  CHECK(color("\" rgb(166, 15,47)\"") == "166 15 47");
  CHECK(color("\"rgba(166,15,47,0.5)\"") == "166 15 47");
  CHECK(color("null") == "0 0 0");  // none
  const auto left_out = [&](const std::string& written, const std::string& shown) {
    const auto said = color(written);
    CAPTURE(written, said);
    CHECK(said == "0 0 0; " + (file.folder / "l.json").string() + ": left out 1 colour that is not understood, " +
                      shown + " of 'cat'");
  };
  left_out(R"("red")", "'red'");
  left_out(R"("#a60f2")", "'#a60f2'");
  left_out(R"("#gg0000")", "'#gg0000'");
  left_out(R"("")", "''");
  left_out("\"rgb(1,2)\"", "'rgb(1,2)'");
  left_out("\"hsl(1,2,3)\"", "'hsl(1,2,3)'");
  left_out("[1, 2]", "a list of 2");
  left_out("[1, 2, 256]", "a list of 3");
  left_out("[-1, 2, 25]", "a list of 3");
  left_out("[1.5, 2, 3]", "a list of 3");
  left_out("[1, \"2\", 3]", "a list of 3");
  left_out("[[1, 2, 3]]", "a list of 1");
  left_out("{\"r\": 1, \"id\": 7}", "an object");
  left_out("5", "5");
  left_out("true", "true");
  const auto several =
      read_labels(testing::write_text(file.folder / "l.json",
                                      R"([{"id":1,"name":"a","color":"x"},{"id":2,"name":"b","color":"y"}])"),
                  2, "NUM_CLASSES");
  CHECK_THAT(several.left_out.at(0), Contains("left out 2 colours that are not understood, 'x' of 'a'"));
}

TEST_CASE("labels as names in JSON") {
  File file;
  for (
      const std::string text :
      {R"(["cat", "dog"])", R"({"0": "cat", "1": "dog"})", R"({"1": "dog", "0": "cat"})", R"({"1": "cat", "2": "dog"})",
       R"({"names": ["cat", "dog"]})", R"({"names": {"0": "cat", "1": "dog"}, "nc": 2, "path": "x"})",
       R"({"architectures": ["X"], "id2label": {"0": "cat", "1": "dog"}, "label2id": {"cat": 0, "dog": 1}})",
       R"({"thing_classes": ["cat", "dog"]})", R"({"classes": ["cat", "dog"]})", R"({"categories": ["cat", "dog"]})",
       R"({"names": [1, 2], "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}], "classes": {"a": []}})"}) {
    INFO(text);
    CHECK(names(file.read(text, 2)) == "1:cat 2:dog ");
  }
  CHECK(names(file.read(R"({"17": "cat", "2": "bicycle", "comment": "mine"})", 2)) == "2:bicycle 17:cat ");
  CHECK(names(file.read(R"(["", "a\tb"])", 2)) == "1: 2:a\tb ");
  CHECK_THAT(file.outcome(R"(["a", 5])"), Contains("expected categories or names in the list, found 5"));
  CHECK_THAT(file.outcome(R"(["a", {"id": 1, "name": "b"}])"), Contains("either categories or names"));
  CHECK_THAT(file.outcome(R"({"categories": ["a", {"id": 1, "name": "b"}]})"), Contains("either categories or names"));
  CHECK_THAT(file.outcome(R"({"names": ["a", 5]})"), Contains("expected names in 'names', found 5"));
  CHECK_THAT(file.outcome(R"({"names": {"0": "a", "1": {}}})"), Contains("expected names in 'names', found an object"));
  CHECK_THAT(file.outcome(R"({"0": "a", "0": "b"})"), Contains("expected each category id once, found 0"));
  CHECK_THAT(file.outcome(R"({"-1": "a", "3": "b"})"), Contains("from 0 to 1073741824, found -1 for 'a'"));
  CHECK_THAT(file.outcome(R"({"3": "a", "1073741825": "b"})"), Contains("found 1073741825 for 'b'"));
  CHECK_THAT(file.outcome(R"(["a", ")" + std::string(1025, 'x') + "\"]"), Contains("at most 1024 bytes"));
  CHECK(names(file.read(R"([{"id": 1073741824, "name": "a"}])", 1)) == "1073741824:a ");
  CHECK_THAT(file.outcome(R"([{"id": 1073741825, "name": "a"}])"), Contains("from 0 to 1073741824, found 1073741825"));
}

TEST_CASE("labels as YOLO's YAML") {
  File file;
  const auto read = [&](const std::string& text, int classes, const std::string& name = "data.yaml") {
    return names(read_labels(testing::write_text(file.folder / name, text), classes, "NUM_CLASSES").categories);
  };
  const std::string path = "path: ../datasets/coco8 # dataset root\ntrain: images/train\n";
  CHECK(read(path + "names:\n  0: cat\n  1: traffic light\n", 2) == "1:cat 2:traffic light ");
  CHECK(read(path + "names: [cat, 'traffic light']\nnc: 2\n", 2) == "1:cat 2:traffic light ");
  CHECK(read(path + "names:\n- cat\n- dog\n", 2, "data.txt") == "1:cat 2:dog ");  // by what is in it
  CHECK(read("names: {2: b, 7: g}\n", 2) == "2:b 7:g ");
  // Names that YAML or Python would take for something else.
  CHECK(read("names: [yes, no, on, 1, 2.50, 0x10, True, '1']\n", 8) == "1:yes 2:no 3:on 4:1 5:2.50 6:0x10 7:True 8:1 ");
  const auto refused = [&](const std::string& text, const std::string& part) {
    CAPTURE(text);
    CHECK_THROWS_WITH(read(text, 2), Contains("data.yaml") && Contains(part));
  };
  refused("nc: 5\nnames: [a, b]\n", ", line 1: expected nc to be the number of names, 2, found the integer 5");
  refused("train: x\n", "under 'names', found no such key");
  refused("names: coco.names\n", "found the string 'coco.names'");
  refused("names: {cat: 0, dog: 1}\n", "expected a number before the name, found 'cat'");
  refused("names: [a, [b]]\n", "line 1: expected a name, found a list of 1");
  refused("names: [a, b, c]\n", "expected 2 labels");
  refused("names: [a, ~]\n", "expected a name, found nothing");
  refused("names: [a\n", "expected YAML");
  // A class that is called so is still a name a line.
  CHECK(names(file.read("cat\nnames\n", 2)) == "1:cat 2:names ");
}

TEST_CASE("label files in other encodings, and files that are no labels") {
  File file;
  CHECK_THAT(file.outcome("cat\ncaf\xe9\n"), Contains("line 2: expected a name in UTF-8, found other bytes: caf\\xe9"));
  CHECK_THAT(file.outcome("\xff\xfe"
                          "c\0a\0t\0"),
             Contains("line 1: expected a name"));
  CHECK_THAT(file.outcome("\x89PNG\r\n\x1a\n...."), Contains("expected labels") && Contains("found a PNG picture"));
  CHECK_THAT(
      file.outcome(std::string("PK\3\4") + std::string(22, '\0') + std::string("\x10\0\0\0", 4) + "archive/data.pkl"),
      Contains("found a PyTorch checkpoint"));
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
