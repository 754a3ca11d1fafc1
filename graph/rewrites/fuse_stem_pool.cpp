// MaxPool3x3/2(Conv/2(input)) -> StemPool(input): the map between the two is the largest of a network, and the fused
// kernel never stores it to memory.
//
// For a convolution of the network's input, which is what stems are.
#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

bool is_stem(const Conv& conv) {
  const Shape& shape = conv.weight->shape();
  return !conv.residual && conv.groups == 1 && conv.coordinate_weight == nullptr && conv.stride == 2 &&
         conv.dilation == 1 && shape[2] == shape[3] && shape[2] % 2 == 1 && conv.padding == shape[2] / 2;
}

}  // namespace

void fuse_stem_pool(Graph& graph, const FusedKernels& kernels) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& node = graph.nodes[static_cast<std::size_t>(i)];
    const auto* pool = std::get_if<MaxPool>(&node.operation);
    if (pool == nullptr || pool->kernel != 3 || pool->stride != 2 || pool->padding != 1 ||
        only_reader(graph, node.inputs[0]) != i)
      continue;
    const auto* conv = maker_as<Conv>(graph, node.inputs[0]);
    if (conv == nullptr || !is_stem(*conv)) continue;
    const int maker = graph.producer(node.inputs[0]);
    Node fused = node;
    fused.operation = StemPool{conv->weight, conv->bias, conv->activation};
    fused.inputs = graph.nodes[static_cast<std::size_t>(maker)].inputs;
    if (!has_kernel(kernels, graph, fused)) continue;
    graph.nodes[static_cast<std::size_t>(i)] = std::move(fused);
    erase_node(graph, maker);
    --i;
  }
}

}  // namespace maskrt::graph
