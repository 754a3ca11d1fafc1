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

}  // namespace

PrecisionPlan uniform_plan(const graph::Graph& graph, const std::vector<graph::Extent>& extents, Precision precision) {
  PrecisionPlan plan;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const graph::Extent& extent = extents[i];
    const bool f32 = extent.list || is_offsets(graph, static_cast<graph::ValueId>(i));
    plan.value.push_back(extent.element == graph::Element::integer ? DataType::i32
                         : f32                                     ? DataType::f32
                                                                   : stored_in(precision));
  }
  plan.node.assign(graph.nodes.size(), precision);
  return plan;
}

}  // namespace maskrt::cuda
