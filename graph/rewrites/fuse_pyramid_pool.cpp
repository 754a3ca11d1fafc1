// Conv1x1(Conv1x1(AdaptiveAveragePool(x))), for several sizes of one map x -> PyramidPool(x).
//
// Pyramid pooling produces maps of a few pixels, for each of which three launches cost more than their work. The resize
// that follows each branch is not changed.
#include <algorithm>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

/// The 1x1 convolution without a residual that alone reads a value; -1 where there is none.
int pointwise_reader(const Graph& graph, ValueId value) {
  const int reader = only_reader(graph, value);
  if (reader < 0) return -1;
  const auto* conv = std::get_if<Conv>(&graph.nodes[static_cast<std::size_t>(reader)].operation);
  return conv != nullptr && is_pointwise(*conv) && !conv->residual ? reader : -1;
}

}  // namespace

void fuse_pyramid_pool(Graph& graph, const FusedKernels& kernels) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& first = graph.nodes[static_cast<std::size_t>(i)];
    if (!std::holds_alternative<AdaptiveAveragePool>(first.operation)) continue;
    std::vector<int> members;  // other nodes than the first pool
    PyramidPool pyramid;
    Node fused{first.name, {}, first.inputs, {}};
    for (const int pool : graph.consumers(first.inputs[0])) {
      const Node& pool_node = graph.nodes[static_cast<std::size_t>(pool)];
      const auto* average = std::get_if<AdaptiveAveragePool>(&pool_node.operation);
      if (average == nullptr) continue;
      const int stage = pointwise_reader(graph, pool_node.output());
      if (stage < 0) continue;
      const Node& stage_node = graph.nodes[static_cast<std::size_t>(stage)];
      const int last = pointwise_reader(graph, stage_node.output());
      if (last < 0) continue;
      const auto& inner = std::get<Conv>(stage_node.operation);
      const auto& outer = std::get<Conv>(graph.nodes[static_cast<std::size_t>(last)].operation);
      if (outer.activation != Activation::none) continue;
      if (members.empty() && pool != i) break;  // begins with another pool, at which it was found
      PyramidPool more = pyramid;
      more.branches.push_back({average->size, inner.weight, inner.bias, inner.activation, outer.weight, outer.bias});
      fused.operation = more;
      if (!has_kernel(kernels, graph, fused)) break;
      pyramid = std::move(more);
      if (pool != i) members.push_back(pool);
      members.insert(members.end(), {stage, last});
      fused.outputs.push_back(graph.nodes[static_cast<std::size_t>(last)].output());
    }
    if (pyramid.branches.empty()) continue;
    fused.operation = std::move(pyramid);
    graph.nodes[static_cast<std::size_t>(i)] = std::move(fused);
    std::sort(members.rbegin(), members.rend());
    for (const int member : members) erase_node(graph, member);
  }
}

}  // namespace maskrt::graph
