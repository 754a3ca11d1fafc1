// What users write on maskrt-convert's command line, and what it says about it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "graph/model_file.h"
#include "support/files.h"
#include "support/process.h"

namespace maskrt {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using testing::TemporaryFolder;
using testing::write_text;

const std::string kFixture = MASKRT_TEST_DATA "/fixtures/sparse_inst_r50_giam/";
const std::string kCheckpoint = kFixture + "checkpoint.pth", kConfig = kFixture + "config.yaml";

testing::ProcessResult convert(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), MASKRT_CONVERT);
  return testing::run_process(arguments);
}

// One error that contains `part`; gives all of it.
std::string refusal(const std::vector<std::string>& arguments, const std::string& part) {
  const auto result = convert(arguments);
  CHECK(result.status == 1);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, StartsWith("maskrt-convert: ") && Contains(part));
  return result.err;
}

}  // namespace

TEST_CASE("--list-configs prints the published configs, one a line, and asks for nothing else") {
  const auto result = convert({"--list-configs"});
  CHECK(result.status == 0);
  CHECK(result.err.empty());
  CHECK_THAT(result.out, StartsWith("fastinst_R101_ppm-fpn_x3_640\n") && Contains("\nsparse_inst_r50_giam\n"));
}

TEST_CASE("a list in brackets is one value, before and behind --") {
  const TemporaryFolder folder;
  const auto out = (folder / "out.maskrt").string();
  for (const bool dashes : {false, true}) {
    std::vector<std::string> arguments = {kCheckpoint, "--config", kConfig, "-o", out};
    if (dashes) arguments.push_back("--");
    arguments.insert(arguments.end(),
                     {"MODEL.PIXEL_STD", "[58.395,57.12,57.375]", "MODEL.PIXEL_MEAN", "[1, 2, 3]",
                      "MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[False,False,False,False]", "MODEL.RESNETS.OUT_FEATURES",
                      "['res3','res4','res5']", "TEST.EXPECTED_RESULTS", "[]", "DATASETS.TEST", "[['a'],['b']]"});
    const auto result = convert(arguments);
    INFO(result.err);
    REQUIRE(result.status == 0);
    CHECK_THAT(result.out, Contains("change nothing here: TEST.EXPECTED_RESULTS, DATASETS.TEST") ||
                               Contains("change nothing here: DATASETS.TEST, TEST.EXPECTED_RESULTS"));
    const auto& input = graph::read_model(out).preprocessing;
    CHECK(input.std[0] == 58.395f);
    CHECK(input.std[2] == 57.375f);
    CHECK(input.mean[1] == 2.0f);
  }
  refusal({kCheckpoint, "--config", kConfig, "-o", out, "MODEL.PIXEL_STD", "[1,2]"}, "found a list of 2");
}

TEST_CASE("every option that takes text takes brackets") {
  const TemporaryFolder folder;
  std::filesystem::copy(kCheckpoint, folder / "[a,b]");
  std::filesystem::copy(kConfig, folder / "[c,d]");
  write_text(folder / "[e,f]", "a\nb\nc\nd\ne\nf\ng\n");
  // The names stand alone in the command's working directory: a path would not begin with a bracket.
  const auto result = testing::run_process({"/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder.path().string(),
                                            MASKRT_CONVERT, "[a,b]", "--config", "[c,d]", "--labels", "[e,f]", "-o",
                                            "[g,h]", "--name", "[i,j]", "--prefix", ""});
  INFO(result.err);
  REQUIRE(result.status == 0);
  const auto model = graph::read_model(folder / "[g,h]");
  CHECK(model.name == "[i,j]");
  CHECK(model.categories.at(6).name == "g");
  refusal({kCheckpoint, "--config", kConfig, "--prefix", "[k,l]"}, "--prefix [k,l]: expected");
}

TEST_CASE("a mistyped key is an error, and one in a file a line of the report") {
  const TemporaryFolder folder;
  const auto out = (folder / "out.maskrt").string();
  refusal({kCheckpoint, "--config", kConfig, "-o", out, "MODEL.PIXEL_SDT", "[1,2,3]"},
          "MODEL.PIXEL_SDT (the command line): expected a key that this network or its training reads, found one that "
          "neither does; the nearest is MODEL.PIXEL_STD");
  refusal({kCheckpoint, "--config", kConfig, "-o", out, "MODEL.FASTINST.DEC_LAYERS", "3"},
          "MODEL.FASTINST.DEC_LAYERS (the command line): expected a key that this network or its training reads");
  CHECK(!std::filesystem::exists(out));
  const auto config =
      write_text(folder / "mine.yaml", "_BASE_: " + kConfig + "\nMODEL: {PIXEL_SDT: [1, 1, 1], MINE: {WIDTH: 3}}\n");
  const auto result = convert({kCheckpoint, "--config", config.string(), "-o", out});
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK_THAT(result.out, Contains("may be mistyped: MODEL.PIXEL_SDT (MODEL.PIXEL_STD?)\n") && !Contains("WIDTH"));
}

TEST_CASE("weights of other names: a few lines that show what the file has") {
  const TemporaryFolder folder;
  const auto out = (folder / "out.maskrt").string();
  const auto small = refusal({MASKRT_TEST_DATA "/checkpoints/zip_metadata.pth", "--config", kConfig, "-o", out},
                             "disagree in 309 places");
  CHECK_THAT(small, Contains("and 302 more, which --verbose lists") &&
                        Contains("nothing reads conv.norm.weight, conv.weight\n"));
  CHECK(std::count(small.begin(), small.end(), '\n') <= 13);
  const auto whole =
      refusal({MASKRT_TEST_DATA "/checkpoints/zip_metadata.pth", "--config", kConfig, "-o", out, "--verbose"},
              "disagree in 309 places");
  CHECK(std::count(whole.begin(), whole.end(), '\n') >= 310);
}

TEST_CASE("colours and prefixes in the report") {
  const TemporaryFolder folder;
  std::string list;
  for (int i = 1; i <= 7; ++i)
    list += (i == 1 ? "[" : ", ") + (R"({"id": )" + std::to_string(i) + R"(, "name": "c)" + std::to_string(i) +
                                     (i < 3 ? R"(", "color": "crimson"})" : R"(", "color": "#a60f2f"})"));
  const auto labels = write_text(folder / "labels.json", list + "]").string();
  const auto out = (folder / "out.maskrt").string();
  const auto result = convert({kCheckpoint, "--config", kConfig, "-o", out, "--labels", labels});
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK_THAT(result.out,
             Contains("left out    " + labels + ": left out 2 colours that are not understood, 'crimson' of 'c1'"));
  const auto color = graph::read_model(out).categories.at(2).color;
  CHECK(static_cast<int>(color[0]) == 0xa6);
  refusal({kCheckpoint, "--config", kConfig, "-o", out, "--prefix", "ema"},
          kCheckpoint + ": --prefix ema: expected a prefix of the network's names, found no prefix (309 names)");
}

TEST_CASE("files in one another's place, and names that are no UTF-8") {
  const TemporaryFolder folder;
  const auto out = (folder / "out.maskrt").string();
  refusal({kConfig, "--config", kCheckpoint, "-o", out}, "found a PyTorch checkpoint: --config is the YAML file");
  refusal({kConfig, "--config", kConfig, "-o", out}, "expected a checkpoint");
  refusal({kCheckpoint, "--config", kConfig, "--labels", kCheckpoint, "-o", out}, "expected labels");
  const auto picture = write_text(folder / "p.yaml", "\x89PNG\r\n\x1a\n....").string();
  refusal({kCheckpoint, "--config", picture, "-o", out}, "p.yaml, found a PNG picture");
  refusal({picture, "--config", kConfig, "-o", out}, "found a PNG picture");

  const auto latin1 = write_text(folder / "caf\xe9.yaml", "_BASE_: " + kConfig + "\n");
  const auto result = convert({kCheckpoint, "--config", latin1.string(), "-o", (folder / "\xe9.maskrt").string()});
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(graph::read_model(folder / "\xe9.maskrt").name == "caf\\xe9");
  refusal({kCheckpoint, "--config", kConfig, "-o", out, "--name", "\xe9"}, "--name: expected text in UTF-8");
}

}  // namespace maskrt
