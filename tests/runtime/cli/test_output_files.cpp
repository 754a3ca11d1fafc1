// Files that the commands write: none of them is an input, they keep the mode and the links of what they replace, and
// what cannot be written leaves nothing behind.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <future>
#include <set>

#include "four_pictures.h"
#include "support/demo_command.h"
#include "support/running_process.h"

using namespace maskrt;
using Catch::Contains;
using Catch::StartsWith;
using namespace maskrt::testing;
namespace fs = std::filesystem;

namespace {

unsigned mode_of(const fs::path& path) {
  struct stat status = {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

std::ptrdiff_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

const std::string annotations = demo + "/annotations.json";

}  // namespace

TEST_CASE("No output of any command is one of its inputs, and nothing is begun") {
  TemporaryFolder folder;
  const std::string picture = write_text(folder / "x.png", "picture"), model = write_text(folder / "m.maskrt", "model"),
                    tuning = write_text(folder / "t.txt", "tuning"),
                    mask = write_text(folder / "x_000_car.png", "mask"),
                    photo = write_text(folder / "photo.jpg", "photo"),
                    heat = write_text(folder / "x_000_car_iam.jpg", "heat"),
                    mean = write_text(folder / "query_000.png", "mean");
  const std::string list = write_text(folder / "a.json", R"({"images": [{"id": 1, "file_name": "x.png"}],
                                      "categories": [], "annotations": []})");
  write_text(folder / "means.json", R"({"images": [{"id": 1, "file_name": "query_000.png"}],
                                      "categories": [], "annotations": []})");
  const std::string results = write_text(folder / "r.json", "[]");
  const std::string base = write_text(folder / "base.yaml", read_text(demo + "/base.yaml")),
                    config = write_text(folder / "c.yaml", read_text(demo + "/config.yaml"));
  fs::create_symlink(".", folder / "here");
  fs::create_hard_link(picture, folder / "hard.png");
  fs::create_symlink("m.maskrt", folder / "soft");
  const std::string here = folder / "here/";
  const Words eval = {"eval", model, "--images", folder.path(), "--annotations", list};
  const Words convert = {MASKRT_CONVERT_COMMAND, picture, "--config", config, "--labels", list, "-o"};
  const std::vector<Words> refused = {
      {"run", model, picture, "--json", picture},
      {"run", model, picture, "--json", model},
      {"run", model, picture, "--json", folder / "soft"},
      {"run", model, picture, "--json", fs::proximate(picture)},
      {"run", model, picture, "--jsonl", folder / "hard.png"},
      {"run", model, picture, "--jsonl", model, "--resume"},
      {"run", model, picture, "--tuning", tuning, "--json", here + "t.txt"},
      {"run", model, folder.path(), "--quiet", "--overlay", folder.path(), "--overlay-format", "png"},
      {"run", model, photo, "--overlay", here + "here"},
      {"run", model, folder.path(), "--quiet", "--masks", here},
      {"run", model, folder.path(), "--quiet", "--activations", here},
      {"eval", model, "--images", folder.path(), "--annotations", folder / "means.json", "--activations", here},
      eval + Words{"--results", list},
      eval + Words{"--results", here + "x.png"},
      eval + Words{"--json", list},
      eval + Words{"--jsonl", model},
      eval + Words{"--min-size", "64", "96", "--plot", here + "x.png"},
      {"eval", "--results-only", results, "--annotations", list, "--json", results},
      {"eval", "--results-only", results, "--annotations", list, "--json", here + "a.json"},
      {"dump", model, picture, "-o", picture},
      {"dump", model, picture, "-o", here + "m.maskrt"},
      {"bench", model, "--json", model},
      {"bench", model, "--tuning", tuning, "--json", tuning},
      {"tune", model, "-o", folder / "soft"},
      convert + Words{picture},
      convert + Words{here + "c.yaml"},
      convert + Words{here + "base.yaml"},
      convert + Words{fs::proximate(list)},
  };
  for (Words words : refused) {
    if (words[0] != MASKRT_CONVERT_COMMAND) words.insert(words.begin(), MASKRT_COMMAND);
    std::string line;
    for (const std::string& word : words) line += word + " ";
    INFO(line);
    const ProcessResult result = run_process(words);
    CHECK(result.status == 1);
    CHECK_THAT(result.err,
               StartsWith("maskrt") && Contains("expected an output file that is none of the inputs, found"));
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    CHECK(result.out.empty());
  }
  const std::vector<Words> twice = {
      {"run", model, picture, "--json", folder / "new", "--jsonl", here + "new"},
      {"run", model, picture, "--json", folder / "drawn/x.jpg", "--overlay", folder / "drawn"},
      {"run", model, picture, "--json", "-", "--jsonl", "-"},
      {"run", model, picture, "--json", folder / "maps/x_000_car_iam.jpg", "--activations", folder / "maps"},
      {"run", model, picture, heat, "--overlay", folder / "new", "--activations", folder / "new"},
      eval + Words{"--json", folder / "means/queries.png", "--activations", folder / "means"},
      eval + Words{"--json", folder / "means/query_012.png", "--activations", folder / "means"},
      eval + Words{"--results", folder / "new", "--json", folder / "new"},
      eval + Words{"--plot", folder / "new", "--json", folder / "new"},
  };
  for (Words words : twice) {
    words.insert(words.begin(), MASKRT_COMMAND);
    const ProcessResult result = run_process(words);
    CHECK(result.status == 1);
    CHECK_THAT(result.err, StartsWith("maskrt: expected outputs that are different files, found"));
  }
  CHECK(read_text(picture) == "picture");
  CHECK(read_text(model) == "model");
  CHECK(read_text(tuning) == "tuning");
  CHECK(read_text(base) == read_text(demo + "/base.yaml"));
  CHECK(read_text(mask) == "mask");
  CHECK(read_text(photo) == "photo");
  CHECK(read_text(heat) == "heat");
  CHECK(read_text(mean) == "mean");
  CHECK(read_text(results) == "[]");
  CHECK(files_in(folder.path()) == std::set<std::string>{"x.png", "x_000_car.png", "x_000_car_iam.jpg", "query_000.png",
                                                         "means.json", "photo.jpg", "hard.png", "m.maskrt", "soft",
                                                         "t.txt", "a.json", "base.yaml", "c.yaml", "r.json", "here"});
}

TEST_CASE("run: drawings beside pictures of other names are no inputs") {
  TemporaryFolder folder;
  fs::copy(demo + "/images/000.jpg", folder / "x.jpg");
  const ProcessResult ran = ruled_command("run", {folder.path(), "--overlay", folder.path(), "--masks", folder.path(),
                                                  "--overlay-format", "png", "--quiet"});
  CHECK(ran.err.empty());
  CHECK(ran.status == 0);
  CHECK(fs::exists(folder / "x.png"));
}

TEST_CASE("Outputs that cannot be written are errors, and nothing is left behind") {
  TemporaryFolder folder;
  const std::string file = write_text(folder / "file", "kept");
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"run", {demo_picture(0), "--json", file + "/r.json"}},
      {"run", {demo_picture(0), "--overlay", file}},
      {"run", {demo_picture(0), "--masks", file + "/below"}},
      {"run", {demo_picture(0), "--activations", file}},
      {"eval",
       {"--images", demo + "/images", "--annotations", demo + "/annotations.json", "--limit", "1", "--activations",
        file}},
      {"dump", {demo_picture(0), "-o", file + "/t.safetensors"}},
      {"dump", {demo_picture(0), "-o", folder.path()}},
      {"bench", {"--size", "64x64", "--runs", "1", "--json", file + "/b.json"}},
      {"eval",
       {"--images", demo + "/images", "--annotations", demo + "/annotations.json", "--limit", "1", "--results",
        file + "/r.json"}}};
  for (const auto& [command, arguments] : cases) {
    const ProcessResult refused = ruled_command(command, arguments);
    INFO(command << " " << arguments.back() << ": " << refused.err);
    CHECK(refused.status == 1);
    CHECK(lines(refused.err) == 1);
    CHECK_THAT(refused.err, StartsWith("maskrt: ") && Contains(folder.path().string()));
    CHECK(files_in(folder.path()) == std::set<std::string>{"file"});
    CHECK(read_text(file) == "kept");
  }
}

TEST_CASE("Outputs keep the mode of what they replace, and links stay") {
  const Pictures& pictures = Pictures::whole();
  const TemporaryFolder out;
  fs::create_directory(out / "drawn");
  fs::create_directory(out / "there");
  for (const char* name :
       {"r.json", "r.jsonl", "drawn/000.jpg", "t.safetensors", "ap.json", "results.json", "m.maskrt"}) {
    write_text(out / name, "");
    ::chmod((out / name).c_str(), 0600);
  }
  fs::create_symlink("there/dangling.json", out / "link.json");
  fs::create_symlink("there/dangling.jsonl", out / "link.jsonl");
  const std::string picture = pictures.paths[0];
  REQUIRE(
      ruled_command("run", {picture, "--json", out / "r.json", "--jsonl", out / "r.jsonl", "--overlay", out / "drawn"})
          .status == 0);
  REQUIRE(ruled_command("run", {picture, "--json", out / "link.json", "--jsonl", out / "link.jsonl"}).status == 0);
  REQUIRE(ruled_command("dump", {picture, "-o", out / "t.safetensors"}).status == 0);
  REQUIRE(ruled_command("eval", {"--images", demo + "/images", "--annotations", annotations, "--limit", "1",
                                 "--results", out / "results.json", "--json", out / "ap.json"})
              .status == 0);
  REQUIRE(run_process({MASKRT_CONVERT_COMMAND, demo + "/checkpoint.pth", "--config", demo + "/config.yaml", "-o",
                       out / "m.maskrt"})
              .status == 0);
  for (const char* name :
       {"r.json", "r.jsonl", "drawn/000.jpg", "t.safetensors", "ap.json", "results.json", "m.maskrt"}) {
    INFO(name);
    CHECK(mode_of(out / name) == 0600);
    CHECK(fs::file_size(out / name) > 0);
  }
  for (const char* name : {"json", "jsonl"}) {
    CHECK(fs::is_symlink(out / (std::string("link.") + name)));
    CHECK(read_text(out / (std::string("there/dangling.") + name)) ==
          undrawn(read_text(out / (std::string("r.") + name))));
  }
}

TEST_CASE("A mounted file is written in place") {
  const TemporaryFolder out;
  const Words shell = {"/usr/bin/unshare", "-m", "/bin/sh", "-c"};
  if (!fs::exists(shell[0]) || run_process(shell + Words{"true"}).status != 0) {
    WARN("mounts need root's rights: not tried");
    return;
  }
  write_text(out / "source", "old and longer than nothing");
  write_text(out / "out.json", "");
  const Words mounted = {"mount --bind \"$0\" \"$1\" && shift && \"$@\"", out / "source", out / "out.json"};
  const ProcessResult ran = run_process(
      shell + mounted + command_line("run", {Pictures::whole().paths[0], "--json", out / "out.json", "--quiet"}));
  INFO(ran.err);
  if (ran.err.find("mount:") != std::string::npos) {
    WARN("this system mounts no files: not tried");
    return;
  }
  CHECK(ran.status == 0);
  CHECK(images_of(out / "source") == std::set<std::string>{"000.jpg"});
  CHECK(read_text(out / "out.json").empty());
  CHECK(files_in(out.path()) == std::set<std::string>{"out.json", "source"});
}

TEST_CASE("FIFOs and devices are outputs") {
  const Pictures& pictures = Pictures::whole();
  const TemporaryFolder out;
  const fs::path list = make_fifo(out / "r.json"), lines = make_fifo(out / "r.jsonl"), model = make_fifo(out / "model");
  auto list_text = std::async(std::launch::async, [&] { return read_text(list); });
  auto lines_text = std::async(std::launch::async, [&] { return read_text(lines); });
  const ProcessResult ran =
      ruled_command("run", pictures.paths + Words{"--json", list, "--jsonl", lines, "--overlay", out / "drawn"});
  CHECK(ran.status == 0);
  CHECK(undrawn(list_text.get()) == pictures.list());
  CHECK(undrawn(lines_text.get()) == pictures.lines());
  CHECK(ruled_command("run", {pictures.paths[0], "--json", "/dev/null", "--jsonl", "/dev/null"}).status == 0);

  auto model_text = std::async(std::launch::async, [&] { return read_text(model); });
  const Words convert = {MASKRT_CONVERT_COMMAND,
                         demo + "/checkpoint.pth",
                         "--config",
                         demo + "/config.yaml",
                         "--labels",
                         demo + "/labels.json",
                         "-o"};
  const ProcessResult converted = run_process(convert + Words{model});
  CHECK(converted.status == 0);
  CHECK(converted.err.empty());
  CHECK(model_text.get() == read_text(demo_model()));
  const ProcessResult nowhere = run_process(convert + Words{"/dev/null"});
  CHECK(nowhere.status == 0);
  CHECK_THAT(nowhere.out, Contains("/dev/null (8.1 MB)"));
  const ProcessResult full = run_process(convert + Words{"/dev/full"});
  CHECK(full.status == 1);
  CHECK_THAT(full.err, Contains("cannot write /dev/full: No space left on device"));
}
