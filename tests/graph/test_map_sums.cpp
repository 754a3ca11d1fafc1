// Rewrites of sums with constant and with resized maps, and of convolutions that add constant maps.
#include <catch2/catch.hpp>

#include "compare.h"
#include "graph/print.h"
#include "graph/rewrites/rewrites.h"
#include "support/small_network.h"

using namespace maskrt;
using namespace maskrt::graph;
using namespace maskrt::testing;

namespace {

struct Case {
  Dice dice{7};
  Graph graph;
  ValueId x = graph.add("input", Input{4}, {});

  ValueId positions(const std::string& name, std::int64_t height, std::int64_t width, ValueId of) {
    return graph.add(name, ParameterMap{dice.constant(name, {1, 4, height, width})}, {of});
  }
  /// Runs rewrites by their names on a copy and nothing else; the outputs stay, at ragged sizes.
  Graph apply(const RewriteNames& names) {
    RewriteNames off;
    for (const Rewrite& step : rewrites())
      if (names.count(step.name) == 0) off.emplace(step.name);
    Graph after = graph;
    rewrite(after, off, names);
    INFO("before:\n" << to_text(graph) << "after:\n" << to_text(after));
    for (const auto& [height, width] : {std::pair{7, 5}, {12, 16}, {1, 9}}) {
      const Map input = dice.map({2, height, width, 4});
      require_same_outputs(graph, interpret(graph, input), after);
    }
    return after;
  }
};

}  // namespace

TEST_CASE("late-positions: a constant map in what a 1x1 convolution reads becomes its residual") {
  Case c;
  const bool first = GENERATE(false, true);
  const ValueId map = c.positions("positions", 3, 2, c.x);
  const ValueId sum = c.graph.add("sum", Add{}, first ? std::vector{map, c.x} : std::vector{c.x, map});
  Conv conv = c.dice.conv("conv", 4, 6, 1, GENERATE(false, true));
  conv.activation = GENERATE(Activation::none, Activation::relu);
  c.graph.outputs = {c.graph.add("conv", conv, {sum}, "out")};

  SECTION("and the sum goes") {
    const Graph after = c.apply({"late-positions"});
    CHECK(count_of<Add>(after) == 0);
    REQUIRE(count_of<ParameterMap>(after) == 1);
    const Node& node = after.nodes.back();
    CHECK(std::get<Conv>(node.operation).residual);
    CHECK(node.inputs[0] == c.x);
    const auto& mixed =
        std::get<ParameterMap>(after.nodes[static_cast<std::size_t>(after.producer(node.inputs[1]))].operation);
    CHECK(mixed.value->shape() == Shape{1, 6, 3, 2});
  }
  SECTION("but not where others read the sum") {
    c.graph.outputs.push_back(GENERATE(false, true) ? sum : c.graph.add("other", Activate{}, {sum}));
    CHECK(count_of<Add>(c.apply({"late-positions"})) == 1);
  }
  SECTION("nor where the convolution has a residual, a window or a stride") {
    auto& changed = std::get<Conv>(c.graph.nodes.back().operation);
    switch (GENERATE(0, 1, 2)) {
      case 0:
        changed = c.dice.conv("wide", 4, 6, 3);
        break;
      case 1:
        changed.stride = 2;
        break;
      default:
        changed.residual = true;
        const ValueId residual = c.graph.add("residual", c.dice.conv("residual", 4, 6, 1), {c.x});
        std::rotate(c.graph.nodes.begin() + 1, c.graph.nodes.end() - 1, c.graph.nodes.end());
        c.graph.nodes.back().inputs.push_back(residual);
    }
    CHECK(count_of<Add>(c.apply({"late-positions"})) == 1);
  }
  SECTION("nor where neither of the two is constant") {
    c.graph.nodes[1].operation = Activate{};
    CHECK(count_of<Add>(c.apply({"late-positions"})) == 1);
  }
}

TEST_CASE("sum-resized: a map that is added to resized ones is resized with them") {
  Case c;
  const ValueId coarse = c.graph.add("coarse", AveragePool{2, 2}, {c.x}),
                coarser = c.graph.add("coarser", AveragePool{2, 2}, {coarse});
  const bool first = GENERATE(false, true);
  const ValueId resized = c.graph.add("resized", ResizeBilinear{}, {coarse, coarser, c.x});
  const ValueId sum = c.graph.add("sum", Add{}, first ? std::vector{resized, c.x} : std::vector{c.x, resized});
  c.graph.outputs = {sum};

  SECTION("in one step") {
    const Graph after = c.apply({"sum-resized"});
    CHECK(count_of<Add>(after) == 0);
    CHECK(count_of<ResizeBilinear>(after) == 1);
    CHECK(after.nodes.back().inputs == std::vector<ValueId>{coarse, coarser, c.x, c.x});
    CHECK(after.nodes.back().outputs == std::vector<ValueId>{sum});
  }
  SECTION("but not where others read the resized maps") {
    c.graph.outputs.push_back(GENERATE(false, true) ? resized : c.graph.add("other", Activate{}, {resized}));
    CHECK(count_of<Add>(c.apply({"sum-resized"})) == 1);
  }
  SECTION("nor where a factor tells the size") {
    c.graph.nodes[3].operation = ResizeBilinear{1};
    c.graph.nodes[3].inputs = {c.x};
    CHECK(count_of<Add>(c.apply({"sum-resized"})) == 1);
  }
}

TEST_CASE("merge-siblings: 1x1 convolutions that add constant maps become one that adds all of them") {
  Case c;
  const auto residual = [&](const std::string& name, std::int64_t height, std::int64_t width) {
    Conv conv = c.dice.conv(name, 4, 4, 1);
    conv.residual = true;
    return c.graph.add(name, conv, {c.x, c.positions(name + ".map", height, width, c.x)});
  };
  c.graph.outputs = {residual("a", 3, 2)};

  SECTION("with others that add none") {
    c.graph.outputs.push_back(c.graph.add("plain", c.dice.conv("plain", 4, 5, 1), {c.x}));
    c.graph.outputs.push_back(residual("b", 3, 2));
    const Graph after = c.apply({"merge-siblings"});
    CHECK(count_of<Conv>(after) == 1);
    CHECK(count_of<ParameterMap>(after) == 1);
    CHECK(count_of<Slice>(after) == 3);
  }
  SECTION("but not with maps of another size, or other residuals") {
    if (GENERATE(false, true)) {
      c.graph.outputs.push_back(residual("b", 2, 2));
    } else {
      Conv conv = c.dice.conv("b", 4, 4, 1);
      conv.residual = true;
      c.graph.outputs.push_back(c.graph.add("b", conv, {c.x, c.x}));
    }
    CHECK(count_of<Conv>(c.apply({"merge-siblings"})) == 2);
  }
  SECTION("nor with a window of the same extent as none adds") {
    c.graph.outputs.push_back(c.graph.add("wide", c.dice.conv("wide", 4, 4, 3), {c.x}));
    CHECK(count_of<Conv>(c.apply({"merge-siblings"})) == 2);
  }
}
