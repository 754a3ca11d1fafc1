// Linear(x), Linear'(x), ... -> LinearHeads(x): linear layers on one list become one operation of several outputs.
//
// No multiplication changes; one launch replaces several, each too small to fill a GPU. Where there are more layers
// than a kernel's limit, each group of that many becomes one operation.
#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {

void fuse_linear_heads(Graph& graph, const FusedKernels& kernels) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& first = graph.nodes[static_cast<std::size_t>(i)];
    if (!std::holds_alternative<Linear>(first.operation)) continue;
    std::vector<int> members;
    LinearHeads heads;
    Node fused{first.name, {}, first.inputs, {}};
    for (const int reader : graph.consumers(first.inputs[0])) {
      const Node& node = graph.nodes[static_cast<std::size_t>(reader)];
      const auto* linear = std::get_if<Linear>(&node.operation);
      if (linear == nullptr) continue;
      LinearHeads more = heads;
      more.heads.push_back(*linear);
      fused.operation = more;
      if (!has_kernel(kernels, graph, fused)) break;
      heads = std::move(more);
      members.push_back(reader);
      fused.outputs.push_back(node.output());
    }
    if (members.size() < 2) continue;
    fused.operation = std::move(heads);
    graph.nodes[static_cast<std::size_t>(i)] = std::move(fused);
    for (std::size_t k = members.size(); --k > 0;) erase_node(graph, members[k]);
  }
}

}  // namespace maskrt::graph
