#include "last_resize.h"

namespace maskrt::cuda {

int last_resize(const graph::Graph& graph) {
  const graph::ValueId value = graph.find("mask_logits");
  if (value < 0 || !graph.is_output(value)) return -1;
  const int node = graph.producer(value);
  const auto* resize = std::get_if<graph::ResizeBilinear>(&graph.nodes[static_cast<std::size_t>(node)].operation);
  return resize != nullptr && resize->factor == 2 ? node : -1;
}

}  // namespace maskrt::cuda
