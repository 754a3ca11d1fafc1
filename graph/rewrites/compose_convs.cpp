// Conv1x1(Conv(x)) -> Conv(x), where the inner convolution has no activation, no residual and no other reader.
//
// V (W x + b) + d = (V W) x + (V b + d): the 1x1 convolution mixes the channels of each pixel of the inner convolution,
// whose zero padding of x is unchanged.
#include <utility>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

/// outer [out, middle] times inner [middle, ...].
ConstantPtr product(const ConstantPtr& outer, const ConstantPtr& inner) {
  auto shape = inner->shape();
  const auto rows = static_cast<std::size_t>(outer->shape()[0]), middle = static_cast<std::size_t>(shape[0]);
  const auto columns = static_cast<std::size_t>(elements(shape)) / middle;
  shape[0] = outer->shape()[0];
  return derive(outer->name() + " x " + inner->name(), shape, {outer, inner}, [=](const std::vector<Numbers>& from) {
    return matrix_product(from[0], from[1], rows, middle, columns);
  });
}

/// outer times the inner bias, plus the outer bias; either bias may be null.
ConstantPtr composed_bias(const ConstantPtr& outer, const ConstantPtr& inner_bias, const ConstantPtr& outer_bias) {
  if (!inner_bias) return outer_bias;
  const auto rows = static_cast<std::size_t>(outer->shape()[0]);
  const auto middle = static_cast<std::size_t>(outer->shape()[1]);
  const auto name = outer->name() + " x " + inner_bias->name() + (outer_bias ? " + " + outer_bias->name() : "");
  return derive(name, {outer->shape()[0]}, {outer, inner_bias, outer_bias}, [=](const std::vector<Numbers>& from) {
    return matrix_product(from[0], from[1], rows, middle, 1, from[2]);
  });
}

/// Both convolutions have the output's pixels, so the multiply-adds per pixel decide which form is cheaper.
bool is_not_more_work(const Conv& inner, const Conv& outer) {
  const auto& shape = inner.weight->shape();
  const auto inputs = shape[1] + (inner.coordinate_weight ? 2 : 0);
  const auto window = static_cast<double>(inputs * shape[2] * shape[3]);
  const auto middle = static_cast<double>(shape[0]), outputs = static_cast<double>(outer.weight->shape()[0]);
  return window * outputs <= window * middle + middle * outputs;
}

}  // namespace

void compose_convs(Graph& graph) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const auto& node = graph.nodes[static_cast<std::size_t>(i)];
    const auto* outer = std::get_if<Conv>(&node.operation);
    if (outer == nullptr || !is_pointwise(*outer) || only_reader(graph, node.inputs[0]) != i) continue;
    const auto* inner = maker_as<Conv>(graph, node.inputs[0]);
    if (inner == nullptr || inner->groups != 1 || inner->residual || inner->activation != Activation::none ||
        !is_not_more_work(*inner, *outer))
      continue;
    const int maker = graph.producer(node.inputs[0]);
    Conv both = *inner;
    both.weight = product(outer->weight, inner->weight);
    both.bias = composed_bias(outer->weight, inner->bias, outer->bias);
    if (inner->coordinate_weight) both.coordinate_weight = product(outer->weight, inner->coordinate_weight);
    both.residual = outer->residual;
    both.residual_scale = outer->residual_scale;
    both.activation = outer->activation;

    Node fused = node;
    fused.name = graph.nodes[static_cast<std::size_t>(maker)].name + " + " + node.name;
    fused.operation = std::move(both);
    fused.inputs[0] = graph.nodes[static_cast<std::size_t>(maker)].inputs[0];
    graph.nodes[static_cast<std::size_t>(i)] = std::move(fused);
    erase_node(graph, maker);
    --i;
  }
}

}  // namespace maskrt::graph
