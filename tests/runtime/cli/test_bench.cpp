// `maskrt bench` on the demo's model.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "maskrt/maskrt.hpp"
#include "support/demo_command.h"

using namespace maskrt;
using Catch::Contains;
using namespace maskrt::testing;
using nlohmann::json;

namespace {

ProcessResult maskrt_command(const std::string& command, const Words& arguments) {
  return run_process(demo_command(command, arguments));
}

}  // namespace

TEST_CASE("bench: every stage and every layer, with figures that fit together") {
  TemporaryFolder folder;
  const ProcessResult ran = maskrt_command("bench", {"--size", "100x128", "--runs", "3", "--warmup", "1", "--threads",
                                                     "1", "--layers", "--json", folder / "b.json"});
  check_success(ran);
  for (const char* stage :
       {"decode", "preprocess", "network", "postprocess", "whole call", "network alone", "GFLOP/s", "maskrt 0.",
        ", commit ", "oneDNN", "operation", "bound ms", "network alone: again and again"})
    CHECK_THAT(ran.out, Contains(stage));

  const json figures = json::parse(read_text(folder / "b.json"));
  CHECK(figures.at("size") == "128x128");
  CHECK(figures.at("device") == "cpu");
  CHECK(figures.at("precision") == "fp32");
  CHECK(figures.at("threads") == 1);
  CHECK(figures.at("batch") == 1);
  CHECK(figures.at("warmup") == 1);
  CHECK_THAT(figures.at("processor").get<std::string>(), Contains("oneDNN"));
  CHECK(figures.at("version") == version());
  CHECK(figures.at("commit").get<std::string>().size() >= 7);
  CHECK(figures.at("date").get<std::string>().size() == 10);
  for (const char* stage : {"decode", "preprocess", "network", "postprocess", "whole_call", "network_alone"}) {
    INFO(stage);
    const json& spread = figures.at(stage);
    CHECK(spread.at("runs") == 3);
    CHECK(spread.at("p10_ms").get<double>() > 0);
    CHECK(spread.at("p10_ms").get<double>() <= spread.at("median_ms").get<double>());
    CHECK(spread.at("median_ms").get<double>() <= spread.at("p90_ms").get<double>());
    CHECK(spread.at("p90_ms").get<double>() <= spread.at("p99_ms").get<double>());
  }
  double share = 0;
  for (const json& layer : figures.at("layers")) {
    CHECK(layer.at("name").is_string());
    CHECK(layer.at("op").is_string());
    CHECK(layer.at("ms").get<double>() >= 0);
    CHECK(layer.at("gflops").get<double>() >= 0);
    share += layer.at("share").get<double>();
  }
  CHECK(figures.at("layers").size() > 40);
  CHECK(share == Approx(1));
  for (const char* rate : {"flops", "memory_bytes", "cache_bytes"})
    CHECK(figures.at("peak").at(rate).get<double>() > 1e8);

  // What layers say adds up by operation and in all.
  for (const char* key : {"ms", "flops", "bytes", "bound_ms"}) {
    INFO(key);
    const auto sum = [&](const char* list) {
      double all = 0;
      for (const json& part : figures.at(list)) all += part.at(key).get<double>();
      return all;
    };
    CHECK(sum("layers") > 0);
    CHECK(sum("operations") == Approx(sum("layers")));
    CHECK(figures.at("all_layers").at(key).get<double>() == Approx(sum("layers")));
  }
  std::size_t layers = 0;
  for (const json& operation : figures.at("operations")) layers += operation.at("layers").get<std::size_t>();
  CHECK(layers == figures.at("layers").size());
}
