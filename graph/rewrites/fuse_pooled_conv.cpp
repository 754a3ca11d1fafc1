// Conv1x1(AveragePool2x2/2(x)) -> PooledConv(x): the shortcuts of a ResNet-D, whose pooled maps are never stored.
//
// For a convolution without a residual: where a block ends in the sum of two convolutions, fuse-epilogue gives the
// later one the other's output, and the shortcut comes first.
#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {

void fuse_pooled_conv(Graph& graph, const FusedKernels& kernels) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& node = graph.nodes[static_cast<std::size_t>(i)];
    const auto* conv = std::get_if<Conv>(&node.operation);
    if (conv == nullptr || !is_pointwise(*conv) || conv->residual || only_reader(graph, node.inputs[0]) != i) continue;
    const auto* pool = maker_as<AveragePool>(graph, node.inputs[0]);
    if (pool == nullptr || pool->kernel != 2 || pool->stride != 2) continue;
    const int maker = graph.producer(node.inputs[0]);
    Node fused = node;
    fused.operation = PooledConv{conv->weight, conv->bias, conv->activation};
    fused.inputs = graph.nodes[static_cast<std::size_t>(maker)].inputs;
    if (!has_kernel(kernels, graph, fused)) continue;
    graph.nodes[static_cast<std::size_t>(i)] = std::move(fused);
    erase_node(graph, maker);
    --i;
  }
}

}  // namespace maskrt::graph
