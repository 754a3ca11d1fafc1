// Conv(x, UpsampleNearest(r)) -> Conv(x, r) with a residual scale: the top-down path of a feature pyramid.
//
// Pixel (y, x) of the upsampled map is pixel (y / factor, x / factor) of r, so the epilogue reads it from there, and
// the map of factor^2 times as many pixels is never stored.
#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {

void upsample_residual(Graph& graph, const FusedKernels& kernels) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& node = graph.nodes[static_cast<std::size_t>(i)];
    const auto* conv = std::get_if<Conv>(&node.operation);
    if (conv == nullptr || !conv->residual || conv->residual_scale != 1 || only_reader(graph, node.inputs[1]) != i)
      continue;
    const auto* upsample = maker_as<UpsampleNearest>(graph, node.inputs[1]);
    if (upsample == nullptr) continue;
    const int maker = graph.producer(node.inputs[1]);
    Node fused = node;
    std::get<Conv>(fused.operation).residual_scale = upsample->factor;
    fused.inputs[1] = graph.nodes[static_cast<std::size_t>(maker)].inputs[0];
    if (!has_kernel(kernels, graph, fused)) continue;
    graph.nodes[static_cast<std::size_t>(i)] = std::move(fused);
    erase_node(graph, maker);
    --i;
  }
}

}  // namespace maskrt::graph
