// Linear(map) -> Conv 1x1.
//
// On the pixels of a map both are the same product, and a convolution goes on from there: it takes residuals and its
// siblings in, and devices choose its precision and its algorithm.
#include <utility>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {

Conv as_conv(const Linear& linear) {
  const Shape& shape = linear.weight->shape();
  Conv conv;
  conv.weight = derive(linear.weight->name(), {shape[0], shape[1], 1, 1}, {linear.weight},
                       [](const std::vector<Numbers>& from) { return from[0]; });
  conv.bias = linear.bias;
  conv.activation = linear.activation;
  return conv;
}

void linear_as_conv(Graph& graph) {
  for (Node& node : graph.nodes)
    if (const auto* linear = std::get_if<Linear>(&node.operation); linear != nullptr && linear->of_map)
      node.operation = as_conv(Linear(*linear));
}

}  // namespace maskrt::graph
