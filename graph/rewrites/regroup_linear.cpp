// Linear(Regroup(x)) -> LinearHeads(x) that reads x in the regrouping's order.
//
// A regrouping only permutes the elements of its input, so a kernel that reads rows in segments can address them in
// place.
#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {

void regroup_linear(Graph& graph, const FusedKernels& kernels) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& node = graph.nodes[static_cast<std::size_t>(i)];
    const auto* linear = std::get_if<Linear>(&node.operation);
    if (linear == nullptr || only_reader(graph, node.inputs[0]) != i) continue;
    const auto* regroup = maker_as<Regroup>(graph, node.inputs[0]);
    if (regroup == nullptr) continue;
    const int maker = graph.producer(node.inputs[0]);
    Node fused = node;
    fused.operation = LinearHeads{{*linear}, regroup->blocks, regroup->instances};
    fused.inputs = graph.nodes[static_cast<std::size_t>(maker)].inputs;
    if (!has_kernel(kernels, graph, fused)) continue;
    graph.nodes[static_cast<std::size_t>(i)] = std::move(fused);
    erase_node(graph, maker);
    --i;
  }
}

}  // namespace maskrt::graph
