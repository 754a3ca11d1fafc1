// The demo's average precision on a GPU is the CPU's.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "support/demo_model.h"
#include "support/files.h"
#include "support/process.h"

namespace maskrt::testing {
namespace {

// Of the 60 annotated pictures, as many as the virtual GPU does in half a minute.
const std::string pictures = "6";

/// `maskrt eval` on these pictures; nothing where the device library could not be opened.
std::optional<double> average_precision(const std::vector<std::string>& of) {
  const TemporaryFolder folder;
  const std::string json = folder / "ap.json";
  std::vector<std::string> command = {place("MASKRT_COMMAND", MASKRT_COMMAND),
                                      "eval",
                                      "--annotations",
                                      demo + "/annotations.json",
                                      "--limit",
                                      pictures,
                                      "--json",
                                      json};
  command.insert(command.end(), of.begin(), of.end());
  const ProcessResult result = run_process(command, std::chrono::minutes(10));
  if (result.err.find("its library could not be opened") != std::string::npos) return std::nullopt;
  INFO(result.err);
  REQUIRE(result.status == 0);
  return nlohmann::json::parse(read_text(json)).at("AP").get<double>();
}

std::optional<double> average_precision_on(const std::string& device) {
  return average_precision({demo_model(), "--images", demo + "/images", "--device", device});
}

TEST_CASE("The demo's average precision in fp16 on a GPU is the CPU's in fp32") {
  const double gpu = average_precision_on("cuda").value();
  // Where the CPU device was left out, the reference's own detections: CPU and reference are up to 0.003 apart.
  const double reference = average_precision({"--results-only", demo + "/reference_results.json"}).value();
  CHECK(gpu == Approx(reference).margin(0.005));
  if (const std::optional<double> cpu = average_precision_on("cpu")) CHECK(gpu == Approx(*cpu).margin(0.002));
}

}  // namespace
}  // namespace maskrt::testing
