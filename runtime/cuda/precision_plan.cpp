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

}  // namespace

PrecisionPlan uniform_plan(const graph::Graph& graph, const std::vector<graph::Extent>& extents, Precision precision) {
  PrecisionPlan plan;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const graph::Extent& extent = extents[i];
    const auto value = static_cast<graph::ValueId>(i);
    const bool f32 = extent.list || is_offsets(graph, value) || is_for_callers(graph, value);
    plan.value.push_back(extent.element == graph::Element::integer ? DataType::i32
                         : f32                                     ? DataType::f32
                                                                   : stored_in(precision));
  }
  plan.node.assign(graph.nodes.size(), precision);
  return plan;
}

}  // namespace maskrt::cuda
