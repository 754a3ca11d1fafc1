// Aggregate(NormaliseMaps(sigmoid(x)), f) -> AggregateLogits(x, f), and Aggregate(SoftmaxMaps(x), f) likewise.
//
// Dividing a map before the product equals dividing its row after it, so the sums over positions become an extra column
// of the product, and neither the activated nor the divided maps are stored.
#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {

void fuse_iam(Graph& graph) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    auto& node = graph.nodes[static_cast<std::size_t>(i)];
    if (!std::holds_alternative<Aggregate>(node.operation)) continue;
    const auto maps = node.inputs[0];
    if (only_reader(graph, maps) != i) continue;
    const int maker = graph.producer(maps);
    const auto before = graph.nodes[static_cast<std::size_t>(maker)].inputs;
    if (maker_as<SoftmaxMaps>(graph, maps) != nullptr) {
      node.operation = AggregateLogits{true};
      node.inputs[0] = before[0];
    } else if (const auto* normaliser = maker_as<NormaliseMaps>(graph, maps)) {
      const auto* activate = maker_as<Activate>(graph, before[0]);
      if (activate == nullptr || activate->activation != Activation::sigmoid || only_reader(graph, before[0]) != maker)
        continue;
      node.operation = AggregateLogits{false, normaliser->epsilon};
      node.inputs[0] = graph.nodes[static_cast<std::size_t>(graph.producer(before[0]))].inputs[0];
    } else {
      continue;
    }
    erase_node(graph, maker);
    --i;
  }
  graph.remove_dead_nodes();
}

}  // namespace maskrt::graph
