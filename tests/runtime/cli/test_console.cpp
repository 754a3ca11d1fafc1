// The standard output and stderr: what --quiet leaves, files that are called -, readers that have gone.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "four_pictures.h"
#include "graph/safetensors.h"
#include "support/demo_command.h"
#include "support/running_process.h"

using namespace maskrt;
using Catch::Contains;
using Catch::Matches;
using Catch::StartsWith;
using namespace maskrt::testing;
using nlohmann::json;

namespace {

const std::string annotations = demo + "/annotations.json";

}  // namespace

TEST_CASE("--quiet prints errors alone") {
  const TemporaryFolder folder;
  const std::string out = folder / "out.json", broken = folder / "broken.jpg";
  const auto without_device = [](std::vector<std::string> words) {  // so that "auto" has something to tell
    words.insert(words.begin() + 1, demo_model());
    words.insert(words.begin(), {MASKRT_COMMAND});
    return run_process(words);
  };
  const ProcessResult ran = without_device({"run", demo_picture(0), "--json", out, "--quiet"});
  CHECK(ran.status == 0);
  CHECK(ran.out + ran.err == "");
  const ProcessResult scored = without_device({"eval", "--images", demo + "/images", "--annotations",
                                               demo + "/annotations.json", "--limit", "1", "--json", out, "--quiet"});
  CHECK(scored.status == 0);
  CHECK(scored.out + scored.err == "");
  write_text(broken, "no picture");
  const ProcessResult failed = without_device({"run", demo_picture(0), broken, "--quiet"});
  CHECK(failed.status == 1);
  CHECK(failed.out.empty());
  CHECK_THAT(failed.err, StartsWith("maskrt: " + broken + ": ") && Matches("[^\n]*\n"));
}

TEST_CASE("A file that is called - is the standard output, and people's lines go to stderr") {
  const Pictures& pictures = Pictures::whole();
  const TemporaryFolder out;
  for (const std::string name : {"-", "/dev/stdout"}) {
    const ProcessResult list = ruled_command("run", pictures.paths + Words{"--json", name});
    CHECK(list.status == 0);
    CHECK(list.out == pictures.list());
    CHECK_THAT(list.err, StartsWith("000.jpg ") && Contains("4 images, "));
  }
  CHECK(ruled_command("run", pictures.paths + Words{"--jsonl", "-", "--quiet"}).out == pictures.lines());

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
  const ProcessResult metrics = ruled_command("eval", few + Words{"--json", "-"});
  CHECK(json::parse(metrics.out).size() == 12);
  CHECK_THAT(metrics.err, StartsWith("2 images, ") && Contains("Average Recall"));
  const ProcessResult results = ruled_command("eval", few + Words{"--results", "-"});
  CHECK(json::parse(results.out).size() > 2);
  CHECK_THAT(results.err, Contains("Average Recall"));
  const ProcessResult bench = ruled_command("bench", {"--size", "64x64", "--runs", "1", "--json", "-"});
  CHECK(json::parse(bench.out).at("batch") == 1);
  CHECK_THAT(bench.err, Contains("network alone"));
  const ProcessResult dumped = ruled_command("dump", {pictures.paths[0], "-o", "-"});
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
