// Shapes once batch, height and width are known, and what each node costs at them.
#include <string>

#include "graph.h"

namespace maskrt::graph {
namespace {

std::vector<Extent> outputs_of(const Node& node, const InputExtents& inputs) {
  return std::visit(
      [&]<Op Kind>(const Kind& op) -> std::vector<Extent> {
        if constexpr (MakesSeveral<Kind>) {
          return op.extents(inputs);
        } else {
          return {op.extent(inputs)};
        }
      },
      node.operation);
}

/// Numbers where the operation reads numbers, and integers where it reads those.
void check_elements(const Node& node, const InputExtents& inputs) {
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Reads reads = reads_of(node, i);
    const Element wanted = reads == Reads::integers ? Element::integer : Element::number;
    if (reads != Reads::size && inputs[i].element != wanted)
      inputs.fail(std::string("expected ") + (wanted == Element::integer ? "integers" : "numbers") + ", found " +
                  inputs.described(i));
  }
}

void check_bounds(const Extent& out, const InputExtents& inputs) {
  const bool in_bounds = out.batch >= 1 && out.batch <= limits::kBatch && out.height >= 1 &&
                         out.height <= limits::kSide && out.width >= 1 && out.width <= limits::kSide &&
                         out.channels >= 1 && out.channels <= limits::kChannels &&
                         static_cast<double>(out.batch) * static_cast<double>(out.height) *
                                 static_cast<double>(out.width) * static_cast<double>(out.channels) <=
                             static_cast<double>(limits::kElements);
  if (!in_bounds)
    inputs.fail("expected an output of at least 1 and at most 2^40 elements, found shape " + to_text(out));
}

/// The extents of the node's outputs, which stand in `extents` as those of its inputs do.
std::vector<Extent> known_outputs(const Node& node, const std::vector<Extent>& extents) {
  std::vector<Extent> outputs;
  for (const ValueId value : node.outputs) outputs.push_back(extents[static_cast<std::size_t>(value)]);
  return outputs;
}

}  // namespace

std::vector<Extent> infer_extents(const Graph& graph, std::int64_t batch, std::int64_t height, std::int64_t width) {
  check(graph);
  const auto in_range = [](std::int64_t n, std::int64_t most) { return n >= 1 && n <= most; };
  const auto channels = std::get<Input>(graph.nodes[0].operation).channels;
  if (!in_range(batch, limits::kBatch) || !in_range(height, limits::kSide) || !in_range(width, limits::kSide) ||
      static_cast<double>(batch) * static_cast<double>(height) * static_cast<double>(width) *
              static_cast<double>(channels) >
          static_cast<double>(limits::kElements))
    throw Error("expected an input of at least 1 and at most 2^40 elements, found shape " +
                to_string(Shape{batch, height, width, channels}));
  std::vector<Extent> extents(graph.values.size());
  extents[static_cast<std::size_t>(graph.nodes[0].output())] = {batch, height, width, channels};
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    const auto& node = graph.nodes[i];
    const InputExtents inputs(graph, node, extents);
    check_elements(node, inputs);
    const std::vector<Extent> outputs = outputs_of(node, inputs);
    if (outputs.size() != node.outputs.size())
      inputs.fail("expected extents of its " + std::to_string(node.outputs.size()) + " outputs, found " +
                  std::to_string(outputs.size()));
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      check_bounds(outputs[k], inputs);
      extents[static_cast<std::size_t>(node.outputs[k])] = outputs[k];
    }
  }
  return extents;
}

double bytes_of(const Extent& extent, std::size_t element) {
  return static_cast<double>(extent.elements()) *
         static_cast<double>(extent.element == Element::integer ? size_of(DataType::i32) : element);
}

Cost cost_of(const Graph& graph, const Node& node, const std::vector<Extent>& extents, std::size_t element) {
  const InputExtents inputs(graph, node, extents);
  const std::vector<Extent> outputs = known_outputs(node, extents);
  double out = 0;
  for (const Extent& output : outputs) out += bytes_of(output, element);
  double bytes = out;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Reads reads = reads_of(node, i);
    if (reads != Reads::size) bytes += reads == Reads::part ? out : bytes_of(inputs[i], element);
  }
  for (const ConstantPtr& constant : constants_of(node.operation))
    bytes += static_cast<double>(elements(constant->shape())) * static_cast<double>(element);
  const double flops = std::visit(
      [&]<Op Kind>(const Kind& op) {
        if constexpr (MakesSeveral<Kind>) {
          return op.flops(inputs, outputs);
        } else {
          return op.flops(inputs, outputs.at(0));
        }
      },
      node.operation);
  return {flops, bytes};
}

}  // namespace maskrt::graph
