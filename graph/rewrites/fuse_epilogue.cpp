// Add(Conv(x), r) -> Conv(x) with residual r; Activate(Conv(x)) -> Conv(x) with that activation; Linear, DeformConv,
// LayerNorm and GroupNorm likewise.
//
// The same arithmetic in the same order: only the intermediate values are no longer stored and read again.
#include <utility>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

/// True if the addition at `index` could move into the convolution that makes `value`.
bool takes_residual(Graph& graph, ValueId value, int index) {
  const auto* conv = maker_as<Conv>(graph, value);
  return conv != nullptr && !conv->residual && conv->activation == Activation::none &&
         only_reader(graph, value) == index;
}

/// The convolution moves to the position of the addition, where both operands exist. Where both are convolutions (a
/// residual block's shortcut and its last convolution), the later one takes the other's output as its residual.
bool fuse_add(Graph& graph, int index) {
  const auto inputs = graph.nodes[static_cast<std::size_t>(index)].inputs;
  int best = -1;
  ValueId residual = -1;
  for (std::size_t side = 0; side < 2; ++side) {
    const int maker = graph.producer(inputs[side]);
    if (maker <= best || !takes_residual(graph, inputs[side], index)) continue;
    best = maker;
    residual = inputs[1 - side];
  }
  if (best < 0) return false;
  auto fused = graph.nodes[static_cast<std::size_t>(best)];
  std::get<Conv>(fused.operation).residual = true;
  fused.inputs.push_back(residual);
  fused.outputs = graph.nodes[static_cast<std::size_t>(index)].outputs;
  graph.nodes[static_cast<std::size_t>(index)] = std::move(fused);
  erase_node(graph, best);
  return true;
}

/// The activation of the operation that makes `value`, where it has one that may become `wanted`; or null.
Activation* epilogue_for(Graph& graph, ValueId value, Activation wanted) {
  // Devices have GELU, which is long, where transformers do.
  const bool gelu = wanted == Activation::gelu;
  if (auto* conv = maker_as<Conv>(graph, value)) return gelu && !is_depthwise(*conv) ? nullptr : &conv->activation;
  if (auto* norm = maker_as<LayerNorm>(graph, value)) return &norm->activation;
  if (auto* norm = maker_as<GroupNorm>(graph, value)) return gelu ? nullptr : &norm->activation;
  if (auto* linear = maker_as<Linear>(graph, value))
    return wanted == Activation::relu || wanted == Activation::sigmoid ? &linear->activation : nullptr;
  if (auto* conv = maker_as<DeformConv>(graph, value))
    return wanted == Activation::relu || wanted == Activation::leaky_relu ? &conv->activation : nullptr;
  return nullptr;
}

bool fuse_activation(Graph& graph, int index) {
  const auto& node = graph.nodes[static_cast<std::size_t>(index)];
  const auto value = node.inputs[0];
  if (only_reader(graph, value) != index) return false;
  const Activation activation = std::get<Activate>(node.operation).activation;
  Activation* epilogue = epilogue_for(graph, value, activation);
  if (epilogue == nullptr || *epilogue != Activation::none) return false;
  *epilogue = activation;
  graph.nodes[static_cast<std::size_t>(graph.producer(value))].outputs = node.outputs;
  erase_node(graph, index);
  return true;
}

}  // namespace

void fuse_epilogue(Graph& graph) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const auto& operation = graph.nodes[static_cast<std::size_t>(i)].operation;
    const bool fused = std::holds_alternative<Add>(operation)        ? fuse_add(graph, i)
                       : std::holds_alternative<Activate>(operation) ? fuse_activation(graph, i)
                                                                     : false;
    if (fused) --i;  // one node before or at i is gone
  }
}

}  // namespace maskrt::graph
