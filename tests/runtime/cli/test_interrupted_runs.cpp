// Runs that a signal, a closed pipe or a failure ends: results so far are kept, and a resumed run completes them.
#include <fcntl.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <set>

#include "four_pictures.h"
#include "support/demo_command.h"
#include "support/running_process.h"

using namespace maskrt;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;
using namespace maskrt::testing;
namespace fs = std::filesystem;

namespace {

const std::string annotations = demo + "/annotations.json";

}  // namespace

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

TEST_CASE("eval: a signal keeps the results so far, and a resumed evaluation has the same figures") {
  const TemporaryFolder out;
  const Words set = {"--images", demo + "/images", "--annotations", annotations, "--limit", "16"};
  const Words files = {"--results", out / "r.json", "--json", out / "ap.json", "--jsonl", out / "r.jsonl"};
  REQUIRE(ruled_command("eval", set + files).status == 0);
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
  const ProcessResult resumed = ruled_command("eval", set + files + Words{"--resume"});
  INFO(resumed.err);
  CHECK(resumed.status == 0);
  CHECK_THAT(resumed.out, Contains("of the images done before"));
  CHECK(read_text(out / "r.json") == results);
  CHECK(read_text(out / "ap.json") == figures);
  CHECK(read_text(out / "r.jsonl") == lines);
}
