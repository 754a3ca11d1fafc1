#include "precision_plan.h"

#include <algorithm>

namespace maskrt::cuda {
namespace {

/// Whether a convolution makes the value, and deformable convolutions alone read it, as their offsets.
bool is_offsets(const graph::Graph& graph, graph::ValueId value) {
  const int maker = graph.producer(value);
  if (maker < 0) return false;
  const auto* conv = std::get_if<graph::Conv>(&graph.nodes[static_cast<std::size_t>(maker)].operation);
  if (conv == nullptr || conv->residual) return false;
  const std::vector<int> readers = graph.consumers(value);
  return !readers.empty() && std::all_of(readers.begin(), readers.end(), [&](int reader) {
    const graph::Node& node = graph.nodes[static_cast<std::size_t>(reader)];
    return std::holds_alternative<graph::DeformConv>(node.operation) && node.inputs[0] != value;
  });
}

/// Whether nobody but callers reads the value, and a scaling by channel makes it, whose kernel stores fp32 as well.
bool is_for_callers(const graph::Graph& graph, graph::ValueId value) {
  const int maker = graph.producer(value);
  return maker >= 0 && graph.is_output(value) && graph.consumers(value).empty() &&
         std::holds_alternative<graph::BatchNorm>(graph.nodes[static_cast<std::size_t>(maker)].operation);
}

/// Whether a linear layer makes a list and attention alone reads it, as keys or values of a map's queries on tensor
/// cores.
bool is_asked_by_maps(const graph::Graph& graph, const std::vector<graph::Extent>& extents, graph::ValueId value) {
  const int maker = graph.producer(value);
  if (maker < 0 || graph.is_output(value) || !extents[static_cast<std::size_t>(value)].list) return false;
  const graph::Operation& made_by = graph.nodes[static_cast<std::size_t>(maker)].operation;
  if (!std::holds_alternative<graph::Linear>(made_by) && !std::holds_alternative<graph::LinearHeads>(made_by))
    return false;
  const std::vector<int> readers = graph.consumers(value);
  return !readers.empty() && std::all_of(readers.begin(), readers.end(), [&](int reader) {
    const graph::Node& node = graph.nodes[static_cast<std::size_t>(reader)];
    const auto* attention = std::get_if<graph::Attention>(&node.operation);
    if (attention == nullptr) return false;
    const graph::Extent& queries = extents[static_cast<std::size_t>(node.inputs[0])];
    const std::int64_t width = queries.channels / attention->heads;
    return !queries.list && queries.channels % 8 == 0 && width % 8 == 0 && width <= 128 && node.inputs[0] != value;
  });
}

/// The same of both, keys and values: they are stored alike.
bool is_asked_by_maps_in_pairs(const graph::Graph& graph, const std::vector<graph::Extent>& extents,
                               graph::ValueId value) {
  if (!is_asked_by_maps(graph, extents, value)) return false;
  const std::vector<int> readers = graph.consumers(value);
  return std::all_of(readers.begin(), readers.end(), [&](int reader) {
    const std::vector<graph::ValueId>& inputs = graph.nodes[static_cast<std::size_t>(reader)].inputs;
    return is_asked_by_maps(graph, extents, inputs[1]) && is_asked_by_maps(graph, extents, inputs[2]);
  });
}

}  // namespace

PrecisionPlan uniform_plan(const graph::Graph& graph, const std::vector<graph::Extent>& extents, Precision precision) {
  PrecisionPlan plan;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const graph::Extent& extent = extents[i];
    const auto value = static_cast<graph::ValueId>(i);
    const bool f32 = (extent.list && !is_asked_by_maps_in_pairs(graph, extents, value)) || is_offsets(graph, value) ||
                     is_for_callers(graph, value);
    plan.value.push_back(extent.element == graph::Element::integer ? DataType::i32
                         : f32                                     ? DataType::f32
                                                                   : stored_in(precision));
  }
  plan.node.assign(graph.nodes.size(), precision);
  return plan;
}

}  // namespace maskrt::cuda
