// Each rewrite on the smallest graph that shows it: what it finds, what it leaves alone, and that the numbers stay.
#include <catch2/catch.hpp>

#include "compare.h"
#include "graph/print.h"
#include "graph/rewrites/rewrites.h"
#include "support/small_network.h"

using namespace maskrt;
using namespace maskrt::graph;
using namespace maskrt::testing;

namespace {

/// A graph with one input of `channels` channels, and what tests need to run it.
struct Case {
  explicit Case(std::int64_t channels, unsigned seed = 1) : dice(seed), input_channels(channels) {
    x = graph.add("input", Input{channels}, {});
  }
  Dice dice;
  std::int64_t input_channels;
  Graph graph;
  ValueId x = -1;

  /// Applies one rewrite to a copy, which must compute the same, on ragged maps and a batch of 2.
  Graph apply(void (*rewrite)(Graph&)) {
    Graph after = graph;
    rewrite(after);
    after.remove_dead_nodes();
    check(after);
    INFO("before:\n" << to_text(graph) << "after:\n" << to_text(after));
    for (const auto& [height, width] : {std::pair{7, 5}, {12, 16}, {1, 9}}) {
      const auto input = dice.map({2, height, width, input_channels});
      require_same_outputs(graph, interpret(graph, input), after);
    }
    return after;
  }
};

}  // namespace

TEST_CASE("fold_batch_norm") {
  Case c(3);
  auto conv = c.dice.conv("conv", 3, 4, 3, GENERATE(false, true));
  conv.stride = 2;
  const auto y = c.graph.add("conv", conv, {c.x});
  const auto z = c.graph.add("norm", c.dice.batch_norm("norm", 4), {y}, "folded");
  c.graph.outputs = {z};

  SECTION("disappears into the convolution, which takes its value") {
    const auto after = c.apply(fold_batch_norm);
    CHECK(after.nodes.size() == 2);
    CHECK(after.nodes[1].output() == z);
    CHECK(std::get<Conv>(after.nodes[1].operation).weight->sources() ==
          std::vector<std::string>{"conv.weight", "norm.variance", "norm.weight"});
  }
  SECTION("scales a coordinate term too") {
    std::get<Conv>(c.graph.nodes[1].operation).coordinate_weight = c.dice.constant("coordinates", {4, 2, 3, 3});
    CHECK(c.apply(fold_batch_norm).nodes.size() == 2);
  }
  SECTION("stays where the convolution's own value is an output") {
    c.graph.outputs.push_back(y);
    CHECK(c.apply(fold_batch_norm).nodes.size() == 3);
  }
  SECTION("stays where another node reads the convolution") {
    c.graph.outputs.push_back(c.graph.add("relu", Activate{}, {y}));
    CHECK(c.apply(fold_batch_norm).nodes.size() == 4);
  }
  SECTION("stays behind an activation") {
    std::get<Conv>(c.graph.nodes[1].operation).activation = Activation::relu;
    CHECK(c.apply(fold_batch_norm).nodes.size() == 3);
  }
}

TEST_CASE("fuse_epilogue") {
  Case c(4);
  const auto first = c.graph.add("first", c.dice.conv("first", 4, 4, 3), {c.x});
  const auto second = c.graph.add("second", c.dice.conv("second", 4, 4, 1), {c.x});

  SECTION("residual and activation move into the later of two convolutions") {
    const bool swapped = GENERATE(false, true);
    const auto sum = c.graph.add("sum", Add{}, swapped ? std::vector{second, first} : std::vector{first, second});
    c.graph.outputs = {c.graph.add("relu", Activate{}, {sum}, "out")};
    const auto after = c.apply(fuse_epilogue);
    REQUIRE(after.nodes.size() == 3);
    CHECK(after.nodes[2].name == "second");
    const auto& conv = std::get<Conv>(after.nodes[2].operation);
    CHECK(conv.residual);
    CHECK(conv.activation == Activation::relu);
    CHECK(after.nodes[2].inputs == std::vector{c.x, first});
  }
  SECTION("a residual that is made after the convolution: the convolution moves behind it") {
    const auto late = c.graph.add("late", Activate{Activation::sigmoid}, {second});
    c.graph.outputs = {c.graph.add("sum", Add{}, {first, late}), second};
    const auto after = c.apply(fuse_epilogue);
    REQUIRE(after.nodes.size() == 4);
    CHECK(after.nodes[3].name == "first");
  }
  SECTION("the same value twice is no residual") {
    c.graph.outputs = {c.graph.add("sum", Add{}, {first, first})};
    CHECK(c.apply(fuse_epilogue).nodes.size() == 3);
  }
  SECTION("values that are outputs, or read twice, stay") {
    const auto sum = c.graph.add("sum", Add{}, {first, second});
    c.graph.outputs = {c.graph.add("relu", Activate{}, {sum}), sum, first, second};
    CHECK(c.apply(fuse_epilogue).nodes.size() == 5);
  }
  SECTION("an addition behind an activation stays") {
    const auto relu = c.graph.add("relu", Activate{}, {first});
    c.graph.outputs = {c.graph.add("sum", Add{}, {relu, c.x})};
    const auto after = c.apply(fuse_epilogue);
    CHECK(count_of<Add>(after) == 1);
    CHECK(count_of<Activate>(after) == 0);
  }
  SECTION("linear takes an activation") {
    const auto list = c.graph.add("list", Aggregate{}, {first, second});
    const auto linear = c.graph.add("linear", c.dice.linear("linear", 4, 6), {list});
    c.graph.outputs = {c.graph.add("sigmoid", Activate{Activation::sigmoid}, {linear})};
    const auto after = c.apply(fuse_epilogue);
    CHECK(count_of<Activate>(after) == 0);
    CHECK(std::get<Linear>(after.nodes.back().operation).activation == Activation::sigmoid);
  }
}

TEST_CASE("coordinate_term") {
  Case c(3);
  const auto where = c.graph.add("coordinates", Coordinates{}, {c.x});
  const auto joined = c.graph.add("concat", Concat{}, {where, c.x});
  auto conv = c.dice.conv("conv", 5, 4, 3);
  conv.stride = GENERATE(1, 2);
  c.graph.outputs = {c.graph.add("conv", conv, {joined}, "out")};

  SECTION("nothing is concatenated any more") {
    const auto after = c.apply(coordinate_term);
    REQUIRE(after.nodes.size() == 2);
    CHECK(std::get<Conv>(after.nodes[1].operation).weight->shape() == Shape{4, 3, 3, 3});
    CHECK(std::get<Conv>(after.nodes[1].operation).coordinate_weight->shape() == Shape{4, 2, 3, 3});
  }
  SECTION("a concat that is an output stays, beside the convolution that no longer reads it") {
    c.graph.outputs.push_back(joined);
    const auto after = c.apply(coordinate_term);
    CHECK(after.nodes.size() == 4);
    CHECK(after.nodes[3].inputs == std::vector{c.x});
  }
  SECTION("coordinates elsewhere in the concat stay") {
    auto other = c.dice.conv("other", 5, 4, 1);
    c.graph.outputs = {c.graph.add("other", other, {c.graph.add("swapped", Concat{}, {c.x, where})})};
    CHECK(count_of<Concat>(c.apply(coordinate_term)) == 1);
  }
}

TEST_CASE("split_concat") {
  Case c(4);
  const auto half = c.graph.add("half", MaxPool{3, 2, 1}, {c.x});
  const auto one = c.graph.add("one", AdaptiveAveragePool{1}, {c.x});
  const auto a = c.graph.add("resize half", ResizeBilinear{}, {half, c.x});
  const auto b = c.graph.add("resize one", ResizeBilinear{}, {one, c.x});
  const bool activated = GENERATE(false, true);
  const auto add_conv = [&](std::vector<ValueId> parts, int kernel = 1) {
    const auto channels = static_cast<std::int64_t>(4 * parts.size());
    const auto joined = c.graph.add("concat", Concat{}, std::move(parts));
    auto conv = c.dice.conv("conv", channels, 5, kernel);
    if (activated) conv.activation = Activation::relu;
    c.graph.outputs = {c.graph.add("conv", conv, {joined}, "out")};
  };

  SECTION("each term at its own resolution") {
    const auto order = GENERATE(0, 1, 2);
    add_conv(order == 0 ? std::vector{a, b, c.x} : order == 1 ? std::vector{c.x, a, b} : std::vector{b, c.x, a});
    const auto after = c.apply(split_concat);
    CHECK(count_of<Concat>(after) == 0);
    CHECK(count_of<Conv>(after) == 3);
    CHECK(count_of<ResizeBilinear>(after) == 1);
    CHECK(after.nodes.size() == 7);
    const auto& last = std::get<Conv>(after.nodes.back().operation);
    CHECK(last.residual);
    CHECK(last.activation == (activated ? Activation::relu : Activation::none));
    CHECK(after.values[static_cast<std::size_t>(after.nodes.back().output())].name == "out");
  }
  SECTION("without a term at full resolution the resize comes last") {
    add_conv({a, b});
    const auto after = c.apply(split_concat);
    CHECK(count_of<Concat>(after) == 0);
    CHECK(count_of<Activate>(after) == (activated ? 1 : 0));
    CHECK(count_of<ResizeBilinear>(after) == 1);
  }
  SECTION("a value in the concat twice is one that others read") {
    add_conv({a, a, b});
    CHECK(count_of<Concat>(c.apply(split_concat)) == 1);
  }
  SECTION("left alone: two terms at full resolution") {
    add_conv({a, c.x, c.x});
    CHECK(count_of<Concat>(c.apply(split_concat)) == 1);
  }
  SECTION("left alone: nothing resized") {
    add_conv({c.x});
    CHECK(count_of<Concat>(c.apply(split_concat)) == 1);
  }
  SECTION("left alone: a window larger than a pixel") {
    add_conv({a, c.x}, 3);
    CHECK(count_of<Concat>(c.apply(split_concat)) == 1);
  }
  SECTION("left alone: the concat is an output") {
    add_conv({a, c.x});
    c.graph.outputs.push_back(c.graph.find("concat"));
    CHECK(count_of<Concat>(c.apply(split_concat)) == 1);
  }
  SECTION("a resized value that is an output is a term of full resolution") {
    add_conv({a, b});
    c.graph.outputs.push_back(a);
    const auto after = c.apply(split_concat);
    CHECK(count_of<Concat>(after) == 0);
    CHECK(after.producer(a) >= 0);
  }
}

TEST_CASE("split_concat leaves a shrinking resize alone") {
  Case c(4);
  const auto half = c.graph.add("half", MaxPool{3, 2, 1}, {c.x});
  const auto shrunk = c.graph.add("shrunk", ResizeBilinear{}, {c.x, half});
  const auto joined = c.graph.add("concat", Concat{}, {shrunk, half});
  c.graph.outputs = {c.graph.add("conv", c.dice.conv("conv", 8, 5, 1), {joined})};
  CHECK(count_of<Concat>(c.apply(split_concat)) == 1);
}

TEST_CASE("compose_convs") {
  Case c(3);
  auto inner = c.dice.conv("inner", 3, 6, 3, GENERATE(false, true));
  inner.stride = GENERATE(1, 2);
  const auto y = c.graph.add("inner", inner, {c.x});
  auto outer = c.dice.conv("outer", 6, 5, 1, GENERATE(false, true));
  outer.activation = Activation::relu;

  SECTION("one convolution, with the outer one's activation") {
    c.graph.outputs = {c.graph.add("outer", outer, {y}, "out")};
    const auto after = c.apply(compose_convs);
    REQUIRE(after.nodes.size() == 2);
    const auto& conv = std::get<Conv>(after.nodes[1].operation);
    CHECK(conv.weight->shape() == Shape{5, 3, 3, 3});
    CHECK(conv.stride == inner.stride);
    CHECK(conv.padding == 1);
    CHECK(conv.activation == Activation::relu);
    CHECK(static_cast<bool>(conv.bias) == (inner.bias || outer.bias));
  }
  SECTION("the coordinate term is composed too, and a residual carried over") {
    std::get<Conv>(c.graph.nodes[1].operation).coordinate_weight = c.dice.constant("coordinates", {6, 2, 3, 3});
    auto side = c.dice.conv("side", 3, 5, 1);
    side.stride = inner.stride;
    const auto residual = c.graph.add("side", side, {c.x});
    outer.residual = true;
    c.graph.outputs = {c.graph.add("outer", outer, {y, residual}, "out")};
    const auto after = c.apply(compose_convs);
    CHECK(after.nodes.size() == 3);
    CHECK(std::get<Conv>(after.nodes[2].operation).coordinate_weight != nullptr);
  }
  SECTION("a chain of three") {
    outer.activation = Activation::none;
    const auto z = c.graph.add("outer", outer, {y});
    c.graph.outputs = {c.graph.add("last", c.dice.conv("last", 5, 2, 1), {z}, "out")};
    CHECK(c.apply(compose_convs).nodes.size() == 2);
  }
  SECTION("left alone: more work") {
    outer.weight = c.dice.constant("wide.weight", {40, 6, 1, 1});
    outer.bias = nullptr;
    c.graph.outputs = {c.graph.add("outer", outer, {y})};
    CHECK(c.apply(compose_convs).nodes.size() == 3);
  }
  SECTION("left alone: an activation, an output or another reader between the two") {
    const auto why = GENERATE(0, 1, 2);
    c.graph.outputs = {c.graph.add("outer", outer, {y})};
    if (why == 0) std::get<Conv>(c.graph.nodes[1].operation).activation = Activation::relu;
    if (why == 1) c.graph.outputs.push_back(y);
    if (why == 2) c.graph.outputs.push_back(c.graph.add("reader", Activate{}, {y}));
    CHECK(count_of<Conv>(c.apply(compose_convs)) == 2);
  }
  SECTION("left alone: the outer one is padded") {
    outer.padding = 1;
    c.graph.outputs = {c.graph.add("outer", outer, {y})};
    CHECK(c.apply(compose_convs).nodes.size() == 3);
  }
}

TEST_CASE("a chain that a hostile file made long is an error, not a stack overflow") {
  Case c(1);
  auto x = c.x;
  for (int i = 0; i < 4000; ++i) x = c.graph.add(std::to_string(i), c.dice.conv("conv", 1, 1, 1), {x});
  c.graph.outputs = {x};
  CHECK_THROWS_WITH(rewrite(c.graph), Catch::Contains("at most 64 steps"));
}

TEST_CASE("merge_siblings") {
  Case c(4);
  auto a = c.dice.conv("a", 4, 3, 3), b = c.dice.conv("b", 4, 5, 3, GENERATE(false, true));
  a.activation = b.activation = Activation::relu;
  const auto add = [&] {
    const auto u = c.graph.add("a", a, {c.x}), v = c.graph.add("b", b, {c.x});
    c.graph.outputs = {u, v};
  };

  SECTION("one convolution, and slices under the old names") {
    if (GENERATE(false, true)) {
      a.coordinate_weight = c.dice.constant("a.coordinates", {3, 2, 3, 3});
      b.coordinate_weight = c.dice.constant("b.coordinates", {5, 2, 3, 3});
    }
    add();
    const auto after = c.apply(merge_siblings);
    REQUIRE(after.nodes.size() == 4);
    CHECK(after.nodes[1].name == "a | b");
    CHECK(std::get<Conv>(after.nodes[1].operation).weight->shape() == Shape{8, 4, 3, 3});
    CHECK(std::get<Slice>(after.nodes[3].operation).begin == 3);
    CHECK(after.nodes[3].name == "b");
  }
  SECTION("three of them, with other nodes between") {
    add();
    const auto relu = c.graph.add("between", Activate{}, {c.graph.outputs[0]});
    auto third = c.dice.conv("third", 4, 2, 3);
    third.activation = Activation::relu;
    c.graph.outputs = {c.graph.outputs[0], c.graph.outputs[1], relu, c.graph.add("third", third, {c.x})};
    const auto after = c.apply(merge_siblings);
    CHECK(count_of<Conv>(after) == 1);
    CHECK(count_of<Slice>(after) == 3);
  }
  SECTION("left alone: any difference in geometry or activation, or a coordinate term on one side") {
    switch (GENERATE(0, 1, 2, 3, 4)) {
      case 0:
        b.activation = Activation::none;
        break;
      case 1:
        b.stride = 2;
        break;
      case 2:
        b.padding = 0;
        a.padding = 1;
        c.input_channels = 4;
        b.dilation = 1;
        b = c.dice.conv("b", 4, 5, 1);
        break;
      case 3:
        b.dilation = 2;
        b.padding = 2;
        break;
      default:
        a.coordinate_weight = c.dice.constant("a.coordinates", {3, 2, 3, 3});
    }
    add();
    CHECK(count_of<Conv>(c.apply(merge_siblings)) == 2);
  }
}

TEST_CASE("pair_convs") {
  Case c(4);
  const bool bias = GENERATE(false, true);
  const auto convolution = [&](const std::string& name, int in, int out) {
    auto conv = c.dice.conv(name, in, out, 3, bias);
    conv.padding = 1;
    conv.activation = Activation::relu;
    return conv;
  };
  auto a = convolution("a", 3, 5), b = convolution("b", 3, 5);
  const auto joint = c.graph.add("joint", convolution("joint", 4, 6), {c.x});
  std::int64_t begin = 3;
  const auto add = [&] {
    const auto low = c.graph.add("low", Slice{0, 3}, {joint}), high = c.graph.add("high", Slice{begin, 3}, {joint});
    const auto u = c.graph.add("a", a, {low}), v = c.graph.add("b", b, {high});
    c.graph.outputs = {u, v};
    return high;
  };

  SECTION("one convolution of two groups, and slices under the old names; then the next pair") {
    add();
    const auto second = convolution("c", 5, 2), third = convolution("d", 5, 2);
    const auto u = c.graph.add("c", second, {c.graph.outputs[0]}), v = c.graph.add("d", third, {c.graph.outputs[1]});
    c.graph.outputs = {v, u};
    const auto after = c.apply(pair_convs);
    CHECK(count_of<Conv>(after) == 3);
    CHECK(count_of<Slice>(after) == 2);
    CHECK(after.nodes[2].name == "a | b");
    CHECK(std::get<Conv>(after.nodes[2].operation).groups == 2);
    CHECK(after.nodes[3].name == "c | d");
    CHECK(after.nodes[5].name == "d");
    CHECK(std::get<Slice>(after.nodes[5].operation).begin == 2);
  }
  SECTION("left alone: other shapes, other activations, other parts of the value, halves that somebody else reads") {
    const int why = GENERATE(0, 1, 2, 3, 4);
    if (why == 0) b = convolution("b", 3, 4);
    if (why == 1) b.activation = Activation::none;
    if (why == 2) begin = 2;
    if (why == 3) a.coordinate_weight = c.dice.constant("a.coordinates", {5, 2, 3, 3});
    const ValueId high = add();
    if (why == 4) c.graph.outputs.push_back(high);
    CHECK(count_of<Conv>(c.apply(pair_convs)) == 3);
  }
}

TEST_CASE("fuse_iam") {
  Case c(4);
  const auto logits = c.graph.add("logits", c.dice.conv("logits", 4, 6, 3), {c.x}, "iam_logits");
  SECTION("sigmoid and normaliser") {
    const auto sigmoid = c.graph.add("sigmoid", Activate{Activation::sigmoid}, {logits});
    const auto maps = c.graph.add("normalise", NormaliseMaps{0.5}, {sigmoid});
    c.graph.outputs = {c.graph.add("aggregate", Aggregate{}, {maps, c.x}), logits};
    SECTION("become one node, and the logits stay an output") {
      const auto after = c.apply(fuse_iam);
      REQUIRE(after.nodes.size() == 3);
      CHECK(std::get<AggregateLogits>(after.nodes[2].operation).epsilon == 0.5);
      CHECK_FALSE(std::get<AggregateLogits>(after.nodes[2].operation).softmax);
      CHECK(after.nodes[2].inputs == std::vector{logits, c.x});
    }
    SECTION("stay where somebody wants what lies between") {
      c.graph.outputs.push_back(GENERATE_COPY(sigmoid, maps));
      CHECK(c.apply(fuse_iam).nodes.size() == 5);
    }
    SECTION("stay where the activation is another") {
      std::get<Activate>(c.graph.nodes[2].operation).activation = Activation::relu;
      CHECK(c.apply(fuse_iam).nodes.size() == 5);
    }
  }
  SECTION("softmax") {
    const auto maps = c.graph.add("softmax", SoftmaxMaps{}, {logits});
    c.graph.outputs = {c.graph.add("aggregate", Aggregate{}, {maps, c.x})};
    const auto after = c.apply(fuse_iam);
    REQUIRE(after.nodes.size() == 3);
    CHECK(std::get<AggregateLogits>(after.nodes[2].operation).softmax);
  }
}

TEST_CASE("reassociate_masks") {
  Case c(4);
  const auto list = c.graph.add("list", Aggregate{}, {c.graph.add("maps", c.dice.conv("maps", 4, 30, 1), {c.x}), c.x});
  auto linear = c.dice.linear("kernels", 4, 8);
  if (GENERATE(false, true)) linear.bias = nullptr;
  const auto kernels = c.graph.add("kernels", linear, {list});
  auto projection = c.dice.conv("projection", 4, 8, 1, GENERATE(false, true));

  SECTION("the projection disappears where its input is narrower than the kernels") {
    const auto features = c.graph.add("projection", projection, {c.x});
    c.graph.outputs = {c.graph.add("masks", MaskProduct{}, {kernels, features}, "mask_logits")};
    const auto after = c.apply(reassociate_masks);
    CHECK(count_of<Conv>(after) == 1);
    CHECK(std::get<MaskProduct>(after.nodes.back().operation).offset);
    CHECK(std::get<Linear>(after.nodes[3].operation).weight->shape() == Shape{5, 4});
    SECTION("but not where its value is an output") {
      c.graph.outputs.push_back(GENERATE_COPY(kernels, features));
      CHECK(count_of<Conv>(c.apply(reassociate_masks)) == 2);
    }
  }
  SECTION("left alone: more work, because many instances meet more channels") {
    const auto wide = c.graph.add("wide", c.dice.conv("wide", 4, 32, 1), {c.x});
    const auto features = c.graph.add("projection", c.dice.conv("projection", 32, 8, 1), {wide});
    c.graph.outputs = {c.graph.add("masks", MaskProduct{}, {kernels, features})};
    CHECK_FALSE(std::get<MaskProduct>(c.apply(reassociate_masks).nodes.back().operation).offset);
  }
  SECTION("left alone: weights that would outgrow the file's") {
    const auto one = c.graph.add("one", Aggregate{}, {c.graph.add("map", c.dice.conv("map", 4, 1, 1), {c.x}), c.x});
    const auto narrow = c.graph.add("narrow", c.dice.linear("narrow", 4, 2), {one});
    const int channels = GENERATE(32, 33);  // 16 times the kernels' 2, and one more
    const auto wide = c.graph.add("wide", c.dice.conv("wide", 4, channels, 1), {c.x});
    const auto features = c.graph.add("projection", c.dice.conv("projection", channels, 2, 1), {wide});
    c.graph.outputs = {c.graph.add("masks", MaskProduct{}, {narrow, features})};
    CHECK(std::get<MaskProduct>(c.apply(reassociate_masks).nodes.back().operation).offset == (channels == 32));
  }
  SECTION("left alone: an activation on either side") {
    if (GENERATE(false, true))
      projection.activation = Activation::relu;
    else
      std::get<Linear>(c.graph.nodes[3].operation).activation = Activation::relu;
    const auto features = c.graph.add("projection", projection, {c.x});
    c.graph.outputs = {c.graph.add("masks", MaskProduct{}, {kernels, features})};
    CHECK(count_of<Conv>(c.apply(reassociate_masks)) == 2);
  }
}

TEST_CASE("linear_as_conv") {
  Case c(4);
  auto linear = c.dice.linear("linear", 4, 6);
  linear.of_map = true, linear.activation = Activation::relu;
  const auto y = c.graph.add("linear", linear, {c.x});
  const auto list = c.graph.add("list", Aggregate{}, {c.x, y});
  c.graph.outputs = {c.graph.add("of list", c.dice.linear("of list", 6, 3), {list})};
  const auto after = c.apply(linear_as_conv);
  const auto& conv = std::get<Conv>(after.nodes[1].operation);
  CHECK(conv.weight->shape() == Shape{6, 4, 1, 1});
  CHECK(conv.activation == Activation::relu);
  CHECK(std::holds_alternative<Linear>(after.nodes[3].operation));
}

TEST_CASE("norms and activations go into deformable convolutions, GELU where transformers have it") {
  Case c(4);
  DeformConv deform;
  deform.weight = c.dice.constant("deform.weight", {4, 4, 3, 3}), deform.padding = 1;
  const auto offsets = c.graph.add("offsets", c.dice.conv("offsets", 4, 18, 3), {c.x});
  auto y = c.graph.add("deform", deform, {c.x, offsets});
  y = c.graph.add("norm", c.dice.batch_norm("norm", 4), {y});
  y = c.graph.add("relu", Activate{Activation::relu}, {y});
  auto z =
      c.graph.add("layer norm",
                  LayerNorm{c.dice.constant("layer norm.weight", {4}), c.dice.constant("layer norm.bias", {4})}, {c.x});
  z = c.graph.add("gelu", Activate{Activation::gelu}, {z});
  auto w = c.graph.add("conv", c.dice.conv("conv", 4, 4, 1), {c.x});
  w = c.graph.add("gelu of conv", Activate{Activation::gelu}, {w});
  c.graph.outputs = {y, z, w};
  c.graph = c.apply(fold_batch_norm);
  const auto after = c.apply(fuse_epilogue);
  REQUIRE(after.nodes.size() == 6);
  CHECK(std::get<DeformConv>(after.nodes[2].operation).activation == Activation::relu);
  CHECK(std::get<LayerNorm>(after.nodes[3].operation).activation == Activation::gelu);
  CHECK(std::get<Conv>(after.nodes[4].operation).activation == Activation::none);
}
