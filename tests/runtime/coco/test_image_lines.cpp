// Lines of images' results: what is written reads back, and what an error says.
#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "error_of.h"
#include "runtime/coco/image_lines.h"
#include "support/files.h"

namespace maskrt::coco {
namespace {

using testing::write_text;

}  // namespace

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
