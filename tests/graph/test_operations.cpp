// What every operation has to have, whichever it is. An operation that is added fails here until it is in
// every_operation(), in the interpreter and on the CPU device; the CUDA device's test walks the same graph.
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <set>

#include "support/device_run.h"
#include "graph/model_file.h"
#include "graph/print.h"
#include "support/small_network.h"

using namespace maskrt;
using namespace maskrt::graph;
using namespace maskrt::testing;

namespace {

template <std::size_t... index>
std::vector<Operation> every_kind(std::index_sequence<index...>) {
  return {Operation(std::in_place_index<index>)...};
}

std::vector<Operation> every_kind() { return every_kind(std::make_index_sequence<std::variant_size_v<Operation>>()); }

}  // namespace

TEST_CASE("operations have the names that model files are made of, each its own") {
  std::vector<std::string> names;
  for (const Operation& kind : every_kind()) names.emplace_back(name_of(kind));
  // Files have these names: none may change, and new ones may come.
  for (const char* name : {"input", "conv", "batch_norm", "activate", "add", "max_pool", "adaptive_average_pool",
                           "upsample_nearest", "resize_bilinear", "concat", "slice", "coordinates", "normalise_maps",
                           "softmax_maps", "aggregate", "aggregate_logits", "regroup", "linear", "mask_product"}) {
    INFO(name);
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  }
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
}

TEST_CASE("each operation has an extent, a cost, a text and a way to be computed, on the CPU device as well") {
  Dice dice(6);
  const Graph g = every_operation(dice);
  std::set<std::size_t> kinds;
  for (const Node& node : g.nodes) kinds.insert(node.operation.index());
  for (const Operation& kind : every_kind()) {
    INFO(name_of(kind) << " is not in every_operation()");
    CHECK(kinds.contains(kind.index()));
  }

  const Map input = dice.map({2, 24, 40, 4, false});
  const std::vector<Extent> extents = infer_extents(g, 2, 24, 40);
  const std::vector<Map> values = interpret(g, input);
  for (const Node& node : g.nodes) {
    INFO(node.name);
    CHECK(to_text(node.operation).starts_with(name_of(node.operation)));
    const Cost cost = cost_of(g, node, extents);
    CHECK(cost.flops >= 0);
    double written = 0;
    for (const ValueId output : node.outputs) {
      const Extent& extent = extents[static_cast<std::size_t>(output)];
      CHECK(extent.elements() > 0);
      written += 4.0 * static_cast<double>(extent.elements());
      const Map& value = values[static_cast<std::size_t>(output)];
      CHECK(value.extent == extent);
      for (const double number : value.data) REQUIRE(std::isfinite(number));
    }
    CHECK(cost.bytes >= written);
  }

  cpu::CpuDevice device;
  const DeviceRun run = run_on_cpu(*device.prepare(g, Precision::fp32), input, 2);
  for (const ValueId output : g.outputs) {
    const std::string& name = g.values[static_cast<std::size_t>(output)].name;
    INFO(name);
    // Sums of some thousand fp32 numbers at most.
    CHECK(distance(run.outputs.at(name), values[static_cast<std::size_t>(output)]) <= 1e-5);
  }
}
