// The command's figures on a GPU.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "runtime/cuda/peak.h"
#include "support/demo_model.h"
#include "support/gpu.h"

namespace maskrt::testing {
namespace {

using Catch::Matchers::Contains;

ProcessResult on_gpu(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), place("MASKRT_COMMAND", MASKRT_COMMAND));
  arguments.insert(arguments.end(), {"--device", "cuda"});
  return run_process(arguments, std::chrono::seconds(600));
}

TEST_CASE("bench on a GPU: copies and computing apart, and layers against what the chip could do") {
  const TemporaryFolder folder;
  const ProcessResult ran =
      on_gpu({"bench", demo_model(), "--size", "64x64", "--runs", "1", "--layers", "--json", folder / "b.json"});
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  for (const char* part : {"host to device", "compute", "device to host", "network alone", "of bound"})
    CHECK_THAT(ran.out, Contains(part));
  const auto figures = nlohmann::json::parse(read_text(folder / "b.json"));
  CHECK(figures.at("device") == "cuda:0");
  CHECK(figures.at("precision") == "fp16");
  for (const char* stage : {"host_to_device", "compute", "device_to_host", "preprocess", "network", "postprocess",
                            "whole_call", "network_alone"}) {
    INFO(stage);
    CHECK(figures.at(stage).at("median_ms").get<double>() > 0);
  }
  // The parts are parts of the whole, and a layer is no faster than arithmetic and memory.
  const auto median = [&](const char* stage) { return figures.at(stage).at("median_ms").get<double>(); };
  CHECK(median("host_to_device") + median("compute") + median("device_to_host") <= 1.01 * median("whole_call"));
  double modules = 0;
  std::vector<std::string> names;
  for (const auto& module : figures.at("modules")) {
    if (module.contains("layers")) modules += module.at("ms").get<double>();
    // Where sums of splits count blocks in memory, setting those counters to zero belongs to no module.
    if (module.at("name") != "other") names.push_back(module.at("name"));
  }
  CHECK(modules == Approx(median("network")));
  CHECK(names.size() == 5);
  CHECK(figures.at("frames_per_second").get<double>() == Approx(1e3 / (median("network") + median("postprocess"))));
  const auto share_is_right = [](const nlohmann::json& of) {
    const double share = of.at("bound_share").get<double>();
    return share > 0 && share < 1;
  };
  CHECK(share_is_right(figures));
  std::size_t convolutions = 0;
  for (const auto& layer : figures.at("layers")) {
    if (layer.at("op") != "conv") continue;
    ++convolutions;
    INFO(layer);
    CHECK(share_is_right(layer));
  }
  CHECK(convolutions > 40);
}

/// Strips, for which the network's input is no larger than 32x352.
std::string strip(int number) {
  constexpr int width = 600, height = 12;
  std::string file = "P6 " + std::to_string(width) + " " + std::to_string(height) + " 255\n";
  for (int i = 0; i < 3 * width * height; ++i) file += static_cast<char>((i / 7 * number + i % 3 * 80) % 251);
  return file;
}

TEST_CASE("run: pictures that two sessions of a GPU share have the results that each has alone") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "all");
  std::string alone;
  for (int number = 1; number <= 3; ++number) {
    const std::string name = std::to_string(number) + ".ppm", lines = folder / (name + ".jsonl");
    write_text(folder / ("all/" + name), strip(number));
    const ProcessResult ran = on_gpu({"run", demo_model(), folder / ("all/" + name), "--jsonl", lines, "--quiet"});
    INFO(ran.err);
    REQUIRE(ran.status == 0);
    alone += read_text(lines);
  }
  CHECK(std::count(alone.begin(), alone.end(), '\n') == 3);
  CHECK_THAT(alone, Contains("segmentation"));
  const ProcessResult ran =
      on_gpu({"run", demo_model(), folder / "all", "--jsonl", folder / "all.jsonl", "--threads", "3"});
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  CHECK_THAT(ran.out, Contains("3 images, ") && Contains("on 3 threads and cuda:0 an image took"));
  CHECK(read_text(folder / "all.jsonl") == alone);
}

TEST_CASE("The bound is the data sheet's") {
  const cuda::Context& context = *Gpu::instance().context();
  if (!context.name().starts_with("Virtual")) return;  // of other boards than those below
  struct Sheet {
    int compute_capability;
    double multiprocessors, fp16, tf32, fp32, bytes;
  };
  const auto of_one = [&](Precision precision) {
    return cuda::peak_of(context, precision).flops / context.chip().multiprocessors;
  };
  for (const Sheet& sheet : {Sheet{75, 40, 65e12, 8.1e12, 8.1e12, 320e9},           // T4
                             Sheet{80, 108, 312e12, 156e12, 19.5e12, 1555e9},       // A100 40 GB
                             Sheet{90, 132, 1070e12, 535e12, 66.9e12, 3.35e12}}) {  // H100, at 1980 MHz
    if (sheet.compute_capability != context.chip().compute_capability) continue;
    CHECK(of_one(Precision::fp16) == Approx(sheet.fp16 / sheet.multiprocessors).epsilon(0.01));
    CHECK(of_one(Precision::tf32) == Approx(sheet.tf32 / sheet.multiprocessors).epsilon(0.01));
    CHECK(of_one(Precision::fp32) == Approx(sheet.fp32 / sheet.multiprocessors).epsilon(0.01));
    CHECK(cuda::peak_of(context, Precision::fp16).bytes == Approx(sheet.bytes).epsilon(0.01));
  }
}

TEST_CASE("info lists the rewrites into the GPU's fused operations, and leaves out those that are named") {
  const ProcessResult all = on_gpu({"info", demo_model(), "--graph", "--size", "64x64"});
  INFO(all.err);
  REQUIRE(all.status == 0);
  for (const char* name :
       {"pair-convs", "upsample-residual", "pyramid-pool", "regroup-linear", "linear-heads", "stem-pool"}) {
    INFO(name);
    CHECK_THAT(all.out, Contains(name));
    const ProcessResult without = on_gpu({"info", demo_model(), "--graph", "--size", "64x64", "--rewrites-off", name});
    REQUIRE(without.status == 0);
    CHECK_THAT(without.out, !Contains(name));
  }
  for (const char* operation : {"pyramid_pool", "linear_heads", "stem_pool", "residual x2"})
    CHECK_THAT(all.out, Contains(operation));
}

TEST_CASE("tune measures on a GPU that keeps its own time") {
  const TemporaryFolder folder;
  const ProcessResult ran = on_gpu({"tune", demo_model(), "--size", "64x64", "-o", folder / "tuned.txt"});
  INFO(ran.err);
  if (Gpu::instance().context()->name().starts_with("Virtual")) {
    CHECK(ran.status == 1);
    CHECK_THAT(ran.err, Contains("expected a GPU with a clock to measure by, found Virtual GPU"));
    return;
  }
  REQUIRE(ran.status == 0);
  const ProcessResult with =
      on_gpu({"bench", demo_model(), "--size", "64x64", "--runs", "1", "--tuning", folder / "tuned.txt"});
  CHECK(with.err == "");
  CHECK(with.status == 0);
}

}  // namespace
}  // namespace maskrt::testing
