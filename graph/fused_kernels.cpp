#include "fused_kernels.h"

namespace maskrt::graph {
namespace {

struct Question {
  const FusedKernels& kernels;
  const Graph& graph;
  const Node& node;

  bool operator()(const StemPool& op) const {
    const Shape& shape = op.weight->shape();
    // The kernel reads the pixels of the network's input, which lie closer together than those of other maps.
    const int maker = graph.producer(node.inputs[0]);
    return shape[2] == kernels.stem_side && shape[1] <= kernels.stem_channels && maker >= 0 &&
           std::holds_alternative<Input>(graph.nodes[static_cast<std::size_t>(maker)].operation);
  }
  bool operator()(const PooledConv&) const { return kernels.pooled_conv; }
  bool operator()(const PyramidPool& op) const { return op.branches.size() <= kernels.pyramid_branches; }
  bool operator()(const LinearHeads& op) const { return op.heads.size() <= kernels.linear_heads; }
  bool operator()(const Conv& op) const { return op.residual_scale <= kernels.residual_scale; }
  bool operator()(const Linear& op) const { return !op.of_map; }
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
