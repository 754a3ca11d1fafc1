// `maskrt run --overlay --masks`: what is drawn and written, and how results name it.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "maskrt/maskrt.hpp"
#include "runtime/coco/image_lines.h"
#include "runtime/coco/results.h"
#include "support/demo_command.h"

using namespace maskrt;
using Catch::Contains;
using namespace maskrt::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

ProcessResult run_command(const Words& arguments) {
  // Algorithms chosen by rule: processes have the same results to the last bit, and start at once.
  ::setenv("MASKRT_CPU_TUNE", "0", 1);
  return run_process(demo_command("run", Words{"--quiet"} + arguments));
}

}  // namespace

TEST_CASE("run: masks are written of the instances that are drawn, and of all with --score 0") {
  const TemporaryFolder folder;
  std::size_t likely = 0, all = 0;
  check_success(run_command({demo_picture(0), "--json", folder / "r.json", "--masks", folder / "masks"}));
  for (const json& result : json::parse(read_text(folder / "r.json"))) {
    const bool written = result.contains("mask_file");
    CHECK(written == (result.at("score") >= 0.4));
    if (written) CHECK(fs::exists(result.at("mask_file").get<std::string>()));
    ++all;
    likely += written ? 1 : 0;
  }
  REQUIRE(likely > 0);
  REQUIRE(all > likely);
  CHECK(files_in(folder / "masks").size() == likely);
  check_success(run_command({demo_picture(0), "--score", "0", "--masks", folder / "all"}));
  CHECK(files_in(folder / "all").size() == all);
}

TEST_CASE("run: pictures of one name have drawings and masks of their own, and results tell which") {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b"}) fs::create_directory(folder / name);
  const std::string longest(251, 'n');
  const Words pictures = {folder / "a/cat.jpg", folder / "b/cat.jpg", folder / "b/CAT.png",
                          folder / ("a/" + longest + ".jpg"), folder / "a/odd\xff\nname.jpg"};
  for (std::size_t i = 0; i < pictures.size(); ++i) fs::copy(demo_picture(static_cast<int>(i)), pictures[i]);
  Words arguments = pictures;
  const std::string drawn = folder / "drawn", masks = folder / "masks";
  arguments.insert(arguments.end(),
                   {"--overlay", drawn, "--masks", masks, "--json", folder / "r.json", "--jsonl", folder / "r.jsonl"});
  check_success(run_command(arguments));

  const auto lines = coco::read_image_lines(folder / "r.jsonl").lines;
  REQUIRE(lines.size() == pictures.size());
  std::set<std::string> drawings, mask_files;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Image original = Image::from_file(pictures[i]), drawing = Image::from_file(lines[i].overlay);
    CHECK(drawing.width() == original.width());
    CHECK(drawing.height() == original.height());
    drawings.insert(fs::path(lines[i].overlay).filename());
    for (const auto& instance : lines[i].instances) {
      CHECK(instance.mask_file.empty() == (instance.score < 0.4f));
      if (!instance.mask_file.empty()) CHECK(mask_files.insert(fs::path(instance.mask_file).filename()).second);
    }
  }
  CHECK(files_in(drawn) == drawings);
  CHECK(files_in(masks) == mask_files);
  CHECK(drawings.size() == pictures.size());
  CHECK(lines[0].overlay == drawn + "/cat.jpg");
  CHECK(lines[1].overlay == drawn + "/cat_2.jpg");
  CHECK(lines[2].overlay == drawn + "/CAT_3.jpg");
  CHECK_THAT(lines[3].overlay, Contains("/nnnn") && Catch::EndsWith(".jpg"));
  CHECK(lines[4].overlay == drawn + "/odd__name.jpg");

  // The list says the same, instance by instance, and so does that of a resumed run.
  const auto check_list = [&](const fs::path& path) {
    const auto list = coco::read_results(path);
    std::size_t next = 0;
    for (const auto& line : lines)
      for (const auto& instance : line.instances) {
        REQUIRE(next < list.size());
        CHECK(list[next].overlay == line.overlay);
        CHECK(list[next++].mask_file == instance.mask_file);
      }
    CHECK(next == list.size());
  };
  check_list(folder / "r.json");
  const std::string text = read_text(folder / "r.jsonl");
  write_text(folder / "r.jsonl", text.substr(0, text.find('\n', text.find('\n') + 1) + 1));
  arguments.push_back("--resume");
  check_success(run_command(arguments));
  CHECK(read_text(folder / "r.jsonl") == text);
  check_list(folder / "r.json");
}

TEST_CASE("run: results name no files where none are asked for") {
  const TemporaryFolder folder;
  check_success(run_command({demo_picture(0), "--json", folder / "r.json", "--jsonl", folder / "r.jsonl"}));
  for (const std::string name : {"r.json", "r.jsonl"})
    CHECK_THAT(read_text(folder / name), !Contains("overlay") && !Contains("mask_file"));
}

TEST_CASE("run: drawings are JPEG, or PNG where that is asked for, with and without the image library") {
  const TemporaryFolder folder;
  const auto start_of = [&](const std::string& name) { return read_text(folder / name).substr(0, 4); };
  for (const char* library : {"", "none"}) {
    ::setenv("MASKRT_IMAGES", library, 1);
    INFO("MASKRT_IMAGES=" << library);
    check_success(run_command({demo_picture(0), "--overlay", folder / "drawn"}));
    check_success(run_command({demo_picture(0), "--overlay", folder / "drawn", "--overlay-format", "png"}));
    CHECK(files_in(folder / "drawn") == std::set<std::string>{"000.jpg", "000.png"});
    CHECK(start_of("drawn/000.jpg").substr(0, 3) == "\xff\xd8\xff");
    CHECK(start_of("drawn/000.png") == "\x89PNG");
    // Both show the same picture: the JPEG differs by little on average.
    const Image jpeg = Image::from_file(folder / "drawn/000.jpg"), png = Image::from_file(folder / "drawn/000.png");
    REQUIRE(jpeg.width() == png.width());
    double difference = 0;
    for (int y = 0; y < png.height(); ++y)
      for (int x = 0; x < 3 * png.width(); ++x) difference += std::abs(jpeg.row(y)[x] - png.row(y)[x]);
    CHECK(difference / (3.0 * png.width() * png.height()) < 3);
    fs::remove_all(folder / "drawn");
  }
  ::unsetenv("MASKRT_IMAGES");
  const ProcessResult refused =
      run_command({demo_picture(0), "--overlay", folder / "drawn", "--overlay-format", "gif"});
  CHECK(refused.status == 2);
  CHECK_THAT(refused.err, Contains("gif"));
}

TEST_CASE("run: instances are coloured one by one, or by their classes") {
  const TemporaryFolder folder;
  const auto draw = [&](const Words& more) {
    Words arguments = {demo_picture(0), "--overlay", folder / "drawn"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    check_success(run_command(arguments));
    return read_text(folder / "drawn/000.jpg");
  };
  const std::string usual = draw({}), classes = draw({"--colour", "class"});
  CHECK(draw({"--colour", "instance"}) == usual);
  CHECK(draw({"--color", "class"}) == classes);
  CHECK(usual != classes);
  CHECK(run_command({demo_picture(0), "--colour", "red"}).status == 2);
}
