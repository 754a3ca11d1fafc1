// What running a network of full width takes: the promise is prepared weights, the arena, and 100 MB beside them.
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "support/files.h"
#include "support/process.h"

namespace maskrt::testing {
namespace {

ProcessResult succeeding(const std::vector<std::string>& arguments) {
  ProcessResult result = run_process(arguments, std::chrono::seconds(300));
  INFO(result.err);
  REQUIRE(result.status == 0);
  return result;
}

std::string megabytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", 1e-6 * static_cast<double>(bytes));
  return text;
}

TEST_CASE("R-50 from loading to masks takes its weights, its arena and at most 100 MB, and info names the parts") {
  constexpr std::size_t beside = 100'000'000;
  const TemporaryFolder folder;
  const std::string model = folder / "r50.maskrt", figures = folder / "figures.json";
  succeeding({MASKRT_CONVERT_COMMAND, "--random-weights", "--config", "sparse_inst_r50_giam", "-o", model});
  // Measuring algorithms takes memory too; a rule takes others, but the same in each process.
  for (const char* tune : {"1", "0"}) {
    ::setenv("MASKRT_CPU_TUNE", tune, 1);
    INFO("MASKRT_CPU_TUNE=" << tune);
    const ProcessResult ran = succeeding({MASKRT_COMMAND, "bench", model, "--device", "cpu", "--size", "640x864",
                                          "--runs", "1", "--threads", "2", "--json", figures});
    const auto json = nlohmann::json::parse(read_text(figures));
    const auto weights = json.at("prepared_weights_bytes").get<std::size_t>();
    const auto arena = json.at("arena_bytes").get<std::size_t>();
    // Before layers are measured, whose bounds take memory to find out.
    const auto peak = json.at("peak_memory_bytes").get<std::size_t>();
    INFO("prepared weights " << weights << ", arena " << arena << ", peak " << peak);
    CHECK(peak > weights + arena);
    CHECK(peak <= weights + arena + beside);
    CHECK(peak <= ran.peak_memory);
    if (std::string(tune) == "1") continue;
    const ProcessResult info =
        succeeding({MASKRT_COMMAND, "info", model, "--device", "cpu", "--size", "640x864", "--threads", "2"});
    CHECK_THAT(info.out, Catch::Matches("[^]*prepared weights +" + megabytes(weights) + "\narena +" + megabytes(arena) +
                                        ", scratch included\nscratch +[0-9.]+ MB\n[^]*"));
  }
  ::unsetenv("MASKRT_CPU_TUNE");
}

}  // namespace
}  // namespace maskrt::testing
