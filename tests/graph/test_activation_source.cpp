// Which of a network's values are instance activation maps, and which maps are a query's.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "graph/activation_source.h"
#include "graph/rewrites/rewrites.h"
#include "support/small_network.h"

using namespace maskrt;
using namespace maskrt::graph;
using namespace maskrt::testing;

namespace {

using Maps = std::vector<std::int64_t>;

SparseInstHead head_of(ValueId queries) {
  SparseInstHead head;
  head.class_logits = queries;
  return head;
}

/// x, and layers on it.
struct Layers {
  Dice dice{7};
  Graph graph;
  ValueId x = graph.add("x", Input{8}, {});
  ValueId logits = graph.add("iam_conv", dice.conv("iam_conv", 8, 6, 3), {x}, "logits");

  ValueId linear(ValueId list, std::int64_t in, const std::string& name = "classes") {
    return graph.add(name, dice.linear(name, in, 3), {list});
  }
  ValueId aggregated(ValueId maps) { return graph.add("aggregate" + std::to_string(maps), Aggregate{}, {maps, x}); }
  std::optional<ActivationSource> source(ValueId queries) const { return activation_source(graph, head_of(queries)); }
};

/// The rows of a list [rows, channels], all numbers of a row being its index, that end in each row of what Regroup
/// makes of it.
std::vector<std::set<std::int64_t>> regrouped_rows(std::int64_t rows, std::int64_t channels, const Regroup& regroup) {
  std::vector<float> numbers;
  for (std::int64_t i = 0; i < rows * channels; ++i) numbers.push_back(static_cast<float>(i / channels));
  Graph graph;
  graph.add("x", Input{3}, {});
  const ValueId list = graph.add("list", Parameter{make_constant("list", {rows, channels}, std::move(numbers))}, {});
  const ValueId out = graph.add("regroup", regroup, {list});
  graph.outputs = {out};
  const std::vector<Map> values = interpret(graph, zeros({1, 4, 4, 3}));
  const Map& found = values[static_cast<std::size_t>(out)];
  std::vector<std::set<std::int64_t>> of_query;
  for (std::int64_t n = 0; n < found.extent.height; ++n) {
    auto& from = of_query.emplace_back();
    for (std::int64_t c = 0; c < found.extent.channels; ++c) from.insert(static_cast<std::int64_t>(found(0, n, 0, c)));
  }
  return of_query;
}

}  // namespace

TEST_CASE("A network's activation maps are found from its head, before and after rewrites") {
  const bool softmax = GENERATE(false, true);
  Dice dice(3);
  Graph graph = small_sparse_inst(dice, softmax);
  Head head = sparse_inst_head(graph);
  const std::optional<ActivationSource> plain = activation_source(graph, head);
  REQUIRE(plain);
  CHECK(plain->value == graph.find("iam_logits"));
  CHECK(plain->activation == (softmax ? MapActivation::softmax : MapActivation::sigmoid));
  CHECK(plain->blocks == 4);
  CHECK(plain->queries_of(20) == 5);
  CHECK(plain->maps_of(2, 20) == Maps{2, 7, 12, 17});

  FusedKernels kernels;
  kernels.linear_heads = 4;
  rewrite(graph, head, {}, {"regroup-linear", "linear-heads"}, kernels);
  const std::optional<ActivationSource> fused = activation_source(graph, head);
  REQUIRE(fused);
  CHECK(fused->value == plain->value);
  CHECK(fused->activation == plain->activation);
  CHECK(fused->blocks == 4);
  CHECK(fused->queries == 5);
}

TEST_CASE("Without groups each query has the map of its number") {
  Layers net;
  const ValueId sigmoid = net.graph.add("sigmoid", Activate{Activation::sigmoid}, {net.logits});
  const ValueId maps = net.graph.add("normalise", NormaliseMaps{}, {sigmoid});
  const auto source = net.source(net.linear(net.aggregated(maps), 8));
  REQUIRE(source);
  CHECK(source->value == net.logits);
  CHECK(source->activation == MapActivation::sigmoid);
  CHECK(source->queries_of(6) == 6);
  for (std::int64_t n = 0; n < 6; ++n) CHECK(source->maps_of(n, 6) == Maps{n});
}

TEST_CASE("Maps that are no sigmoid are taken as they are") {
  Layers net;
  SECTION("another activation before the normaliser") {
    const ValueId relu = net.graph.add("relu", Activate{Activation::relu}, {net.logits});
    const ValueId maps = net.graph.add("normalise", NormaliseMaps{}, {relu});
    const auto source = net.source(net.linear(net.aggregated(maps), 8));
    REQUIRE(source);
    CHECK(source->value == relu);
    CHECK(source->activation == MapActivation::none);
  }
  SECTION("no normaliser") {
    const auto source = net.source(net.linear(net.aggregated(net.logits), 8));
    REQUIRE(source);
    CHECK(source->value == net.logits);
    CHECK(source->activation == MapActivation::none);
  }
}

TEST_CASE("Networks whose queries are made otherwise have no activation maps") {
  Layers net;
  CHECK_FALSE(activation_source(net.graph, ValuesHead()));
  CHECK_FALSE(net.source(-1));
  CHECK_FALSE(net.source(net.logits));
  CHECK_FALSE(net.source(net.x));
  const ValueId learned = net.graph.add("learned", Parameter{net.dice.constant("learned", {6, 8})}, {});
  CHECK_FALSE(net.source(net.linear(learned, 8)));
  CHECK_FALSE(net.source(net.linear(net.aggregated(net.x), 8, "of the input")));
  // Regrouped twice: rows of the first are no queries.
  const ValueId once = net.graph.add("once", Regroup{2, 3}, {net.aggregated(net.logits)});
  const ValueId twice = net.graph.add("twice", Regroup{2, 3}, {once});
  CHECK(net.source(once));
  CHECK_FALSE(net.source(twice));
}

TEST_CASE("A query's maps are those whose features a regrouping brings to it") {
  struct Case {
    std::int64_t queries, groups, blocks;
  };
  // As trained with 4 groups, with as many blocks as groups, and what GroupIAMDecoder makes of other numbers.
  for (const auto& [queries, groups, blocks] :
       {Case{5, 4, 4}, Case{6, 2, 2}, Case{6, 2, 4}, Case{5, 2, 4}, Case{5, 1, 4}, Case{7, 8, 4}, Case{4, 3, 4},
        Case{3, 6, 4}, Case{1, 2, 4}, Case{1, 1, 1}, Case{5, 16, 4}}) {
    INFO(queries << " queries, " << groups << " groups, " << blocks << " blocks");
    const std::int64_t maps = queries * groups, channels = 12 * blocks;
    const auto expected = regrouped_rows(maps, channels, {blocks, queries});
    ActivationSource source;
    source.blocks = blocks;
    source.queries = queries;
    REQUIRE(static_cast<std::int64_t>(expected.size()) == queries);
    for (std::int64_t n = 0; n < queries; ++n) {
      const Maps found = source.maps_of(n, maps);
      const std::set<std::int64_t>& from = expected[static_cast<std::size_t>(n)];
      CHECK(found == Maps(from.begin(), from.end()));
    }
  }
}
