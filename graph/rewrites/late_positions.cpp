// Conv(x + P) -> Conv(x) + W P, P a constant map and the convolution W pointwise.
//
// The convolution is linear, and mixing channels commutes with the bilinear resize of P: W P is the resize of a smaller
// constant's product, made once. The sum with the positions becomes the convolution's residual.
#include <memory>
#include <utility>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

/// weight [O, I, 1, 1] times map [1, I, h, w]: [1, O, h, w].
ConstantPtr product(const ConstantPtr& weight, const ConstantPtr& map) {
  Shape shape = map->shape();
  const auto out = static_cast<std::size_t>(weight->shape()[0]), in = static_cast<std::size_t>(shape[1]);
  shape[1] = weight->shape()[0];
  return derive(weight->name() + " * " + map->name(), shape, {weight, map},
                [out, in, pixels = static_cast<std::size_t>(shape[2] * shape[3])](const std::vector<Numbers>& from) {
                  return matrix_product(from[0], from[1], out, in, pixels);
                });
}

}  // namespace

void late_positions(Graph& graph) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto* conv = std::get_if<Conv>(&graph.nodes[i].operation);
    if (conv == nullptr || !is_pointwise(*conv) || conv->residual) continue;
    const ValueId sum = graph.nodes[i].inputs[0];
    if (maker_as<Add>(graph, sum) == nullptr || only_reader(graph, sum) != static_cast<int>(i)) continue;
    const int adder = graph.producer(sum);
    const std::vector<ValueId> terms = graph.nodes[static_cast<std::size_t>(adder)].inputs;
    for (const auto& [x, positions] : {std::pair(terms[0], terms[1]), std::pair(terms[1], terms[0])}) {
      const auto* map = maker_as<ParameterMap>(graph, positions);
      if (map == nullptr || maker_as<ParameterMap>(graph, x) != nullptr) continue;
      ParameterMap mixed{product(conv->weight, map->value)};
      const std::string name = graph.nodes[i].name + ".positions";
      const ValueId added = insert_node(graph, i, name, std::move(mixed), {x});
      Node& moved = graph.nodes[i + 1];
      std::get<Conv>(moved.operation).residual = true;
      moved.inputs = {x, added};
      erase_node(graph, adder);
      break;
    }
  }
  graph.remove_dead_nodes();
}

}  // namespace maskrt::graph
