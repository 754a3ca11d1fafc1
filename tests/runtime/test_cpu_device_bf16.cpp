// bf16 on the CPU device. Nothing is measured here: a rule picks algorithms, so that bf16 runs also on processors where
// it does not pay.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>

#include "../graph/small_network.h"
#include "device_run.h"
#include "graph/rewrites/rewrites.h"

using namespace maskrt;
using namespace maskrt::testing;

TEST_CASE("bf16 computes what the interpreter computes within its rounding", "[cpu]") {
  ::setenv("MASKRT_CPU_TUNE", "0", 1);
  cpu::CpuDevice device;
  for (const bool rewrites : {false, true}) {
    for (const std::int64_t batch : {1, 2}) {
      Dice dice(19);
      graph::Graph g = small_sparse_inst(dice);
      if (rewrites) graph::rewrite(g);
      const Map input = dice.map({batch, 64, 96, 3, false});
      std::unique_ptr<Network> network;
      try {
        network = device.prepare(g, Precision::bf16);
      } catch (const Error& error) {
        CHECK_THAT(error.what(), Catch::Matchers::Contains("bf16"));  // a processor without it says so
        return;
      }
      const DeviceRun run = run_on_cpu(*network, input, 2);
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
        // Each of about thirty layers rounds its weights and its output, half a unit of 2^-8 at worst and a third of
        // that in the mean; independent roundings add up as their squares do, and twice that for unlucky cancellation.
        const double found = std::sqrt(difference / size), bound = 2 * std::sqrt(2.0 * 30) * 0x1p-8 / 1.73;
        INFO("rewrites " << rewrites << ", batch " << batch << ", output " << name << ": relative rms " << found
                         << ", bound " << bound);
        CHECK(found <= bound);
      }
    }
  }
}
