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

/// Stages and modules make up a call, and the modules its network.
void check_modules(const json& figures) {
  const auto median = [&](const char* stage) { return figures.at(stage).at("median_ms").get<double>(); };
  std::vector<std::string> names;
  double network = 0, share = 0, all = 0;
  std::size_t layers = 0;
  for (const json& module : figures.at("modules")) {
    names.push_back(module.at("name"));
    CHECK(module.at("ms").get<double>() > 0);
    share += module.at("share").get<double>();
    all += module.at("ms").get<double>();
    if (!module.contains("layers")) continue;
    network += module.at("ms").get<double>();
    layers += module.at("layers").get<std::size_t>();
  }
  CHECK(names == Words{"preprocess", "backbone", "encoder", "decoder", "postprocess"});
  CHECK(share == Approx(1));
  CHECK(network == Approx(median("network")));
  CHECK(all == Approx(median("preprocess") + median("network") + median("postprocess")));
  CHECK(figures.at("frames_per_second").get<double>() == Approx(1e3 / (median("network") + median("postprocess"))));

  // The layers of a module have its share of all layers' time.
  CHECK(figures.at("layers").size() == layers);
  for (const json& module : figures.at("modules")) {
    if (!module.contains("layers")) continue;
    double of_layers = 0;
    for (const json& layer : figures.at("layers"))
      if (layer.at("module") == module.at("name")) of_layers += layer.at("share").get<double>();
    CHECK(of_layers == Approx(module.at("ms").get<double>() / network));
  }
}

}  // namespace

TEST_CASE("bench: the modules without layers, too") {
  const ProcessResult ran = maskrt_command("bench", {"--size", "64x64", "--runs", "1", "--threads", "1"});
  check_success(ran);
  CHECK_THAT(ran.out, Contains("backbone") && Contains("frames a second") && !Contains("GFLOP/s"));
}

TEST_CASE("bench: every stage and every layer, with figures that fit together") {
  TemporaryFolder folder;
  const ProcessResult ran = maskrt_command("bench", {"--size", "100x128", "--runs", "3", "--warmup", "1", "--threads",
                                                     "1", "--layers", "--json", folder / "b.json"});
  check_success(ran);
  for (const char* stage :
       {"decode", "preprocess", "network", "postprocess", "whole call", "network alone", "GFLOP/s", "maskrt 0.",
        ", commit ", "oneDNN", "operation", "bound ms", "network alone: again and again", "module", "backbone",
        "encoder", "decoder", "frames a second"})
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
  check_modules(figures);
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
