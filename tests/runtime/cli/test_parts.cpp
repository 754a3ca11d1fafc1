// What the commands are made of: inputs and their names, sizes, figures, the bar.
#include <catch2/catch.hpp>
#include <filesystem>

#include "maskrt/maskrt.hpp"
#include "runtime/cli/inputs.h"
#include "runtime/cli/options.h"
#include "runtime/cli/outputs.h"
#include "runtime/cli/progress.h"
#include "runtime/cli/statistics.h"
#include "support/files.h"

using namespace maskrt;
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

TEST_CASE("A folder is made with those above it; a file in its place is an error") {
  TemporaryFolder folder;
  make_folder(folder / "a/b/c");
  CHECK(fs::is_directory(folder / "a/b/c"));
  CHECK_NOTHROW(make_folder(folder / "a/b/c"));
  write_text(folder / "file", "");
  CHECK_THROWS_AS(make_folder(folder / "file"), Error);
  CHECK_THROWS_WITH(make_folder(folder / "file/below"), Catch::Contains("file/below"));
}

TEST_CASE("Sizes are a height and a width") {
  const auto size = parse_size("640x864");
  REQUIRE(size.has_value());
  CHECK(size->height == 640);
  CHECK(size->width == 864);
  for (const char* text :
       {"", "640", "640x", "x864", "640x864x3", "0x10", "-1x10", "a640x1", "640 x 864", "1x65537", "99999999999x1"}) {
    INFO(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
  CHECK(size_text(padded({500, 501}, 32)) == "512x512");
  CHECK(size_text(padded({500, 501}, 0)) == "500x501");
  CHECK(size_text(usual_size(640, 853)) == "640x853");
  CHECK(size_text(usual_size(640, 0)) == "640x640");
}

TEST_CASE("Quantiles interpolate between neighbours") {
  CHECK(quantile({4, 1, 3, 2}, 0.5) == Approx(2.5));
  CHECK(quantile({5}, 0.9) == 5);
  CHECK(quantile({10, 20}, 0.1) == Approx(11));
  CHECK(quantile({3, 1, 2}, 1.0) == 3);
  const Spread spread = spread_of({0.003, 0.001, 0.002});
  CHECK(spread.median == Approx(2));
  CHECK(spread.p10 == Approx(1.2));
  CHECK(spread.p90 == Approx(2.8));
  CHECK(spread.p99 == Approx(2.98));
  CHECK(spread.runs == 3);
}

TEST_CASE("The bar fills up, and durations are told in people's units") {
  CHECK(bar_text(0, 10, 10) == "[>         ]   0%");
  CHECK(bar_text(5, 10, 10) == "[=====>    ]  50%");
  CHECK(bar_text(10, 10, 10) == "[==========] 100%");
  CHECK(bar_text(12, 10, 4) == "[====] 100%");
  CHECK(bar_text(0, 0, 4) == "[====] 100%");
  CHECK(duration_text(0.44) == "0.4 s");
  CHECK(duration_text(9.96) == "10 s");
  CHECK(duration_text(59.4) == "59 s");
  CHECK(duration_text(200) == "3 min 20 s");
  CHECK(duration_text(7500) == "2 h 5 min");
}
