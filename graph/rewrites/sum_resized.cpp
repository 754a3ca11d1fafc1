// y + Resize(a, b, ..) -> Resize(a, b, .., y): a map of the size wanted is its own resize.
#include <algorithm>
#include <utility>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {

void sum_resized(Graph& graph) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    if (!std::holds_alternative<Add>(graph.nodes[static_cast<std::size_t>(i)].operation)) continue;
    const std::vector<ValueId> terms = graph.nodes[static_cast<std::size_t>(i)].inputs;
    for (const auto& [y, resized] : {std::pair(terms[0], terms[1]), std::pair(terms[1], terms[0])}) {
      const auto* resize = maker_as<ResizeBilinear>(graph, resized);
      if (resize == nullptr || resize->factor != 0 || only_reader(graph, resized) != i) continue;
      const int maker = graph.producer(resized);
      std::vector<ValueId> inputs = graph.nodes[static_cast<std::size_t>(maker)].inputs;
      if (inputs.size() + 1 > limits::kInputs) continue;
      inputs.back() = y;
      inputs.push_back(y);
      Node& sum = graph.nodes[static_cast<std::size_t>(i)];
      sum.operation = ResizeBilinear{};
      sum.inputs = std::move(inputs);
      erase_node(graph, maker);
      --i;
      break;
    }
  }
}

}  // namespace maskrt::graph
