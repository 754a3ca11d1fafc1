// --min-size and --max-size of the commands that look at pictures or run a network.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "four_pictures.h"
#include "graph/safetensors.h"
#include "runtime/coco/image_lines.h"
#include "support/demo_command.h"

using namespace maskrt;
using namespace maskrt::testing;
using Catch::Contains;
using Catch::EndsWith;
using nlohmann::json;

namespace {

/// The demo's model, converted with another size of its input.
std::string convert(const std::filesystem::path& file, const std::string& min_size, const std::string& max_size) {
  const ProcessResult made = run_process({MASKRT_CONVERT_COMMAND, demo + "/checkpoint.pth", "--config",
                                          demo + "/config.yaml", "--labels", demo + "/labels.json", "-o", file,
                                          "INPUT.MIN_SIZE_TEST", min_size, "INPUT.MAX_SIZE_TEST", max_size});
  INFO(made.err);
  REQUIRE(made.status == 0);
  return file;
}

}  // namespace

TEST_CASE("run --min-size: the bytes that a model converted with that size gives") {
  const Pictures& pictures = Pictures::whole();
  const TemporaryFolder out;
  const auto list_of = [&](const Words& words) {
    const ProcessResult ran = run_process(words + Words{"--json", out / "r.json"});
    check_success(ran);
    return read_text(out / "r.json");
  };
  const std::string smaller = convert(out / "192.maskrt", "192", "256"), whole = convert(out / "0.maskrt", "0", "342");
  const Words rest = Words{"--device", "cpu"} + pictures.paths;
  CHECK(list_of(command_line("run", pictures.paths)) == pictures.list());  // and no option changes nothing
  CHECK(list_of(command_line("run", pictures.paths + Words{"--min-size", "192", "--max-size", "256"})) ==
        list_of(Words{MASKRT_COMMAND, "run", smaller} + rest));
  CHECK(list_of(command_line("run", pictures.paths + Words{"--min-size", "0", "--batch", "2"})) ==
        list_of(Words{MASKRT_COMMAND, "run", whole, "--batch", "2"} + rest));
  CHECK(list_of(command_line("run", pictures.paths + Words{"--min-size=256"})) == pictures.list());
  CHECK(list_of(command_line("run", pictures.paths + Words{"--max-size", "300"})) != pictures.list());
}

TEST_CASE("run --resume: lines of another size are not gone on from") {
  const Pictures& pictures = Pictures::whole();
  const TemporaryFolder out;
  const std::string lines = out / "r.jsonl";
  const auto run = [&](const Words& more) {
    return ruled_command("run", pictures.paths + Words{"--jsonl", lines, "--resume"} + more);
  };
  check_success(run({"--min-size", "192"}));
  const std::string text = read_text(lines);
  CHECK_THAT(coco::read_image_lines(lines).lines.front().run,
             EndsWith(", resize: shortest edge 192, longest at most 342"));
  for (const Words& more :
       {Words{}, Words{"--min-size", "193"}, Words{"--min-size", "192", "--max-size", "0"}, Words{"--min-size", "0"}}) {
    const ProcessResult refused = run(more);
    CHECK(refused.status == 1);
    CHECK_THAT(refused.err, Contains("line 1: expected lines of this run") && Contains("shortest edge 192"));
    CHECK(read_text(lines) == text);
  }
  write_text(lines, first_lines(text, 2));
  check_success(run({"--min-size", "192", "--max-size", "342"}));
  CHECK(read_text(lines) == text);

  // The model's own size, said or not, is one.
  write_text(lines, first_lines(pictures.lines(), 1));
  check_success(run({"--min-size", "256"}));
  CHECK(read_text(lines) == pictures.lines());
}

TEST_CASE("dump, info, bench and tune take the size of the network's input from --min-size and --max-size") {
  const TemporaryFolder folder;
  const std::string tensors = folder / "t.safetensors";
  check_success(ruled_command("dump", {demo_picture(0), "-o", tensors, "--min-size", "100", "--max-size", "0"}));
  CHECK(graph::Safetensors::read(tensors).tensors.at("input").shape == Shape{1, 3, 128, 160});  // 133x100 of 320x240

  const Words small = {"--min-size", "64", "--max-size", "96"};
  CHECK_THAT(ruled_command("info", small).out,
             Contains("shortest edge 256, longest at most 342") && Contains("to run 1 x 64x96 on cpu"));
  const ProcessResult tuned = ruled_command("tune", small + Words{"--threads", "1"});
  check_success(tuned);
  CHECK_THAT(tuned.out, Contains(" | 1x16x24: "));

  const auto bench = [&](const Words& more) {
    check_success(ruled_command("bench", more + Words{"--runs", "1", "--warmup", "0", "--json", folder / "b.json"}));
    const json figures = json::parse(read_text(folder / "b.json"));
    return std::vector<std::string>{figures.at("size"), figures.at("picture"), figures.at("picture_size")};
  };
  CHECK(bench(small) == std::vector<std::string>{"64x96", "64x96", "64x96"});
  // --size is of the network alone, and of the picture where nothing else says of which size that is.
  CHECK(bench(small + Words{"--size", "128x160"}) == std::vector<std::string>{"128x160", "128x160", "64x96"});
  CHECK(bench({"--min-size", "0", "--image", "100x130"}) == std::vector<std::string>{"128x160", "100x130", "128x160"});
}

TEST_CASE("Sizes beyond what can be are one sentence, and a bound that decides is told") {
  const TemporaryFolder folder;
  const auto run = [&](const Words& more) {
    return ruled_command("run", Words{demo_picture(0)} + more + Words{"--json", folder / "r.json"});
  };
  const ProcessResult unbounded = run({"--min-size", "65536", "--max-size", "0"});
  CHECK(unbounded.status == 1);
  CHECK_THAT(unbounded.err, Contains("000.jpg: resize: expected a longest side of at most 65536 pixels, found 87381"));
  const ProcessResult large = run({"--min-size", "65536", "--max-size", "65536"});
  CHECK(large.status == 1);
  CHECK_THAT(large.err, Contains("000.jpg: plan: expected an input of at most 1073741824 pixels, found 49152x65536"));
  const ProcessResult input = ruled_command("info", {"--size", "65536x65536"});
  CHECK(input.status == 1);
  CHECK_THAT(input.err, Contains("plan: expected an input of at most 1073741824 pixels, found 65536x65536"));

  const ProcessResult bounded = run({"--min-size", "1000"});
  CHECK(bounded.status == 0);
  CHECK_THAT(bounded.err, Contains("a shorter side of 1000 is beyond the bound on the longer one, 342, which decides"));
  check_success(run({"--min-size", "1"}));  // one row or column of pixels, padded
  CHECK(run({"--max-size", "1"}).status == 0);
}
