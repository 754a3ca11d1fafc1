// The maskrt command takes each word as it was given: brackets and commas are part of a name.
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "support/demo_command.h"

namespace fs = std::filesystem;
using Catch::Contains;
using namespace maskrt::testing;

namespace {

/// Runs the command in a folder: names stand alone, for a path would not begin with a bracket.
ProcessResult run_in(const TemporaryFolder& folder, const Words& words) {
  return run_process(
      Words{"/bin/sh", "-c", "cd \"$0\" && MASKRT_CPU_TUNE=0 exec \"$@\"", folder.path().string(), MASKRT_COMMAND} +
      words);
}

}  // namespace

TEST_CASE("Names in brackets are names, for every word and option that takes a file") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "[2024]");
  fs::create_directory(folder / "2024");  // what it must not be taken for
  fs::copy(demo + "/images/000.jpg", folder / "[2024]" / "in.jpg");
  fs::copy(demo + "/images/001.jpg", folder / "2024" / "wrong.jpg");
  fs::copy(demo + "/images/001.jpg", folder / "[a,b]");
  fs::copy(demo_model(), folder / "[m]");

  const ProcessResult run = run_in(folder, {"run", "[m]", "[2024]", "[a,b]", "--device", "cpu", "--json", "[j,k]",
                                            "--jsonl", "[l]", "--overlay", "[o]", "--masks", "[p]"});
  INFO(run.err);
  REQUIRE(run.status == 0);
  CHECK_THAT(run.out, Contains("in.jpg") && Contains("[a,b]") && !Contains("wrong"));
  for (const char* written : {"[j,k]", "[l]", "[o]", "[p]"}) CHECK(fs::exists(folder / written));

  const ProcessResult dump = run_in(folder, {"dump", "[m]", "[a,b]", "-o", "[d,e]", "--device", "cpu"});
  INFO(dump.err);
  CHECK(dump.status == 0);
  CHECK(fs::exists(folder / "[d,e]"));

  CHECK_THAT(run_in(folder, {"run", "[m]", "[c]", "--device", "cpu"}).err, Contains("[c]"));
  CHECK_THAT(run_in(folder, {"eval", "[m]", "--images", "[i,j]", "--annotations", "[x,y]"}).err, Contains("[x,y]"));
  CHECK_THAT(run_in(folder, {"eval", "--results-only", "[r,s]", "--annotations", demo + "/annotations.json"}).err,
             Contains("[r,s]"));
  CHECK_THAT(run_in(folder, {"info", "[q,m]"}).err, Contains("[q,m]"));
  CHECK_THAT(run_in(folder, {"run", "[m]", "[2024]", "--device", "[cpu]"}).err, Contains("'[cpu]'"));
}

TEST_CASE("A model that is a checkpoint is to be converted") {
  const TemporaryFolder folder;
  for (const char* command : {"run", "dump", "bench", "info", "tune"}) {
    CAPTURE(command);
    Words words = {command, demo + "/checkpoint.pth"};
    if (words[0] == "run" || words[0] == "dump") words.push_back(demo + "/images/000.jpg");
    if (words[0] == "dump" || words[0] == "tune") words.insert(words.end(), {"-o", "out"});
    const ProcessResult result = run_in(folder, words);
    CHECK(result.status == 1);
    CHECK_THAT(result.err, Contains("maskrt: " + demo +
                                    "/checkpoint.pth: expected a maskrt model, found a PyTorch checkpoint: convert it "
                                    "with maskrt-convert\n"));
  }
  CHECK_THAT(run_in(folder, {"run", demo + "/images/000.jpg", demo_model()}).err,
             Contains("found a JPEG picture: the model is named before the pictures"));
}
