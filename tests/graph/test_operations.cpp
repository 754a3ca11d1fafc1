// What every operation has to have, whichever it is. An operation that is added fails here until it is in
// every_operation() and in the table of docs/model-file.md; tests/runtime/cuda/test_operations.cpp takes
// every_operation() to the GPU.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include "graph/attributes_json.h"
#include "graph/model_file.h"
#include "graph/print.h"
#include "support/device_run.h"
#include "support/small_network.h"

using namespace maskrt;
using namespace maskrt::graph;
using namespace maskrt::testing;

namespace {

/// What stands in backquotes.
std::vector<std::string> quoted(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t begin = text.find('`'); begin != std::string::npos;) {
    const std::size_t end = text.find('`', begin + 1);
    REQUIRE(end != std::string::npos);
    words.push_back(text.substr(begin + 1, end - begin - 1));
    begin = text.find('`', end + 1);
  }
  return words;
}

/// The table of operations in docs/model-file.md: the keys of each in files, by name.
std::map<std::string, std::set<std::string>> documented_keys() {
  std::ifstream page(MASKRT_TEST_DATA "/../../docs/model-file.md");
  std::map<std::string, std::set<std::string>> rows;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| op ")) inside = true;
    if (!line.starts_with("|")) inside = false;
    if (!inside || !line.starts_with("| `")) continue;
    const std::size_t second = line.find('|', 1), third = line.find('|', second + 1);
    REQUIRE(third != std::string::npos);
    const std::vector<std::string> names = quoted(line.substr(0, second)), keys = quoted(line.substr(third));
    REQUIRE(names.size() == 1);
    CHECK(rows.emplace(names[0], std::set<std::string>(keys.begin(), keys.end())).second);
  }
  return rows;
}

/// All keys that an operation may have in files.
std::set<std::string> keys_of(const Operation& operation) {
  auto object = nlohmann::ordered_json::object();
  const auto none = nlohmann::ordered_json::object();
  visit_attributes(operation, AttributeWriter(object, none));
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

}  // namespace

TEST_CASE("operations have the names and keys that the page on model files has, each its own") {
  // Files have these names and keys: none may change, and new ones may come.
  const std::map<std::string, std::set<std::string>> documented = documented_keys();
  std::map<std::string, std::set<std::string>> found;
  for (const Operation& kind : every_kind()) {
    INFO(name_of(kind));
    CHECK(found.emplace(name_of(kind), keys_of(kind)).second);
    const auto row = documented.find(std::string(name_of(kind)));
    REQUIRE(row != documented.end());
    CHECK(row->second == keys_of(kind));
  }
  CHECK(found.size() == documented.size());
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
