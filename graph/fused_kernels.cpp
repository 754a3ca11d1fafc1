#include "fused_kernels.h"

#include <algorithm>

namespace maskrt::graph {
namespace {

struct Question {
  const FusedKernels& kernels;
  const Graph& graph;
  const Node& node;

  /// Those that fused kernels have in their epilogues.
  static bool is_short(Activation activation) {
    return activation == Activation::none || activation == Activation::relu || activation == Activation::sigmoid;
  }

  bool operator()(const StemPool& op) const {
    if (!is_short(op.activation)) return false;
    const Shape& shape = op.weight->shape();
    // The kernel reads the pixels of the network's input, which lie closer together than those of other maps.
    const int maker = graph.producer(node.inputs[0]);
    return shape[2] == kernels.stem_side && shape[1] <= kernels.stem_channels && maker >= 0 &&
           std::holds_alternative<Input>(graph.nodes[static_cast<std::size_t>(maker)].operation);
  }
  bool operator()(const PooledConv&) const { return kernels.pooled_conv; }
  bool operator()(const PyramidPool& op) const { return takes(op.branches, kernels.pyramid_branches); }
  bool operator()(const LinearHeads& op) const { return takes(op.heads, kernels.linear_heads); }
  bool operator()(const AggregateLogits& op) const { return !op.bias || kernels.logits_bias; }
  bool operator()(const Conv& op) const { return op.residual_scale <= kernels.residual_scale; }
  bool operator()(const Linear& op) const { return !op.of_map; }
  static bool takes(const auto& parts, std::size_t most) {
    return parts.size() <= most &&
           std::all_of(parts.begin(), parts.end(), [](const auto& part) { return is_short(part.activation); });
  }
  bool operator()(const auto& op) const {
    static_assert(!FusedOp<std::remove_cvref_t<decltype(op)>>);
    return true;
  }
};

}  // namespace

bool has_kernel(const FusedKernels& kernels, const Graph& graph, const Node& node) {
  return std::visit(Question{kernels, graph, node}, node.operation);
}

}  // namespace maskrt::graph
