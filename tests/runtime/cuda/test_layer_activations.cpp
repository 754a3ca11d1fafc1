// Every activation after every layer that may have one, on the GPU: in the layer's kernel, or by a launch of its own.
#include <catch2/catch.hpp>

#include "network_run.h"
#include "support/small_network.h"

namespace maskrt {
namespace {

using namespace testing;
using graph::Activation;
using graph::Graph;
using graph::ValueId;

/// Each layer with an activation, on a map of 4 channels; all but the input are outputs.
Graph layers_with(Activation activation) {
  Dice dice(9);
  Graph g;
  const auto x = g.add("x", graph::Input{4}, {});
  const auto wide = g.add("wide", dice.conv("wide", 4, 16, 3), {x});
  const auto with = [&](const std::string& name, graph::Conv conv, std::vector<ValueId> inputs) {
    conv.activation = activation;
    return g.add(name, conv, std::move(inputs));
  };
  g.add("activate", graph::Activate{activation}, {wide});
  with("conv", dice.conv("conv", 16, 24, 3), {wide});
  graph::Conv residual = dice.conv("residual", 16, 16, 1);
  residual.residual = true;
  with("residual", residual, {wide, wide});
  graph::Conv upsampled = dice.conv("upsampled", 16, 16, 1);
  upsampled.residual = true, upsampled.residual_scale = 2;
  with("upsampled", upsampled, {wide, g.add("halved", graph::MaxPool{2, 2, 0}, {wide})});
  graph::Conv grouped = dice.conv("grouped", 4, 16, 3);
  grouped.groups = 4;
  with("grouped", grouped, {wide});
  graph::Conv depthwise = dice.conv("depthwise", 1, 16, 3);
  depthwise.groups = 16;
  with("depthwise", depthwise, {wide});
  depthwise.residual = true;
  with("depthwise residual", depthwise, {wide, wide});
  graph::Conv strided = dice.conv("strided", 1, 16, 5);
  strided.groups = 16, strided.stride = 2;
  with("strided", strided, {wide});
  graph::Linear of_map = dice.linear("linear of map", 16, 12);
  of_map.of_map = true, of_map.activation = activation;
  g.add("linear of map", of_map, {wide});
  const auto list = g.add("list", graph::Aggregate{}, {wide, x});
  graph::Linear linear = dice.linear("linear", 4, 5);
  linear.activation = activation;
  g.add("linear", linear, {list});
  graph::LinearHeads heads{{dice.linear("heads.0", 4, 3), dice.linear("heads.1", 4, 9)}};
  heads.heads[1].activation = activation;
  g.add_several("heads", heads, {list}, {"heads.three", "heads.nine"});
  const graph::Conv stem = dice.conv("stem", 4, 6, 7);
  g.add("stem", graph::StemPool{stem.weight, stem.bias, activation}, {x});
  const graph::Conv stage = dice.conv("stage", 16, 3, 1), last = dice.conv("last", 3, 5, 1);
  graph::PyramidPool pyramid;
  pyramid.branches.push_back({2, stage.weight, stage.bias, activation, last.weight, last.bias});
  g.add_several("pyramid", pyramid, {wide}, {"pyramid.two"});
  g.add("layer norm",
        graph::LayerNorm{dice.constant("norm.weight", {16}), dice.constant("norm.bias", {16}), 1e-3, activation},
        {wide});
  for (const auto& node : g.nodes)
    for (const ValueId value : node.outputs)
      if (value != x) g.outputs.push_back(value);
  return g;
}

}  // namespace

TEST_CASE("every activation after every layer computes on the GPU what the interpreter does") {
  for (const Activation activation : graph::kActivations) {
    const Graph g = layers_with(activation);
    const Map input = Dice(3).map({2, 16, 20, 4, false});
    const std::vector<graph::Extent> extents = graph::infer_extents(g, 2, 16, 20);
    for (const auto& [precision, bound] : {std::pair{Precision::fp32, 1e-5}, {Precision::fp16, 4 * 0x1p-11}}) {
      cuda::CudaNetwork network(g, precision, Gpu::instance().library());
      const GpuRun found = run_on_gpu(network, input);
      // Of each layer by itself, from values as they are stored.
      std::vector<Map> values(g.values.size());
      for (std::size_t v = 0; v < values.size(); ++v)
        if (const auto output = found.outputs.find(g.values[v].name); output != found.outputs.end())
          values[v] = output->second;
      values[static_cast<std::size_t>(g.nodes[0].output())] = input;
      for (std::size_t i = 1; i < g.nodes.size(); ++i) {
        const graph::Node& node = g.nodes[i];
        const std::vector<Map> want = interpret_node(node, values, extents);
        for (std::size_t k = 0; k < want.size(); ++k) {
          INFO(graph::name_of(activation) << " in " << name_of(precision) << ": " << node.name << ", output " << k);
          CHECK(share_of_largest(values[static_cast<std::size_t>(node.outputs[k])], want[k]) <= bound);
        }
      }
    }
  }
}

TEST_CASE("depthwise convolutions have kernels of their own, with their activation, unless something is added") {
  for (const Activation activation : {Activation::relu, Activation::gelu}) {
    Dice dice(4);
    Graph g;
    const auto x = g.add("x", graph::Input{16}, {});
    graph::Conv conv = dice.conv("depthwise", 1, 16, 3);
    conv.groups = 16, conv.activation = activation;
    const auto alone = g.add("alone", conv, {x});
    conv.residual = true;
    g.outputs = {alone, g.add("residual", conv, {x, x})};
    cuda::CudaNetwork network(g, Precision::fp16, Gpu::instance().library());
    const Program program = network.compile(1, 9, 11, 1);
    std::vector<std::string> algorithms;
    for (const Step& step : program.steps)
      if (step.operation != "clear") algorithms.push_back(step.operation + " " + step.algorithm);
    REQUIRE(algorithms.size() == (activation == Activation::gelu ? 3 : 2));
    CHECK(algorithms[0] == "conv depthwise");
    CHECK(algorithms[1].starts_with("conv conv_"));
    if (activation == Activation::gelu) CHECK(algorithms[2] == "activate elementwise");
    CHECK(program.steps[0].predicted_seconds > 0);
  }
}

TEST_CASE("factors of a norm stay apart from a depthwise convolution's weights in fp16") {
  // 1 + 2^-11 would be rounded to 1, as a weight, but 3 times that is 3/4 of a unit above 3.
  constexpr float factor = 1 + 0x1p-11f;
  const auto of = [](const char* name, float number, Shape shape) {
    return graph::make_constant(name, std::move(shape), std::vector<float>(16, number));
  };
  graph::Conv conv;
  conv.groups = 16;
  conv.weight =
      of("weight", factor, {16, 1, 1, 1})->known_as({of("rows", 1, {16, 1, 1, 1}), of("factors", factor, {16})});
  Graph g;
  g.outputs = {g.add("y", conv, {g.add("x", graph::Input{16}, {})})};
  cuda::CudaNetwork network(g, Precision::fp16, Gpu::instance().library());
  Map input = Dice(5).map({1, 2, 2, 16, false});
  for (double& number : input.data) number = 3;
  const GpuRun found = run_on_gpu(network, input);
  for (const double number : found.outputs.at("y").data) CHECK(number == 3 + 0x1p-9);
}

}  // namespace maskrt
