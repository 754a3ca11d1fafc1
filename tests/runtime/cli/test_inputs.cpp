// Which pictures a command line names, what they are called and which image ids they have.
#include <catch2/catch.hpp>
#include <filesystem>

#include "maskrt/maskrt.hpp"
#include "runtime/cli/inputs.h"
#include "support/files.h"

using namespace maskrt::cli;
using maskrt::testing::TemporaryFolder;
using maskrt::testing::write_text;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> stems(const std::vector<Input>& inputs) {
  std::vector<std::string> all;
  for (const Input& input : inputs) all.push_back(input.stem);
  return all;
}

std::vector<std::int64_t> ids(const std::vector<Input>& inputs) {
  std::vector<std::int64_t> all;
  for (const Input& input : inputs) all.push_back(input.image_id);
  return all;
}

}  // namespace

TEST_CASE("A folder gives its images, sorted, and nothing else") {
  TemporaryFolder folder;
  for (const char* name : {"b.jpg", "a.PNG", "c.jpeg", "notes.txt", "d.bmp", "e.ppm", "f.json", "noextension"})
    write_text(folder / name, "");
  fs::create_directory(folder / "inner.jpg");  // a folder, whatever its name
  const auto inputs = expand_inputs({folder.path().string()});
  CHECK(stems(inputs) == std::vector<std::string>{"a", "b", "c", "d", "e"});
  CHECK(ids(inputs) == std::vector<std::int64_t>{1, 2, 3, 4, 5});
  CHECK(inputs[0].file_name == "a.PNG");
}

TEST_CASE("A pattern gives what it matches, sorted; a file with such a name is a file") {
  TemporaryFolder folder;
  for (const char* name : {"x10.jpg", "x2.jpg", "y1.jpg", "[1].jpg"}) write_text(folder / name, "");
  CHECK(stems(expand_inputs({(folder / "x*.jpg").string()})) == std::vector<std::string>{"x10", "x2"});
  CHECK(stems(expand_inputs({(folder / "?1.jpg").string()})) == std::vector<std::string>{"y1"});
  CHECK(stems(expand_inputs({(folder / "[1].jpg").string()})) == std::vector<std::string>{"[1]"});
}

TEST_CASE("Arguments keep their order, and missing files are kept for the error that reading them gives") {
  const auto inputs = expand_inputs({"z.jpg", "a.jpg"});
  CHECK(stems(inputs) == std::vector<std::string>{"z", "a"});
}

TEST_CASE("A folder without images and a pattern without matches are errors that name them") {
  TemporaryFolder folder;
  write_text(folder / "readme.txt", "");
  CHECK_THROWS_WITH(expand_inputs({folder.path().string()}),
                    Catch::Contains(folder.path().string()) && Catch::Contains("found none"));
  CHECK_THROWS_WITH(expand_inputs({(folder / "*.jpg").string()}), Catch::Contains("*.jpg"));
}

TEST_CASE("Files made from inputs have names of their own") {
  const auto inputs = expand_inputs({"a/x.jpg", "b/x.jpg", "c/X.png", "x_2.jpg", "y.jpg"});
  CHECK(stems(inputs) == std::vector<std::string>{"x", "x_2", "X_3", "x_2_2", "y"});
  CHECK(inputs[0].file_name == "a/x.jpg");
  CHECK(inputs[1].file_name == "b/x.jpg");
  CHECK(inputs[4].file_name == "y.jpg");
}

TEST_CASE("Image ids are the numbers that files are named by, or positions") {
  CHECK(ids(expand_inputs({"000000000139.jpg", "v/285.jpg", "0.png"})) == std::vector<std::int64_t>{139, 285, 0});
  CHECK(ids(expand_inputs({"7.jpg", "a.jpg"})) == std::vector<std::int64_t>{1, 2});
  CHECK(ids(expand_inputs({"7.jpg", "v/007.jpg"})) == std::vector<std::int64_t>{1, 2});
  CHECK(ids(expand_inputs({"-7.jpg"})) == std::vector<std::int64_t>{1});
  CHECK(ids(expand_inputs({"99999999999999999999.jpg"})) == std::vector<std::int64_t>{1});  // beyond 64 bits
}
