// Rewrites into fused operations, each on the smallest graph that shows it, and the way back.
#include <catch2/catch.hpp>

#include "compare.h"
#include "graph/print.h"
#include "graph/rewrites/rewrites.h"
#include "support/small_network.h"

using namespace maskrt;
using namespace maskrt::graph;
using namespace maskrt::testing;

namespace {

/// Of a device with kernels for all of them.
constexpr FusedKernels kKernels{.stem_side = 7,
                                .stem_channels = 4,
                                .pyramid_branches = 3,
                                .linear_heads = 3,
                                .pooled_conv = true,
                                .logits_bias = true,
                                .residual_scale = 2};

/// A graph with one input of `channels` channels, and what tests need to run it.
struct Case {
  explicit Case(std::int64_t channels) : input_channels(channels) { x = graph.add("input", Input{channels}, {}); }
  Dice dice{3};
  std::int64_t input_channels;
  Graph graph;
  ValueId x = -1;

  /// Both graphs compute the same, on maps whose sides are multiples of `divisor` and otherwise ragged, and a batch of
  /// 2.
  void require_same(const Graph& after, std::int64_t divisor = 1) {
    check(after);
    INFO("before:\n" << to_text(graph) << "after:\n" << to_text(after));
    for (const auto& [height, width] : {std::pair{7, 5}, {12, 16}, {1, 9}}) {
      const auto input = dice.map({2, height * divisor, width * divisor, input_channels});
      require_same_outputs(graph, interpret(graph, input), after);
    }
  }

  /// Runs one rewrite by its name on a copy, as a device asks for it, and takes the result apart again: both ways the
  /// numbers stay, and a device without the kernels gets none.
  Graph apply(const char* name, const FusedKernels& kernels = kKernels, std::int64_t divisor = 1) {
    RewriteNames others;
    for (const Rewrite& step : rewrites())
      if (step.name != name) others.emplace(step.name);
    Graph after = graph;
    rewrite(after, others, {name}, kernels);
    require_same(after, divisor);

    const Graph apart = unfused(after);
    require_same(apart, divisor);
    for (const Node& node : apart.nodes) CHECK(has_kernel({}, apart, node));

    Graph without = graph;
    rewrite(without, others, {name});
    CHECK(to_text(without) == to_text(graph));
    Graph off = graph;
    others.emplace(name);
    rewrite(off, others, {name}, kernels);
    CHECK(to_text(off) == to_text(graph));
    return after;
  }
};

}  // namespace

TEST_CASE("upsample-residual") {
  Case c(4);
  const auto coarse = c.graph.add("coarse", MaxPool{2, 2, 0}, {c.x});
  const auto upsampled = c.graph.add("upsampled", UpsampleNearest{2}, {coarse});
  Conv conv = c.dice.conv("conv", 4, 4, 3);
  conv.residual = true;
  conv.activation = Activation::relu;
  c.graph.outputs = {c.graph.add("conv", conv, {c.x, upsampled})};
  const Graph after = c.apply("upsample-residual", kKernels, 2);
  CHECK(after.nodes.size() == 3);
  CHECK(std::get<Conv>(after.nodes[2].operation).residual_scale == 2);
  CHECK(after.nodes[2].inputs == std::vector<ValueId>{c.x, coarse});
}

TEST_CASE("upsample-residual leaves alone what it must") {
  Case c(4);
  Conv conv = c.dice.conv("conv", 4, 4, 3);
  conv.residual = true;
  const int factor = GENERATE(1, 2, 3);
  const auto coarse = c.graph.add("coarse", MaxPool{factor, factor, 0}, {c.x});
  const auto upsampled = c.graph.add("upsampled", UpsampleNearest{factor}, {coarse});
  c.graph.outputs = {c.graph.add("conv", conv, {c.x, upsampled})};

  SECTION("a map that is an output") { c.graph.outputs.push_back(upsampled); }
  SECTION("a map that another node reads") { c.graph.outputs.push_back(c.graph.add("relu", Activate{}, {upsampled})); }
  SECTION("a map that the convolution multiplies, too") { c.graph.nodes.back().inputs = {upsampled, upsampled}; }
  SECTION("a factor that no kernel has, and none at all") {
    if (factor == 2) return;
  }
  CHECK(count_of<UpsampleNearest>(c.apply("upsample-residual", kKernels, factor)) == 1);
}

TEST_CASE("stem-pool") {
  Case c(3);
  Conv conv = c.dice.conv("stem", 3, 5, 7, GENERATE(false, true));
  conv.stride = 2;
  conv.activation = GENERATE(Activation::none, Activation::relu);
  const auto y = c.graph.add("stem", conv, {c.x});
  const auto z = c.graph.add("pool", MaxPool{3, 2, 1}, {y}, "pooled");
  c.graph.outputs = {z};

  SECTION("becomes one operation that makes the pool's value") {
    const Graph after = c.apply("stem-pool");
    REQUIRE(after.nodes.size() == 2);
    CHECK(std::get<StemPool>(after.nodes[1].operation).activation == conv.activation);
    CHECK(after.nodes[1].outputs == std::vector<ValueId>{z});
  }
  SECTION("stays apart where the map between is an output") {
    c.graph.outputs.push_back(y);
    CHECK(c.apply("stem-pool").nodes.size() == 3);
  }
  SECTION("stays apart where the kernel has another size or fewer channels") {
    CHECK(c.apply("stem-pool", {.stem_side = 5, .stem_channels = 4}).nodes.size() == 3);
    CHECK(c.apply("stem-pool", {.stem_side = 7, .stem_channels = 2}).nodes.size() == 3);
  }
  SECTION("stays apart behind another layer") {
    c.graph.nodes.insert(c.graph.nodes.begin() + 1, Node{"relu", Activate{}, {c.x}, {3}});
    c.graph.values.push_back({"relu"});
    c.graph.nodes[2].inputs = {3};
    CHECK(c.apply("stem-pool").nodes.size() == 4);
  }
  SECTION("stays apart with another geometry") {
    Operation& op = c.graph.nodes[GENERATE(1, 2)].operation;
    if (auto* changed = std::get_if<Conv>(&op)) changed->padding = 4;
    if (auto* changed = std::get_if<MaxPool>(&op)) changed->kernel = 2;
    CHECK(c.apply("stem-pool").nodes.size() == 3);
  }
}

TEST_CASE("pooled-conv") {
  Case c(4);
  Conv conv = c.dice.conv("conv", 4, 5, 1, GENERATE(false, true));
  conv.activation = GENERATE(Activation::none, Activation::relu);
  const auto relu = c.graph.add("relu", Activate{}, {c.x});
  const auto y = c.graph.add("pool", AveragePool{2, 2}, {relu});
  const auto z = c.graph.add("conv", conv, {y}, "shortcut");
  c.graph.outputs = {z};

  SECTION("becomes one operation that makes the convolution's value, at odd sizes, too") {
    const Graph after = c.apply("pooled-conv");
    REQUIRE(after.nodes.size() == 3);
    CHECK(std::get<PooledConv>(after.nodes[2].operation).activation == conv.activation);
    CHECK(after.nodes[2].inputs == std::vector<ValueId>{relu});
    CHECK(after.nodes[2].outputs == std::vector<ValueId>{z});
  }
  SECTION("stays apart where the means are an output, or others read them") {
    c.graph.outputs.push_back(GENERATE(false, true) ? y : c.graph.add("other", Activate{}, {y}));
    CHECK(count_of<AveragePool>(c.apply("pooled-conv")) == 1);
  }
  SECTION("stays apart with other windows") {
    auto& pool = std::get<AveragePool>(c.graph.nodes[2].operation);
    pool = GENERATE(AveragePool{3, 2}, AveragePool{2, 1}, AveragePool{3, 3});
    CHECK(c.apply("pooled-conv").nodes.size() == 4);
  }
  SECTION("stays apart before another convolution") {
    auto& changed = std::get<Conv>(c.graph.nodes[3].operation);
    switch (GENERATE(0, 1, 2)) {
      case 0:
        changed.stride = 2;
        break;
      case 1:
        changed = c.dice.conv("wide", 4, 5, 3);
        break;
      default:
        changed.residual = true;
        const auto residual = c.graph.add("residual", c.dice.conv("residual", 4, 5, 1), {y});
        c.graph.nodes[3].inputs.push_back(residual);  // add() moved the nodes
        std::swap(c.graph.nodes[3], c.graph.nodes[4]);
    }
    CHECK(count_of<AveragePool>(c.apply("pooled-conv")) == 1);
  }
}

TEST_CASE("late-logits-bias") {
  Case c(4);
  Conv conv = c.dice.conv("conv", 4, 6, 3);
  const auto logits = c.graph.add("conv", conv, {c.x}, "logits");
  const bool softmax = GENERATE(false, true);
  const auto list = c.graph.add("aggregate", AggregateLogits{softmax, 1e-3}, {logits, c.x}, "list");
  c.graph.outputs = {list};
  const auto aggregation_of = [](const Graph& graph) -> const Node& {
    return graph.nodes[static_cast<std::size_t>(graph.producer(graph.find("list")))];
  };

  SECTION("moves the bias of logits that the aggregation alone reads") {
    const Graph after = c.apply("late-logits-bias");
    REQUIRE(after.nodes.size() == 3);
    CHECK(std::get<Conv>(after.nodes[1].operation).bias == nullptr);
    CHECK(std::get<AggregateLogits>(after.nodes[2].operation).bias == conv.bias);
    CHECK(std::get<AggregateLogits>(after.nodes[2].operation).epsilon == 1e-3);
  }
  SECTION("leaves others the logits with their bias") {
    if (GENERATE(false, true)) c.graph.outputs.push_back(logits);
    c.graph.outputs.push_back(c.graph.add("other", Activate{}, {logits}));
    const Graph after = c.apply("late-logits-bias");
    CHECK(count_of<BatchNorm>(after) == 1);
    CHECK(std::get<AggregateLogits>(aggregation_of(after).operation).bias == conv.bias);
    CHECK(aggregation_of(after).inputs[0] != after.find("logits"));
    CHECK(after.is_output(after.find("logits")) == c.graph.is_output(logits));
  }
  SECTION("leaves the features alone where the logits are that, too") {
    c.graph.nodes[2].inputs = {logits, logits};
    CHECK(aggregation_of(c.apply("late-logits-bias")).inputs[1] == logits);
  }
  SECTION("leaves alone what has no bias, or more than one") {
    auto& changed = std::get<Conv>(c.graph.nodes[1].operation);
    switch (GENERATE(0, 1, 2)) {
      case 0:
        changed.bias = nullptr;
        break;
      case 1:
        changed.activation = Activation::relu;
        break;
      default:
        changed.residual = true;
        const auto residual = c.graph.add("residual", c.dice.conv("residual", 4, 6, 1), {c.x});
        c.graph.nodes[1].inputs.push_back(residual);
        std::rotate(c.graph.nodes.begin() + 1, c.graph.nodes.end() - 1, c.graph.nodes.end());
    }
    CHECK(std::get<AggregateLogits>(aggregation_of(c.apply("late-logits-bias")).operation).bias == nullptr);
  }
}

namespace {

/// A branch of a pyramid on c.x; its last convolution's value.
ValueId add_branch(Case& c, int size, const std::string& name, Activation last = Activation::none) {
  Conv stage = c.dice.conv(name + ".stage", 4, 3, 1), bottleneck = c.dice.conv(name, 3, 5, 1, size != 2);
  stage.activation = Activation::relu;
  bottleneck.activation = last;
  const auto pooled = c.graph.add(name + ".pool", AdaptiveAveragePool{size}, {c.x});
  return c.graph.add(name, bottleneck, {c.graph.add(name + ".stage", stage, {pooled})});
}

}  // namespace

TEST_CASE("pyramid-pool") {
  Case c(4);

  SECTION("branches become one operation") {
    for (const int size : {1, 2, 3}) c.graph.outputs.push_back(add_branch(c, size, "b" + std::to_string(size)));
    const Graph after = c.apply("pyramid-pool");
    REQUIRE(after.nodes.size() == 2);
    CHECK(after.nodes[1].name == "b1.pool");
    CHECK(after.nodes[1].outputs == c.graph.outputs);
  }
  SECTION("of more branches than a kernel takes, each full group does") {
    for (const int size : {1, 2, 3, 6}) c.graph.outputs.push_back(add_branch(c, size, "b" + std::to_string(size)));
    const Graph after = c.apply("pyramid-pool");
    REQUIRE(after.nodes.size() == 3);
    CHECK(std::get<PyramidPool>(after.nodes[1].operation).branches.size() == 3);
    CHECK(std::get<PyramidPool>(after.nodes[2].operation).branches.size() == 1);
  }
  SECTION("a branch with another end stays as it is, wherever it stands") {
    const int odd = GENERATE(0, 1, 2);
    for (int i = 0; i < 3; ++i)
      c.graph.outputs.push_back(
          add_branch(c, i + 1, "b" + std::to_string(i), i == odd ? Activation::relu : Activation::none));
    const Graph after = c.apply("pyramid-pool");
    CHECK(count_of<PyramidPool>(after) == 1);
    CHECK(count_of<AdaptiveAveragePool>(after) == 1);
  }
  SECTION("a branch whose inner map is an output stays as it is") {
    c.graph.outputs = {add_branch(c, 1, "b1"), add_branch(c, 2, "b2")};
    c.graph.outputs.push_back(c.graph.find("b2.stage"));
    const Graph after = c.apply("pyramid-pool");
    CHECK(count_of<PyramidPool>(after) == 1);
    CHECK(count_of<Conv>(after) == 2);
  }
  SECTION("pools on different maps are different pyramids") {
    c.graph.outputs = {add_branch(c, 1, "b1")};
    const auto x = c.x;
    c.x = c.graph.add("relu", Activate{}, {x});
    c.graph.outputs.push_back(add_branch(c, 2, "b2"));
    CHECK(count_of<PyramidPool>(c.apply("pyramid-pool")) == 2);
  }
}

TEST_CASE("linear-heads and regroup-linear") {
  Case c(4);
  const auto list = c.graph.add("list", Aggregate{}, {c.x, c.x});  // [B, 4, 4]

  SECTION("layers on one list become one operation, where the first stood") {
    const auto a = c.graph.add("a", c.dice.linear("a", 4, 3), {list});
    const auto other = c.graph.add("other", Activate{}, {a});
    auto relu = c.dice.linear("b", 4, 5);
    relu.activation = Activation::relu;
    const auto b = c.graph.add("b", relu, {list});
    c.graph.outputs = {a, other, b};
    const Graph after = c.apply("linear-heads");
    REQUIRE(after.nodes.size() == 4);
    CHECK(std::holds_alternative<LinearHeads>(after.nodes[2].operation));
    CHECK(after.nodes[2].outputs == std::vector<ValueId>{a, b});
  }
  SECTION("of more layers than a kernel takes, each full group does") {
    for (const char* name : {"a", "b", "c", "d", "e", "f", "g"})
      c.graph.outputs.push_back(c.graph.add(name, c.dice.linear(name, 4, 2), {list}));
    const Graph after = c.apply("linear-heads");
    CHECK(count_of<LinearHeads>(after) == 2);
    CHECK(count_of<Linear>(after) == 1);
  }
  SECTION("a layer alone stays what it is") {
    c.graph.outputs = {c.graph.add("a", c.dice.linear("a", 4, 3), {list})};
    CHECK(count_of<Linear>(c.apply("linear-heads")) == 1);
  }
  SECTION("a regrouping disappears into the layer that alone reads it") {
    const auto regrouped = c.graph.add("regrouped", Regroup{2, 2}, {list});
    c.graph.outputs = {c.graph.add("a", c.dice.linear("a", 8, 3), {regrouped})};
    const Graph after = c.apply("regroup-linear");
    REQUIRE(after.nodes.size() == 3);
    const auto& heads = std::get<LinearHeads>(after.nodes[2].operation);
    CHECK(heads.blocks == 2);
    CHECK(heads.instances == 2);
  }
  SECTION("a regrouping that several read, or that is an output, stays") {
    const auto regrouped = c.graph.add("regrouped", Regroup{2, 2}, {list});
    c.graph.outputs = {c.graph.add("a", c.dice.linear("a", 8, 3), {regrouped})};
    if (GENERATE(false, true))
      c.graph.outputs.push_back(regrouped);
    else
      c.graph.outputs.push_back(c.graph.add("b", c.dice.linear("b", 8, 3), {regrouped}));
    CHECK(count_of<Regroup>(c.apply("regroup-linear")) == 1);
  }
}

TEST_CASE("all rewrites into fused operations keep a whole network's numbers, and come apart again") {
  const RewriteNames all = {"upsample-residual", "pyramid-pool", "regroup-linear", "linear-heads", "stem-pool"};
  for (const bool softmax : {false, true}) {
    Dice dice(11);
    const Graph before = small_sparse_inst(dice, softmax);
    FusedKernels kernels = kKernels;
    kernels.pyramid_branches = 4;
    Graph after = before;
    rewrite(after, {}, all, kernels);
    INFO(to_text(after));
    CHECK(count_of<StemPool>(after) == 1);
    CHECK(count_of<PyramidPool>(after) == 1);
    CHECK(count_of<LinearHeads>(after) == 2);  // with a regrouping, and three heads
    CHECK(count_of<UpsampleNearest>(after) == 0);
    CHECK(count_of<Regroup>(after) == 0);
    const Map input = dice.map({2, 64, 96, 3});
    const std::vector<Map> values = interpret(before, input);
    require_same_outputs(before, values, after);
    require_same_outputs(before, values, unfused(after));

    // The same work, and less moved.
    Graph apart = before;
    rewrite(apart);
    const auto total = [](const Graph& g) {
      const auto extents = infer_extents(g, 2, 64, 96);
      Cost sum;
      for (const Node& node : g.nodes) {
        const Cost cost = cost_of(g, node, extents);
        sum.flops += cost.flops;
        sum.bytes += cost.bytes;
      }
      return sum;
    };
    CHECK(total(after).flops == total(apart).flops);
    CHECK(total(after).bytes < total(apart).bytes);

    for (const std::string& name : all) {
      INFO("without " << name);
      Graph without = before;
      rewrite(without, {name}, all, kernels);
      CHECK(without.nodes.size() > after.nodes.size());
      require_same_outputs(before, values, without);
    }
  }
}

TEST_CASE("fused operations that come apart into more nodes than a network may have are refused") {
  Case c(2);
  PyramidPool pyramid;
  const auto one = c.dice.constant("one", {1, 2, 1, 1}), two = c.dice.constant("two", {2, 1, 1, 1});
  for (std::size_t i = 0; i < limits::kOutputs; ++i) pyramid.branches.push_back({1, one, nullptr, {}, two, nullptr});
  for (int node = 0; node < 30; ++node) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < limits::kOutputs; ++i) names.push_back(std::to_string(node) + " " + std::to_string(i));
    c.graph.outputs.push_back(c.graph.add_several("node" + std::to_string(node), pyramid, {c.x}, names)[0]);
  }
  CHECK_THROWS_WITH(unfused(c.graph), Catch::Contains("expected a network of at most 4096 nodes"));
  CHECK(unfused(c.graph, {.pyramid_branches = limits::kOutputs}).nodes.size() == 31);
}

TEST_CASE("fused operations say what is wrong with them") {
  Case c(4);
  const auto list = c.graph.add("list", Aggregate{}, {c.x, c.x});
  const auto refused = [&](Operation op, std::vector<ValueId> inputs) -> std::string {
    Graph g = c.graph;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < output_count(op); ++i) names.push_back("out" + std::to_string(i));
    g.outputs = g.add_several("fused", std::move(op), std::move(inputs), names);
    try {
      check(g);
      infer_extents(g, 1, 8, 8);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  };
  CHECK_THAT(refused(StemPool{c.dice.constant("w", {5, 4, 7, 6}), nullptr, Activation::relu}, {c.x}),
             Catch::Contains("expected a square kernel of an odd side"));
  CHECK_THAT(refused(StemPool{c.dice.constant("w", {5, 3, 7, 7}), nullptr, Activation::relu}, {c.x}),
             Catch::Contains("expected 3 channels"));
  CHECK_THAT(refused(PooledConv{c.dice.constant("w", {5, 4, 3, 3}), nullptr, Activation::none}, {c.x}),
             Catch::Contains("[1048576, 1048576, 1, 1], found shape [5, 4, 3, 3]"));
  CHECK_THAT(refused(PooledConv{c.dice.constant("w", {5, 3, 1, 1}), nullptr, Activation::none}, {c.x}),
             Catch::Contains("expected 3 channels"));
  CHECK_THAT(refused(PyramidPool{}, {c.x}), Catch::Contains("fused (pyramid_pool): expected"));
  CHECK_THAT(refused(PyramidPool{{{1, c.dice.constant("w", {5, 4, 1, 1}), nullptr, Activation::relu,
                                   c.dice.constant("v", {3, 4, 1, 1}), nullptr}}},
                     {c.x}),
             Catch::Contains("expected weight v of shape [3, 5, 1, 1], found [3, 4, 1, 1]"));
  CHECK_THAT(refused(LinearHeads{{c.dice.linear("a", 4, 2)}, 2, 0}, {list}),
             Catch::Contains("expected blocks and instances, or neither, found 2 and 0"));
  CHECK_THAT(refused(LinearHeads{{c.dice.linear("a", 4, 2), c.dice.linear("b", 3, 2)}, 0, 0}, {list}),
             Catch::Contains("expected a list of 3 numbers for weight b.weight, found [1, 4, 4]"));
  Conv conv = c.dice.conv("conv", 4, 4, 3);
  conv.residual_scale = 2;
  CHECK_THAT(refused(conv, {c.x}), Catch::Contains("expected scale 1 where there is no residual, found 2"));
  conv.residual = true;
  CHECK_THAT(refused(conv, {c.x, c.x}),
             Catch::Contains("expected a residual of the output's shape [1, 8, 8, 4] divided by 2, found input"));
}
