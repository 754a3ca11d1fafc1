// Shapes once batch, height and width are known, and what each node costs at them.
#include <string>

#include "graph.h"

namespace maskrt::graph {
namespace {

Extent output_of(const Node& node, const InputExtents& inputs) {
  const Extent out = std::visit([&](const auto& op) { return op.extent(inputs); }, node.operation);
  const bool in_bounds = out.batch >= 1 && out.batch <= limits::batch && out.height >= 1 &&
                         out.height <= limits::side && out.width >= 1 && out.width <= limits::side &&
                         out.channels >= 1 && out.channels <= limits::channels &&
                         static_cast<double>(out.batch) * static_cast<double>(out.height) *
                                 static_cast<double>(out.width) * static_cast<double>(out.channels) <=
                             static_cast<double>(limits::elements);
  if (!in_bounds)
    inputs.fail("expected an output of at least 1 and at most 2^40 elements, found shape " + to_text(out));
  return out;
}

}  // namespace

std::vector<Extent> infer_extents(const Graph& graph, std::int64_t batch, std::int64_t height, std::int64_t width) {
  check(graph);
  const auto in_range = [](std::int64_t n, std::int64_t most) { return n >= 1 && n <= most; };
  const auto channels = std::get<Input>(graph.nodes[0].operation).channels;
  if (!in_range(batch, limits::batch) || !in_range(height, limits::side) || !in_range(width, limits::side) ||
      static_cast<double>(batch) * static_cast<double>(height) * static_cast<double>(width) *
              static_cast<double>(channels) >
          static_cast<double>(limits::elements))
    throw Error("expected an input of at least 1 and at most 2^40 elements, found shape " +
                to_string(Shape{batch, height, width, channels}));
  std::vector<Extent> extents(graph.values.size());
  extents[static_cast<std::size_t>(graph.nodes[0].output)] = {batch, height, width, channels};
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    const auto& node = graph.nodes[i];
    extents[static_cast<std::size_t>(node.output)] = output_of(node, {graph, node, extents});
  }
  return extents;
}

Cost cost_of(const Graph& graph, const Node& node, const std::vector<Extent>& extents, std::size_t element) {
  const InputExtents inputs(graph, node, extents);
  const Extent& output = extents[static_cast<std::size_t>(node.output)];
  const auto out = static_cast<double>(output.elements());
  double moved = out;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Reads reads = std::visit([&](const auto& op) { return op.reads(i, node.inputs.size()); }, node.operation);
    if (reads != Reads::size) moved += reads == Reads::part ? out : inputs.elements(i);
  }
  for (const ConstantPtr& constant : constants_of(node.operation))
    moved += static_cast<double>(elements(constant->shape()));
  const double flops = std::visit([&](const auto& op) { return op.flops(inputs, output); }, node.operation);
  return {flops, moved * static_cast<double>(element)};
}

}  // namespace maskrt::graph
