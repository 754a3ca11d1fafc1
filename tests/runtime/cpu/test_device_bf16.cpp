// bf16 on the CPU device. Nothing is measured here: a rule picks algorithms, so that bf16 runs also on processors where
// it does not pay.
#include <catch2/catch.hpp>
#include <cmath>

#include "support/device_run.h"
#include "support/small_network.h"

using namespace maskrt;
using namespace maskrt::testing;

namespace {

/// Bottlenecks of 128 channels, wide enough for bf16, among layers that are not: a narrow stem, pools, a deformable
/// convolution, a norm, attention, a resize, slices.
graph::Graph network_of(Dice& dice) {
  graph::Graph g;
  const auto conv = [&](const std::string& name, graph::ValueId x, std::int64_t in, std::int64_t out, int kernel,
                        graph::ValueId residual = -1) {
    graph::Conv op = dice.conv(name, in, out, kernel);
    op.padding = kernel / 2;
    op.activation = graph::Activation::relu;
    op.residual = residual >= 0;
    return residual >= 0 ? g.add(name, op, {x, residual}) : g.add(name, op, {x});
  };
  const graph::ValueId input = g.add("input", graph::Input{3}, {});
  graph::ValueId x = conv("stem", input, 3, 128, 3);
  x = g.add("pool", graph::MaxPool{}, {x});
  for (int block = 0; block < 4; ++block) {
    const std::string name = "block" + std::to_string(block);
    const graph::ValueId y = conv(name + ".2", conv(name + ".1", x, 128, 64, 1), 64, 64, 3);
    x = conv(name + ".3", y, 64, 128, 1, x);
  }
  // What keeps bf16 between convolutions, and what takes fp32 in their midst: at offsets that bf16 has not rounded, for
  // samples are as steep as the map.
  graph::DeformConv deform;
  deform.weight = dice.constant("deform", {128, 128, 1, 1});
  graph::Conv offsets = dice.conv("offsets", 3, 2, 1);
  offsets.stride = 2;
  x = g.add("deform", deform, {x, g.add("offsets", offsets, {input})});
  x = conv("wide", g.add("average", graph::AveragePool{2, 1}, {x}), 128, 128, 1);
  x = g.add("norm", graph::LayerNorm{dice.constant("norm.weight", {128}), dice.constant("norm.bias", {128}), 0.125},
            {x});
  x = conv("attended", g.add("attention", graph::Attention{2}, {x, x, x}), 128, 128, 1);
  x = conv("neck", x, 128, 128, 1);
  const auto low = g.add("low", graph::Slice{0, 64}, {x}), high = g.add("high", graph::Slice{64, 64}, {x});
  const auto small = g.add("small", graph::AdaptiveAveragePool{2}, {low});
  g.outputs.push_back(g.add("resized", graph::ResizeBilinear{}, {small, high}));
  g.outputs.push_back(conv("last", high, 64, 80, 1, -1));
  return g;
}

}  // namespace

TEST_CASE("bf16 computes what the interpreter computes within its rounding", "[cpu]") {
  const Tuning by_rule("0");
  cpu::CpuDevice device;
  for (const int threads : {1, 2}) {
    for (const std::int64_t batch : {1, 3}) {
      Dice dice(19);
      const graph::Graph g = network_of(dice);
      const Map input = dice.map({batch, 20, 26, 3, false});
      std::unique_ptr<Network> network;
      try {
        network = device.prepare(g, Precision::bf16);
      } catch (const Error& error) {
        CHECK_THAT(error.what(), Catch::Matchers::Contains("bf16"));  // a processor without it says so
        return;
      }
      const DeviceRun run = run_on_cpu(*network, input, threads);
      CHECK(std::any_of(run.algorithms.begin(), run.algorithms.end(),
                        [](const std::string& name) { return name == "conv direct bf16"; }));
      const auto values = interpret(g, input);
      for (const graph::ValueId output : g.outputs) {
        const std::string& name = g.values[static_cast<std::size_t>(output)].name;
        const Map& want = values[static_cast<std::size_t>(output)];
        const Map& got = run.outputs.at(name);
        REQUIRE(got.extent == want.extent);
        double difference = 0, size = 0;
        for (std::size_t i = 0; i < want.data.size(); ++i) {
          REQUIRE(std::isfinite(got.data[i]));
          difference += (got.data[i] - want.data[i]) * (got.data[i] - want.data[i]);
          size += want.data[i] * want.data[i];
        }
        // Each of twenty layers rounds its input and its output, by at most 2^-8 and by 2^-8 / sqrt(3) in the mean
        // (the weights are exact); independent roundings add up as their squares do, and twice that for cancellation.
        const double found = std::sqrt(difference / size), bound = 2 * std::sqrt(2.0 * 20) * 0x1p-8 / 1.73;
        INFO("threads " << threads << ", batch " << batch << ", output " << name << ": relative rms " << found
                        << ", bound " << bound);
        CHECK(found <= bound);
      }
    }
  }
}
