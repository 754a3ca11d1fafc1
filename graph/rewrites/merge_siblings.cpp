// Conv(x), Conv'(x) -> Slice(Conv''(x)), Slice'(Conv''(x)): convolutions of one geometry over one value become one
// whose output channels are concatenated.
//
// No multiplication changes; x is read (and, with Winograd, transformed) once, and the product has more columns. The
// slices keep the values' names; where a device stores channels in blocks they are views.
#include <algorithm>
#include <utility>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

bool alike(const Conv& a, const Conv& b) {
  const auto &p = a.weight->shape(), &q = b.weight->shape();
  return p[1] == q[1] && p[2] == q[2] && p[3] == q[3] && a.stride == b.stride && a.padding == b.padding &&
         a.dilation == b.dilation && a.groups == 1 && b.groups == 1 && !a.residual && !b.residual &&
         a.activation == b.activation &&
         static_cast<bool>(a.coordinate_weight) == static_cast<bool>(b.coordinate_weight);
}

/// The rows of all constants, concatenated; a null constant counts as `rows[i]` zeros.
ConstantPtr stacked(const std::vector<ConstantPtr>& parts, const std::vector<std::int64_t>& rows) {
  const auto some = std::find_if(parts.begin(), parts.end(), [](const ConstantPtr& part) { return part != nullptr; });
  if (some == parts.end()) return nullptr;
  auto shape = (*some)->shape();
  std::string name;
  std::vector<std::size_t> sizes;
  const auto row = elements(shape) / shape[0];
  shape[0] = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    shape[0] += rows[i];
    sizes.push_back(static_cast<std::size_t>(rows[i] * row));
    name += (i == 0 ? "" : " | ") + (parts[i] ? parts[i]->name() : "zeros");
  }
  return derive(name, shape, parts, [sizes = std::move(sizes)](const std::vector<Numbers>& from) {
    Numbers all;
    for (std::size_t i = 0; i < from.size(); ++i) {
      all.insert(all.end(), from[i].begin(), from[i].end());
      if (from[i].empty()) all.insert(all.end(), sizes[i], 0.0f);
    }
    return all;
  });
}

void merge(Graph& graph, const std::vector<int>& siblings) {
  std::vector<ConstantPtr> weights, biases, coordinates;
  std::vector<std::int64_t> rows;
  std::string name;
  for (const int index : siblings) {
    const auto& node = graph.nodes[static_cast<std::size_t>(index)];
    const auto& conv = std::get<Conv>(node.operation);
    weights.push_back(conv.weight);
    biases.push_back(conv.bias);
    coordinates.push_back(conv.coordinate_weight);
    rows.push_back(conv.weight->shape()[0]);
    name += (name.empty() ? "" : " | ") + node.name;
  }
  const auto& first = graph.nodes[static_cast<std::size_t>(siblings[0])];
  Conv merged = std::get<Conv>(first.operation);
  merged.weight = stacked(weights, rows);
  merged.bias = stacked(biases, rows);
  merged.coordinate_weight = stacked(coordinates, rows);
  const auto value =
      insert_node(graph, static_cast<std::size_t>(siblings[0]), name, std::move(merged), {first.inputs[0]});
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < siblings.size(); begin += rows[i], ++i) {
    auto& node = graph.nodes[static_cast<std::size_t>(siblings[i] + 1)];  // the merged convolution precedes all of them
    node.operation = Slice{begin, rows[i]};
    node.inputs = {value};
  }
}

}  // namespace

void merge_siblings(Graph& graph) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto* conv = std::get_if<Conv>(&graph.nodes[i].operation);
    if (conv == nullptr) continue;
    std::vector<int> siblings;
    auto channels = std::int64_t{0};
    for (const int reader : graph.consumers(graph.nodes[i].inputs[0])) {
      const auto& node = graph.nodes[static_cast<std::size_t>(reader)];
      const auto* other = std::get_if<Conv>(&node.operation);
      if (reader < static_cast<int>(i) || other == nullptr || !alike(*conv, *other)) continue;
      if (channels + other->weight->shape()[0] > limits::kChannels) break;
      channels += other->weight->shape()[0];
      siblings.push_back(reader);
    }
    if (siblings.size() > 1) merge(graph, siblings);
  }
}

}  // namespace maskrt::graph
