// The maskrt command without a model: help, versions, usage, and input that it must refuse.
#include <catch2/catch.hpp>
#include <filesystem>

#include "maskrt/maskrt.hpp"
#include "support/files.h"
#include "support/process.h"

using Catch::Contains;
using Catch::StartsWith;
using maskrt::testing::ProcessResult;
using maskrt::testing::run_process;
using maskrt::testing::TemporaryFolder;
using maskrt::testing::write_text;
namespace fs = std::filesystem;

namespace {

ProcessResult maskrt_command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), MASKRT_COMMAND);
  return run_process(arguments);
}

/// One sentence on stderr, nothing on stdout.
void check_refused(const ProcessResult& result, int status, const std::string& part) {
  CHECK(result.status == status);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, StartsWith("maskrt: ") && Contains(part));
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  CHECK_FALSE(result.timed_out);
}

const char* const commands[] = {"run", "eval", "dump", "bench", "tune", "info"};

}  // namespace

TEST_CASE("Every command has help with an example, and a version") {
  const ProcessResult all = maskrt_command({"--help"});
  CHECK(all.status == 0);
  const std::string version = std::string("maskrt ") + maskrt::version() + "\n";
  CHECK(maskrt_command({"--version"}).out == version);
  for (const char* command : commands) {
    INFO(command);
    CHECK_THAT(all.out, Contains(command));
    const ProcessResult help = maskrt_command({command, "--help"});
    CHECK(help.status == 0);
    CHECK(help.err.empty());
    CHECK_THAT(help.out, Contains("Example") && Contains("maskrt " + std::string(command) + " "));
    for (const char* option : {"--device", "--precision", "--threads"}) CHECK_THAT(help.out, Contains(option));
    const ProcessResult told = maskrt_command({command, "--version"});
    CHECK(told.status == 0);
    CHECK(told.out == version);
  }
}

TEST_CASE("Wrong usage is one sentence and exit 2") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "expected a command"},
      {{"paint"}, "paint"},
      {{"rnu", "m", "i.jpg"}, "found 'rnu': did you mean run?"},
      {{"evl"}, "did you mean eval?"},
      {{"frobnicate"}, "there are run, eval, dump, bench, tune and info"},
      {{"--vresion"}, "found '--vresion': did you mean --version?"},
      {{"run", "m", "i.jpg", "--oevrlay=o"}, "an option of maskrt run, found '--oevrlay': did you mean --overlay?"},
      {{"run", "--quite"}, "did you mean --quiet?"},
      {{"run", "m", "i.jpg", "-q"}, "an option of maskrt run, found '-q' (see"},
      {{"bench", "m", "more"}, "more"},
      {{"run"}, "MODEL"},
      {{"run", "m"}, "INPUT"},
      {{"run", "m", "i.jpg", "--nonsense"}, "--nonsense"},
      {{"run", "m", "i.jpg", "--score", "two"}, "--score"},
      {{"run", "m", "i.jpg", "--score", "1.5"}, "--score"},
      {{"run", "m", "i.jpg", "--batch", "0"}, "--batch"},
      {{"run", "m", "i.jpg", "--precision", "fp8"}, "--precision"},
      {{"run", "m", "i.jpg", "--device", "tpu"}, "--device"},
      {{"run", "m", "i.jpg", "--threads", "-1"}, "--threads"},
      {{"run", "m", "i.jpg", "--json"}, "--json"},
      {{"eval", "m", "--images", "d"}, "--annotations"},
      {{"eval", "--images", "d", "--annotations", "a"}, "MODEL"},
      {{"eval", "m", "--annotations", "a"}, "--images"},
      {{"eval", "m", "--results-only", "r", "--annotations", "a"}, "--results-only"},
      {{"eval", "m", "--images", "d", "--annotations", "a", "--iou-type", "keypoints"}, "--iou-type"},
      {{"eval", "m", "--images", "d", "--annotations", "a", "--limit", "-3"}, "--limit"},
      {{"run", "m", "i.jpg", "--resume"}, "--jsonl"},
      {{"eval", "m", "--images", "d", "--annotations", "a", "--resume"}, "--jsonl"},
      {{"eval", "m", "--images", "d", "--annotations", "a", "--quiet"}, "it needs --json FILE"},
      {{"eval", "--results-only", "r", "--annotations", "a", "--jsonl", "l"}, "--results-only"},
      {{"dump", "m", "i.png"}, "--output"},
      {{"bench", "m", "--size", "640"}, "640x864"},
      {{"bench", "m", "--size", "0x3"}, "0x3"},
      {{"info"}, "MODEL"},
      {{"run", "m", "i.jpg", "--min-size", "-1"}, "a whole number from 0 to 65536, found '-1'"},
      {{"run", "m", "i.jpg", "--min-size", "65537"}, "--min-size"},
      {{"dump", "m", "i.jpg", "-o", "o", "--max-size", "640x864"}, "--max-size"},
      {{"info", "m", "--size", "64x64", "--min-size", "64"}, "it goes without --min-size and --max-size"},
      {{"tune", "m", "--size", "64x64", "--max-size", "64"}, "--size is the network's input itself"},
      {{"eval", "m", "--images", "d", "--annotations", "a", "--min-size", "448", "large"}, "found 'large'"},
      {{"eval", "m", "--images", "d", "--annotations", "a", "--min-size", "448", "512", "448"}, "found 448 twice"},
      {{"eval", "m", "--images", "d", "--annotations", "a", "--min-size", "1", "2", "--results", "r"}, "of one size"},
      {{"eval", "m", "--images", "d", "--annotations", "a", "--min-size", "1,2", "--jsonl", "l"}, "of one size"},
      {{"eval", "m", "--images", "d", "--annotations", "a", "--plot", "p", "--jsonl", "l", "--resume"}, "--plot"},
      {{"eval", "--results-only", "r", "--annotations", "a", "--plot", "p"}, "--results-only"},
      {{"eval", "--results-only", "r", "--annotations", "a", "--min-size", "4"}, "--results-only"},
  };
  for (const auto& [arguments, part] : cases) {
    std::string line = "maskrt";
    for (const std::string& argument : arguments) line += " " + argument;
    INFO(line);
    check_refused(maskrt_command(arguments), 2, part);
  }
}

TEST_CASE("Models that are none are refused with their name, and nothing is written") {
  TemporaryFolder folder;
  const std::string image = write_text(folder / "image.ppm", "P6 1 1 255\n\1\2\3");
  const std::string out = folder / "out";
  const std::pair<std::string, std::string> models[] = {
      {(folder / "missing.maskrt").string(), "missing.maskrt"},
      {write_text(folder / "empty.maskrt", "").string(), "empty.maskrt"},
      {write_text(folder / "text.maskrt", "this is no model at all, it is text").string(), "text.maskrt"},
      {write_text(folder / "huge.maskrt", std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10)).string(),
       "huge.maskrt"},
      {folder.path().string(), folder.path().string()}};
  for (const auto& [model, part] : models) {
    INFO(model);
    check_refused(maskrt_command({"run", model, image, "--json", out + "/r.json", "--overlay", out}), 1, part);
    check_refused(maskrt_command({"dump", model, image, "-o", out + "/t.safetensors"}), 1, part);
    check_refused(maskrt_command({"bench", model, "--json", out + "/b.json"}), 1, part);
    check_refused(maskrt_command({"info", model}), 1, part);
    CHECK_FALSE(fs::exists(out));
  }
}

TEST_CASE("Inputs that are nothing are refused before the model is looked at") {
  TemporaryFolder folder;
  check_refused(maskrt_command({"run", "no.maskrt", folder.path().string()}), 1, folder.path().string());
  check_refused(maskrt_command({"run", "no.maskrt", (folder / "*.jpg").string()}), 1, "*.jpg");
}

TEST_CASE("Results are scored without a model") {
  TemporaryFolder folder;
  const std::string demo = MASKRT_DEMO;
  const std::string json = folder / "made/ap.json";
  const ProcessResult result = maskrt_command({"eval", "--results-only", demo + "/reference_results.json",
                                               "--annotations", demo + "/annotations.json", "--json", json});
  CHECK(result.err.empty());
  REQUIRE(result.status == 0);
  // The reference's figures, in examples/demo/reference_ap.json.
  CHECK_THAT(result.out,
             Contains(" Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.631\n") &&
                 Contains(" Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = 0.799\n"));
  CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 12);
  const std::string written = maskrt::testing::read_text(json);
  for (const char* name : {"AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"})
    CHECK_THAT(written, Contains(std::string("\"").append(name).append("\": ")));
  CHECK_THAT(written, Contains("\"AP\": 0.63136072"));

  const ProcessResult boxes = maskrt_command({"eval", "--results-only", demo + "/reference_results.json",
                                              "--annotations", demo + "/annotations.json", "--iou-type", "bbox"});
  CHECK_THAT(boxes.out, Contains("maxDets=100 ] = 0.530\n"));
}

TEST_CASE("Annotations and results that are none are refused with their name") {
  TemporaryFolder folder;
  const std::string demo = MASKRT_DEMO;
  const std::string broken = write_text(folder / "broken.json", "[{\"image_id\": 1,");
  const std::string no_images =
      write_text(folder / "none.json", R"({"images": [], "categories": [], "annotations": []})");
  const std::string annotations = demo + "/annotations.json";
  check_refused(maskrt_command({"eval", "--results-only", broken, "--annotations", annotations}), 1, "broken.json");
  check_refused(maskrt_command({"eval", "--results-only", folder / "no.json", "--annotations", annotations}), 1,
                "no.json");
  check_refused(maskrt_command({"eval", "--results-only", broken, "--annotations", broken}), 1, "broken.json");
  check_refused(maskrt_command({"eval", "--results-only", broken, "--annotations", no_images}), 1, "none.json");
  // Images are looked for before the model is loaded.
  check_refused(maskrt_command({"eval", "no.maskrt", "--images", folder.path().string(), "--annotations", annotations}),
                1, "000.jpg");
  const ProcessResult unwritable = maskrt_command({"eval", "--results-only", demo + "/reference_results.json",
                                                   "--annotations", annotations, "--json", broken + "/below.json"});
  CHECK(unwritable.status == 1);
  CHECK_THAT(unwritable.err, StartsWith("maskrt: ") && Contains("broken.json"));
}
