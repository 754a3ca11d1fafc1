// `maskrt tune` on the demo's model, and what its files decide.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "support/demo_command.h"

using Catch::Contains;
using namespace maskrt::testing;

namespace {

ProcessResult maskrt_command(const std::string& command, const Words& arguments) {
  return run_process(demo_command(command, arguments));
}

}  // namespace

TEST_CASE("tune: one file for several sizes and devices, which decides from then on") {
  const TemporaryFolder folder;
  const std::string file = folder / "tuned.txt", figures = folder / "figures.json";
  const std::string of_gpu =
      "9.0x132 fp16 1x8x8x64 -> 64 3x3 stride 1 padding 1 dilation 1 groups 1 residual 0 fp16: a / 1\n";
  write_text(file, of_gpu);
  const auto bench = [&] {
    return maskrt_command("bench", {"--size", "64x96", "--runs", "1", "--tuning", file, "--json", figures});
  };
  const ProcessResult ignoring = bench();
  CHECK(ignoring.status == 0);
  CHECK_THAT(ignoring.err, Contains("without the tuning file: " + file + " has no choices for "));

  for (const char* size : {"64x64", "64x96"})
    CHECK(maskrt_command("tune", {"--size", size, "--threads", "1", "--tuning", file, "-o", file}).status == 0);
  const std::string text = read_text(file);
  CHECK_THAT(text, Contains(of_gpu));
  CHECK_THAT(text, Contains("| 1 threads fp32") && Contains(" | 1x16x16: ") && Contains(" | 1x16x24: "));
  const ProcessResult tuned = bench();
  check_success(tuned);
  CHECK_THAT(tuned.err, !Contains("without the tuning file"));
  CHECK(nlohmann::json::parse(read_text(figures)).at("further_plan_ms").get<double>() > 0);

  write_text(file, text + "cpu of no form\n");
  const ProcessResult malformed = bench();
  CHECK(malformed.status == 1);
  CHECK_THAT(malformed.err, Contains(file + ", line ") && Contains("expected \"problem: algorithm / seconds\""));
  CHECK(maskrt_command("bench", {"--tuning", folder / "none.txt"}).status == 1);
}
