// What the commands write, and what they leave of it when they are stopped: nothing that a user had is lost.
#include <sys/resource.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "graph/safetensors.h"
#include "runtime/coco/image_lines.h"
#include "runtime/coco/results.h"
#include "support/demo_command.h"
#include "support/running_process.h"

using namespace maskrt;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;
using namespace maskrt::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

Words command_line(const std::string& command, const Words& arguments) {
  // Algorithms chosen by rule: processes have the same results to the last bit, and start at once.
  ::setenv("MASKRT_CPU_TUNE", "0", 1);
  return demo_command(command, arguments);
}

ProcessResult maskrt_command(const std::string& command, const Words& arguments) {
  return run_process(command_line(command, arguments));
}

unsigned mode_of(const fs::path& path) {
  struct stat status = {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

std::set<std::string> images_of(const fs::path& results) {
  std::set<std::string> names;
  for (const auto& result : coco::read_results(results)) names.insert(result.file_name);
  return names;
}

std::string first_lines(const std::string& text, std::size_t count) {
  std::size_t end = 0;
  for (; count > 0; --count) end = text.find('\n', end) + 1;
  return text.substr(0, end);
}

/// Four pictures in a folder of their own, and what a run over them that nothing stops writes.
class Pictures {
 public:
  Pictures() {
    for (const char* name : {"000.jpg", "001.jpg", "002.jpg", "003.jpg"}) {
      fs::copy(demo + "/images/" + name, folder / name);
      paths.push_back(folder / name);
    }
  }
  static const Pictures& whole() {
    static const Pictures pictures;
    return pictures;
  }
  /// The files' texts, made once.
  const std::string& list() const { return written().first; }
  const std::string& lines() const { return written().second; }

  TemporaryFolder folder;
  Words paths;

 private:
  std::pair<std::string, std::string> write() const {
    const TemporaryFolder out;
    const ProcessResult ran =
        maskrt_command("run", paths + Words{"--json", out / "r.json", "--jsonl", out / "r.jsonl"});
    REQUIRE(ran.status == 0);
    CHECK(ran.err.empty());
    return {read_text(out / "r.json"), read_text(out / "r.jsonl")};
  }
  const std::pair<std::string, std::string>& written() const {
    static const auto texts = whole().write();
    return texts;
  }
};

/// Files that this process and those that it starts write end after so many bytes, as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit = {bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_ = {};
};

/// Results without the paths of drawings.
std::string undrawn(const std::string& text) {
  return std::regex_replace(text, std::regex(R"re(, "overlay": "[^"]*")re"), "");
}

void check_resumed(const Words& paths, const fs::path& out, const Words& more = {}) {
  const ProcessResult resumed =
      maskrt_command("run", paths + Words{"--json", out / "r.json", "--jsonl", out / "r.jsonl", "--resume"} + more);
  INFO(resumed.err);
  CHECK(resumed.status == 0);
  CHECK_THAT(resumed.out, Contains("done before"));
  CHECK(undrawn(read_text(out / "r.json")) == Pictures::whole().list());
  CHECK(undrawn(read_text(out / "r.jsonl")) == Pictures::whole().lines());
}

const std::string annotations = demo + "/annotations.json";

}  // namespace

TEST_CASE("No output of any command is one of its inputs, and nothing is begun") {
  TemporaryFolder folder;
  const std::string picture = write_text(folder / "x.png", "picture"), model = write_text(folder / "m.maskrt", "model"),
                    tuning = write_text(folder / "t.txt", "tuning"),
                    mask = write_text(folder / "x_000_car.png", "mask"),
                    photo = write_text(folder / "photo.jpg", "photo");
  const std::string list = write_text(folder / "a.json", R"({"images": [{"id": 1, "file_name": "x.png"}],
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
      eval + Words{"--results", list},
      eval + Words{"--results", here + "x.png"},
      eval + Words{"--json", list},
      eval + Words{"--jsonl", model},
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
      eval + Words{"--results", folder / "new", "--json", folder / "new"},
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
  CHECK(read_text(results) == "[]");
  CHECK(files_in(folder.path()) == std::set<std::string>{"x.png", "x_000_car.png", "photo.jpg", "hard.png",
                                                         "m.maskrt", "soft", "t.txt", "a.json", "base.yaml", "c.yaml", "r.json", "here"});
}

TEST_CASE("run: drawings beside pictures of other names are no inputs") {
  TemporaryFolder folder;
  fs::copy(demo + "/images/000.jpg", folder / "x.jpg");
  const ProcessResult ran =
      maskrt_command("run", {folder.path(), "--overlay", folder.path(), "--masks", folder.path(),
                             "--overlay-format", "png", "--quiet"});
  CHECK(ran.err.empty());
  CHECK(ran.status == 0);
  CHECK(fs::exists(folder / "x.png"));
}

TEST_CASE("run: a signal keeps the results so far, and a resumed run has those of one that nothing stopped") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    INFO("signal " << signal);
    const Pictures pictures;
    const TemporaryFolder out;
    fs::rename(pictures.folder / "002.jpg", out / "002.jpg");
    const fs::path fifo = make_fifo(pictures.folder / "002.jpg");
    RunningProcess run(command_line("run", pictures.paths + Words{"--json", out / "r.json", "--jsonl", out / "r.jsonl",
                                                                  "--overlay", out / "drawn"}));
    CHECK_THAT(run.read_line(), StartsWith("000.jpg "));  // lines come as they are made: the run is not over yet
    CHECK_THAT(run.read_line(), StartsWith("001.jpg "));
    run.signal(signal);
    release(fifo, run);
    CHECK(run.wait() == 128 + signal);
    CHECK(run.err == "maskrt: stopped after 2 of 4 images; their results are in " + (out / "r.json").string() +
                         " and " + (out / "r.jsonl").string() + "\n");
    CHECK(images_of(out / "r.json") == std::set<std::string>{"000.jpg", "001.jpg"});
    CHECK(files_in(out.path()) == std::set<std::string>{"002.jpg", "drawn", "r.json", "r.jsonl"});
    CHECK(files_in(out / "drawn") == std::set<std::string>{"000.jpg", "001.jpg"});
    fs::rename(out / "002.jpg", pictures.folder / "002.jpg");
    check_resumed(pictures.paths, out.path());
  }
}

TEST_CASE("run: a second signal ends it at once, and no temporary file stays") {
  const Pictures pictures;
  const TemporaryFolder out;
  fs::remove(pictures.folder / "002.jpg");
  const fs::path fifo = make_fifo(pictures.folder / "002.jpg");
  RunningProcess run(command_line("run", pictures.paths + Words{"--json", out / "r.json"}));
  run.read_line();
  CHECK(files_in(out.path()).size() == 1);
  CHECK_THAT(*files_in(out.path()).begin(), StartsWith(".maskrt-") && EndsWith(".tmp"));
  run.signal(SIGTERM);
  run.signal(SIGINT);
  release(fifo, run);
  const int status = run.wait();
  CHECK((status == 128 + SIGTERM || status == 128 + SIGINT));
  for (const std::string& name : files_in(out.path())) CHECK(name == "r.json");
}

TEST_CASE("run: a closed pipe keeps the results so far") {
  const Pictures pictures;
  const TemporaryFolder out;
  fs::rename(pictures.folder / "001.jpg", out / "001.jpg");
  const fs::path fifo = make_fifo(pictures.folder / "001.jpg");
  RunningProcess run(command_line("run", pictures.paths + Words{"--json", out / "r.json", "--jsonl", out / "r.jsonl"}));
  CHECK_THAT(run.read_line(), StartsWith("000.jpg "));
  run.close_output();
  write_text(fifo, read_text(out / "001.jpg"));
  CHECK(run.wait() == 128 + SIGPIPE);
  CHECK(run.err == "maskrt: stopped after 2 of 4 images; their results are in " + (out / "r.json").string() + " and " +
                       (out / "r.jsonl").string() + "\n");
  CHECK(images_of(out / "r.json") == std::set<std::string>{"000.jpg", "001.jpg"});
  CHECK(files_in(out.path()) == std::set<std::string>{"001.jpg", "r.json", "r.jsonl"});
  fs::remove(fifo);
  fs::rename(out / "001.jpg", pictures.folder / "001.jpg");
  check_resumed(pictures.paths, out.path());
}

TEST_CASE("run: a full disk keeps as many images as it has room for") {
  const Pictures& pictures = Pictures::whole();
  const TemporaryFolder out;
  const std::size_t two_images = first_lines(pictures.lines(), 2).size();
  const std::size_t images_in_list = 2, size_of_list = pictures.list().size();
  SECTION("of lines") {
    ProcessResult stopped;
    {
      const FullDisk disk(two_images + 100);
      stopped = maskrt_command("run", pictures.paths + Words{"--json", out / "r.json", "--jsonl", out / "r.jsonl"});
    }
    CHECK(stopped.status == 1);
    CHECK(stopped.err == "maskrt: stopped after 2 of 4 images; their results are in " + (out / "r.json").string() +
                             " and " + (out / "r.jsonl").string() + "\nmaskrt: cannot write " +
                             (out / "r.jsonl").string() + ": File too large\n");
    CHECK(read_text(out / "r.jsonl") == first_lines(pictures.lines(), 2));
    CHECK(images_of(out / "r.json").size() == images_in_list);
    CHECK(files_in(out.path()) == std::set<std::string>{"r.json", "r.jsonl"});
    check_resumed(pictures.paths, out.path());
  }
  SECTION("of one list, to the last byte") {
    for (const std::size_t bytes : {size_of_list, size_of_list - 1, std::size_t(100)}) {
      INFO(bytes << " of " << size_of_list << " bytes");
      ProcessResult stopped;
      {
        const FullDisk disk(bytes);
        stopped = maskrt_command("run", pictures.paths + Words{"--json", out / "r.json"});
      }
      const std::size_t kept = bytes == size_of_list ? 4 : bytes == 100 ? 0 : 3;
      CHECK(stopped.status == (kept == 4 ? 0 : 1));
      if (kept > 0) CHECK(images_of(out / "r.json").size() == kept);
      if (kept == 3)
        CHECK_THAT(stopped.err,
                   Contains("stopped after 4 of 4 images; " + (out / "r.json").string() + " has those of 3\n"));
      if (kept == 0) CHECK_THAT(stopped.err, Contains("stopped after 4 of 4 images; nothing was written to "));
      CHECK(files_in(out.path()).size() == (kept == 0 ? 0 : 1));
      fs::remove(out / "r.json");
    }
  }
  SECTION("of drawings: that picture's error, or the end") {
    fs::create_directory(out / "drawn");
    fs::create_symlink("/dev/full", out / "drawn/001.jpg");
    const ProcessResult stopped =
        maskrt_command("run", pictures.paths + Words{"--json", out / "r.json", "--overlay", out / "drawn"});
    CHECK(stopped.status == 1);
    CHECK_THAT(stopped.err, Contains("stopped after 1 of 4 images") && Contains("No space left on device"));
    CHECK(images_of(out / "r.json") == std::set<std::string>{"000.jpg"});
  }
  SECTION("that is the standard output, or a device") {
    const ProcessResult list =
        maskrt_command("run", pictures.paths + Words{"--json", "/dev/full", "--jsonl", out / "r.jsonl"});
    CHECK(list.status == 1);
    CHECK_THAT(list.err, Contains("/dev/full could not be completed") && Contains("No space left on device"));
    CHECK(read_text(out / "r.jsonl") == first_lines(pictures.lines(), 1));
    const ProcessResult lines = run_process(Words{"/bin/sh", "-c", "\"$@\" > /dev/full", "sh"} +
                                            command_line("run", pictures.paths + Words{"--json", out / "r.json"}));
    CHECK(lines.status == 1);
    CHECK_THAT(lines.err, Contains("stopped after 1 of 4 images; their results are in") &&
                              Contains("cannot write to the standard output: No space left on device"));
    CHECK(images_of(out / "r.json").size() == 1);
  }
}

TEST_CASE("run: lines are gone on from wherever they end, in whatever batches") {
  const Pictures& pictures = Pictures::whole();
  const TemporaryFolder out;
  const auto resume = [&](const std::string& lines, const Words& more = {}) {
    write_text(out / "r.jsonl", lines);
    check_resumed(pictures.paths, out.path(), more);
  };
  resume(first_lines(pictures.lines(), 1));
  resume(first_lines(pictures.lines(), 3) + "{\"file_name\": \"003.j");
  resume(pictures.lines());

  // Pictures of one batch are padded to the largest of them: a resumed run pads them alike.
  const ProcessResult ran = maskrt_command(
      "run", pictures.paths + Words{"--json", out / "b.json", "--jsonl", out / "b.jsonl", "--batch", "3"});
  REQUIRE(ran.status == 0);
  const std::string lines = read_text(out / "b.jsonl"), list = read_text(out / "b.json");
  for (const std::size_t done : {1, 2, 3}) {
    write_text(out / "b.jsonl", first_lines(lines, done));
    const ProcessResult resumed = maskrt_command(
        "run",
        pictures.paths + Words{"--json", out / "b.json", "--jsonl", out / "b.jsonl", "--batch", "3", "--resume"});
    CHECK(resumed.status == 0);
    CHECK(read_text(out / "b.jsonl") == lines);
    CHECK(read_text(out / "b.json") == list);
  }
  // Nothing to go on from: a first run may say --resume, too.
  fs::remove(out / "r.jsonl");
  CHECK(maskrt_command("run", pictures.paths + Words{"--jsonl", out / "r.jsonl", "--resume"}).status == 0);
  CHECK(read_text(out / "r.jsonl") == pictures.lines());
  for (const coco::ImageLine& line : coco::read_image_lines(out / "r.jsonl").lines) {
    CHECK(line.file_name.starts_with("00"));
    CHECK(line.width > 0);
    CHECK(line.height > 0);
  }
}

TEST_CASE("run: an interrupted list has what an earlier run did, also of later images") {
  const Pictures pictures;
  const TemporaryFolder out;
  const std::string& lines = Pictures::whole().lines();
  const std::string first = first_lines(lines, 1);
  write_text(out / "r.jsonl", first + lines.substr(first_lines(lines, 3).size()));  // 000.jpg and 003.jpg
  fs::remove(pictures.folder / "001.jpg");
  const fs::path fifo = make_fifo(pictures.folder / "001.jpg");
  RunningProcess run(command_line(
      "run", pictures.paths + Words{"--json", out / "r.json", "--jsonl", out / "r.jsonl", "--resume", "--fail-fast"}));
  release(fifo, run);  // an empty picture
  CHECK(run.wait() == 1);
  CHECK_THAT(run.err, Contains("stopped after 2 of 4 images; their results are in"));
  CHECK(images_of(out / "r.json") == std::set<std::string>{"000.jpg", "003.jpg"});
}

TEST_CASE("run: lines of something else are not gone on from, and no work is overwritten") {
  const Pictures& pictures = Pictures::whole();
  const TemporaryFolder out;
  const std::string lines = out / "r.jsonl";
  const auto refusal = [&](const std::string& text, const Words& more) {
    write_text(lines, text);
    const ProcessResult refused = maskrt_command("run", pictures.paths + Words{"--jsonl", lines} + more);
    CHECK(refused.status == 1);
    CHECK(std::count(refused.err.begin(), refused.err.end(), '\n') == 1);
    CHECK(read_text(lines) == text);
    return refused.err;
  };
  CHECK_THAT(refusal(pictures.lines(), {}),
             Contains("expected an empty or new file for --jsonl") && Contains("--resume"));
  CHECK_THAT(refusal(pictures.lines(), {"--resume", "--score", "0.5"}),
             Contains("line 1: expected lines of this run") && Contains("score 0.5"));
  std::string other = pictures.lines();
  other.replace(other.find("001.jpg"), 7, "099.jpg");
  CHECK_THAT(refusal(other, {"--resume"}),
             Contains("line 2: expected one of the images that this run is of, found 099.jpg with image_id 1"));
  CHECK_THAT(refusal(pictures.lines() + first_lines(pictures.lines(), 1), {"--resume"}),
             Contains("line 5: expected each image once, found 000.jpg again"));
  CHECK_THAT(refusal("a diary\n", {"--resume"}), Contains("r.jsonl: line 1: expected JSON"));
  CHECK_THAT(refusal("[]\n", {"--resume"}), Contains("line 1: expected an image's results"));
  CHECK_THAT(refusal(pictures.list(), {"--resume"}), Contains("r.jsonl: line 1"));
  const ProcessResult usage = maskrt_command("run", pictures.paths + Words{"--resume"});
  CHECK(usage.status == 2);
  CHECK_THAT(usage.err, Contains("--jsonl"));
  CHECK(maskrt_command("run", pictures.paths + Words{"--jsonl", "-", "--resume"}).status == 1);
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
      maskrt_command("run", {picture, "--json", out / "r.json", "--jsonl", out / "r.jsonl", "--overlay", out / "drawn"})
          .status == 0);
  REQUIRE(maskrt_command("run", {picture, "--json", out / "link.json", "--jsonl", out / "link.jsonl"}).status == 0);
  REQUIRE(maskrt_command("dump", {picture, "-o", out / "t.safetensors"}).status == 0);
  REQUIRE(maskrt_command("eval", {"--images", demo + "/images", "--annotations", annotations, "--limit", "1",
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
      maskrt_command("run", pictures.paths + Words{"--json", list, "--jsonl", lines, "--overlay", out / "drawn"});
  CHECK(ran.status == 0);
  CHECK(undrawn(list_text.get()) == pictures.list());
  CHECK(undrawn(lines_text.get()) == pictures.lines());
  CHECK(maskrt_command("run", {pictures.paths[0], "--json", "/dev/null", "--jsonl", "/dev/null"}).status == 0);

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

TEST_CASE("A file that is called - is the standard output, and people's lines go to stderr") {
  const Pictures& pictures = Pictures::whole();
  const TemporaryFolder out;
  for (const std::string name : {"-", "/dev/stdout"}) {
    const ProcessResult list = maskrt_command("run", pictures.paths + Words{"--json", name});
    CHECK(list.status == 0);
    CHECK(list.out == pictures.list());
    CHECK_THAT(list.err, StartsWith("000.jpg ") && Contains("4 images, "));
  }
  CHECK(maskrt_command("run", pictures.paths + Words{"--jsonl", "-", "--quiet"}).out == pictures.lines());

  // In place of a file that it is redirected to, and behind what stands there already.
  write_text(out / "log", "before\n");
  const auto redirected = [&](const std::string& how, const Words& arguments) {
    const ProcessResult ran = run_process(Words{"/bin/sh", "-c", "out=$0; \"$@\" " + how + " \"$out\"", out / "log"} +
                                          command_line("run", pictures.paths + arguments));
    CHECK(ran.status == 0);
    return read_text(out / "log");
  };
  CHECK(redirected(">>", {"--jsonl", "-"}) == "before\n" + pictures.lines());
  CHECK(redirected(">", {"--json", "-"}) == pictures.list());
  CHECK(redirected(">", {"--json", out / "log"}) == pictures.list());

  const Words few = {"--images", demo + "/images", "--annotations", annotations, "--limit", "2"};
  const ProcessResult metrics = maskrt_command("eval", few + Words{"--json", "-"});
  CHECK(json::parse(metrics.out).size() == 12);
  CHECK_THAT(metrics.err, StartsWith("2 images, ") && Contains("Average Recall"));
  const ProcessResult results = maskrt_command("eval", few + Words{"--results", "-"});
  CHECK(json::parse(results.out).size() > 2);
  CHECK_THAT(results.err, Contains("Average Recall"));
  const ProcessResult bench = maskrt_command("bench", {"--size", "64x64", "--runs", "1", "--json", "-"});
  CHECK(json::parse(bench.out).at("batch") == 1);
  CHECK_THAT(bench.err, Contains("network alone"));
  const ProcessResult dumped = maskrt_command("dump", {pictures.paths[0], "-o", "-"});
  write_text(out / "t.safetensors", dumped.out);
  CHECK(graph::Safetensors::read(out / "t.safetensors").tensors.contains("mask_logits"));
  CHECK_THAT(dumped.err, Contains("mask_logits"));
}

TEST_CASE("A command whose reader has gone says so by its exit status") {
  for (const Words& words : {command_line("info", {"--graph"}), Words{MASKRT_COMMAND, "run", "--help"},
                             command_line("dump", {Pictures::whole().paths[0], "-o", "/dev/null"}),
                             Words{MASKRT_CONVERT_COMMAND, demo + "/checkpoint.pth", "--config", demo + "/config.yaml",
                                   "-o", "/dev/null"}}) {
    INFO(words[1]);
    RunningProcess process(words, true);
    CHECK(process.wait() == 128 + SIGPIPE);
    CHECK(process.err.empty());
  }
}

TEST_CASE("eval: a picture that cannot be used is reported, and the others are scored") {
  const TemporaryFolder folder;
  json set = json::parse(read_text(annotations));
  const std::vector<std::string> names = {"000.jpg", "001.jpg", "002.jpg", "003.jpg"};
  json images = json::array(), kept = json::array();
  for (json& image : set["images"]) {
    const std::string name = image["file_name"];
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    fs::copy(demo + "/images/" + name, folder / name);
    if (name == "003.jpg") image["width"] = 7;
    images.push_back(image);
    if (name == "000.jpg" || name == "002.jpg") kept.push_back(image);
  }
  REQUIRE(images.size() == 4);
  REQUIRE(kept.size() == 2);
  write_text(folder / "001.jpg", read_text(folder / "001.jpg").substr(0, 400));
  set["images"] = images;
  write_text(folder / "all.json", set.dump());
  set["images"] = kept;
  write_text(folder / "good.json", set.dump());

  const std::string batch = GENERATE("1", "3");
  const ProcessResult ran = maskrt_command(
      "eval", {"--images", folder.path(), "--annotations", folder / "all.json", "--batch", batch, "--results",
               folder / "r.json", "--jsonl", folder / "r.jsonl", "--json", folder / "ap.json"});
  CHECK(ran.status == 1);
  CHECK_THAT(ran.err, Contains("001.jpg: the JPEG file is truncated") && Contains("003.jpg of 7x320 as") &&
                          EndsWith("maskrt: scored 2 of 4 images, the others could not be used\n"));
  CHECK_THAT(ran.out, StartsWith("2 images, ") && Contains("Average Recall"));
  CHECK(images_of(folder / "r.json") == std::set<std::string>{"000.jpg", "002.jpg"});
  CHECK(coco::read_image_lines(folder / "r.jsonl").lines.size() == 2);
  // The figures are those of the two pictures by themselves.
  const ProcessResult alone = run_process({MASKRT_COMMAND, "eval", "--results-only", folder / "r.json", "--annotations",
                                           folder / "good.json", "--json", folder / "alone.json"});
  CHECK(alone.status == 0);
  CHECK(read_text(folder / "alone.json") == read_text(folder / "ap.json"));

  for (const std::string& name : names) write_text(folder / name, "no picture");
  const ProcessResult none = maskrt_command("eval", {"--images", folder.path(), "--annotations", folder / "all.json"});
  CHECK(none.status == 1);
  CHECK(none.out.empty());
  CHECK_THAT(none.err, Contains("scored 0 of 4 images"));
}

TEST_CASE("eval: a signal keeps the results so far, and a resumed evaluation has the same figures") {
  const TemporaryFolder out;
  const Words set = {"--images", demo + "/images", "--annotations", annotations, "--limit", "16"};
  const Words files = {"--results", out / "r.json", "--json", out / "ap.json", "--jsonl", out / "r.jsonl"};
  REQUIRE(maskrt_command("eval", set + files).status == 0);
  const std::string results = read_text(out / "r.json"), figures = read_text(out / "ap.json"),
                    lines = read_text(out / "r.jsonl");
  for (const char* name : {"r.json", "ap.json", "r.jsonl"}) fs::remove(out / name);

  // All lines are more than a pipe holds: it cannot end while nobody reads.
  const fs::path fifo = make_fifo(out / "r.jsonl");
  RunningProcess eval(command_line("eval", set + files));
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_CLOEXEC);
  char first = 0;
  REQUIRE(::read(reader, &first, 1) == 1);
  eval.signal(SIGTERM);
  std::string got(1, first);
  for (char buffer[65536];;) {
    const ssize_t count = ::read(reader, buffer, sizeof buffer);
    if (count <= 0) break;
    got.append(buffer, static_cast<std::size_t>(count));
  }
  ::close(reader);
  CHECK(eval.wait() == 128 + SIGTERM);
  REQUIRE(got.size() < lines.size());
  CHECK(got == lines.substr(0, got.size()));
  const auto done = static_cast<std::size_t>(std::count(got.begin(), got.end(), '\n'));
  CHECK_THAT(eval.err, StartsWith("maskrt: stopped after " + std::to_string(done) +
                                  " of 16 images; their results are in " + (out / "r.json").string()));
  CHECK(images_of(out / "r.json").size() == done);
  CHECK_FALSE(fs::exists(out / "ap.json"));

  fs::remove(fifo);
  write_text(out / "r.jsonl", got + "{\"file_name\"");
  const ProcessResult resumed = maskrt_command("eval", set + files + Words{"--resume"});
  INFO(resumed.err);
  CHECK(resumed.status == 0);
  CHECK_THAT(resumed.out, Contains("of the images done before"));
  CHECK(read_text(out / "r.json") == results);
  CHECK(read_text(out / "ap.json") == figures);
  CHECK(read_text(out / "r.jsonl") == lines);
}
