// Disks and devices that take no more: as many images as there is room for are kept.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "four_pictures.h"
#include "support/demo_command.h"

using namespace maskrt;
using Catch::Contains;
using namespace maskrt::testing;
namespace fs = std::filesystem;

namespace {

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

}  // namespace

TEST_CASE("run: a full disk keeps as many images as it has room for") {
  const Pictures& pictures = Pictures::whole();
  const TemporaryFolder out;
  const std::size_t two_images = first_lines(pictures.lines(), 2).size();
  const std::size_t images_in_list = 2, size_of_list = pictures.list().size();
  SECTION("of lines") {
    ProcessResult stopped;
    {
      const FullDisk disk(two_images + 100);
      stopped = ruled_command("run", pictures.paths + Words{"--json", out / "r.json", "--jsonl", out / "r.jsonl"});
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
        stopped = ruled_command("run", pictures.paths + Words{"--json", out / "r.json"});
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
        ruled_command("run", pictures.paths + Words{"--json", out / "r.json", "--overlay", out / "drawn"});
    CHECK(stopped.status == 1);
    CHECK_THAT(stopped.err, Contains("stopped after 1 of 4 images") && Contains("No space left on device"));
    CHECK(images_of(out / "r.json") == std::set<std::string>{"000.jpg"});
  }
  SECTION("that is the standard output, or a device") {
    const ProcessResult list =
        ruled_command("run", pictures.paths + Words{"--json", "/dev/full", "--jsonl", out / "r.jsonl"});
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
