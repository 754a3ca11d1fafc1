// Conv(Concat(Coordinates, x)) -> Conv(x) with a coordinate term.
//
// A convolution is a sum over its input channels; the contribution of the two coordinate channels depends on the
// position alone, and both forms see zeros in the padding.
#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {

void coordinate_term(Graph& graph) {
  for (auto& node : graph.nodes) {
    auto* conv = std::get_if<Conv>(&node.operation);
    if (conv == nullptr || conv->groups != 1 || conv->coordinate_weight) continue;
    if (maker_as<Concat>(graph, node.inputs[0]) == nullptr) continue;
    const auto& parts = graph.nodes[static_cast<std::size_t>(graph.producer(node.inputs[0]))].inputs;
    if (parts.size() != 2 || maker_as<Coordinates>(graph, parts[0]) == nullptr) continue;
    const auto weight = conv->weight;
    conv->coordinate_weight = slice_inputs(weight, 0, 2);
    conv->weight = slice_inputs(weight, 2, weight->shape()[1] - 2);
    node.inputs[0] = parts[1];
  }
  graph.remove_dead_nodes();
}

}  // namespace maskrt::graph
