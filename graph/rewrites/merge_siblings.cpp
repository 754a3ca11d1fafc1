// Conv(x), Conv'(x) -> Slice(Conv''(x)), Slice'(Conv''(x)): convolutions of one geometry over one value become one
// whose output channels are concatenated.
//
// No multiplication changes; x is read (and, with Winograd, transformed) once, and the product has more columns. The
// slices keep the values' names; where a device stores channels in blocks they are views. Where some add a constant map
// as their residual, the merged one adds all of these, and zeros for the others.
#include <algorithm>
#include <utility>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

/// The constant map that a pointwise convolution adds as its residual; null where it adds another, or none.
ConstantPtr added_map(Graph& graph, const Node& node) {
  const auto& conv = std::get<Conv>(node.operation);
  if (!conv.residual || conv.residual_scale != 1 || !is_pointwise(conv)) return nullptr;
  const auto* map = maker_as<ParameterMap>(graph, node.inputs[1]);
  return map == nullptr ? nullptr : map->value;
}

bool have_alike_residuals(Graph& graph, const Node& first, const Node& second) {
  const ConstantPtr maps[] = {added_map(graph, first), added_map(graph, second)};
  for (const auto& [node, map] : {std::pair(&first, maps[0]), std::pair(&second, maps[1])})
    if (std::get<Conv>(node->operation).residual && map == nullptr) return false;
  if (maps[0] == nullptr || maps[1] == nullptr)
    return is_pointwise(std::get<Conv>(first.operation)) || (maps[0] == nullptr && maps[1] == nullptr);
  return maps[0]->shape()[2] == maps[1]->shape()[2] && maps[0]->shape()[3] == maps[1]->shape()[3];
}

bool alike(Graph& graph, const Node& first, const Node& second) {
  const auto &a = std::get<Conv>(first.operation), &b = std::get<Conv>(second.operation);
  const auto &p = a.weight->shape(), &q = b.weight->shape();
  return p[1] == q[1] && p[2] == q[2] && p[3] == q[3] && a.stride == b.stride && a.padding == b.padding &&
         a.dilation == b.dilation && a.groups == 1 && b.groups == 1 && have_alike_residuals(graph, first, second) &&
         a.activation == b.activation &&
         static_cast<bool>(a.coordinate_weight) == static_cast<bool>(b.coordinate_weight);
}

/// All constants along dimension `axis`, one after the other, where those before it are 1; a null constant counts as
/// `counts[i]` zeros of the others' other extents. Null where all are.
ConstantPtr stacked(const std::vector<ConstantPtr>& parts, const std::vector<std::int64_t>& counts,
                    std::size_t axis = 0) {
  const auto some = std::find_if(parts.begin(), parts.end(), [](const ConstantPtr& part) { return part != nullptr; });
  if (some == parts.end()) return nullptr;
  auto shape = (*some)->shape();
  std::string name;
  std::vector<std::size_t> sizes;
  const auto one = elements(shape) / shape[axis];
  shape[axis] = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    shape[axis] += counts[i];
    sizes.push_back(static_cast<std::size_t>(counts[i] * one));
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
  std::vector<ConstantPtr> weights, biases, coordinates, maps;
  std::vector<std::int64_t> rows;
  std::string name;
  for (const int index : siblings) {
    const auto& node = graph.nodes[static_cast<std::size_t>(index)];
    const auto& conv = std::get<Conv>(node.operation);
    weights.push_back(conv.weight);
    biases.push_back(conv.bias);
    coordinates.push_back(conv.coordinate_weight);
    maps.push_back(added_map(graph, node));
    rows.push_back(conv.weight->shape()[0]);
    name += (name.empty() ? "" : " | ") + node.name;
  }
  const auto& first = graph.nodes[static_cast<std::size_t>(siblings[0])];
  Conv merged = std::get<Conv>(first.operation);
  merged.weight = stacked(weights, rows);
  merged.bias = stacked(biases, rows);
  merged.coordinate_weight = stacked(coordinates, rows);
  auto place = static_cast<std::size_t>(siblings[0]);
  std::vector<ValueId> inputs = {first.inputs[0]};
  if (const ConstantPtr map = stacked(maps, rows, 1)) {
    merged.residual = true;
    inputs.push_back(insert_node(graph, place++, name + ".map", ParameterMap{map}, inputs));
  }
  const auto value = insert_node(graph, place, name, std::move(merged), inputs);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < siblings.size(); begin += rows[i], ++i) {
    // What was inserted precedes all of them.
    auto& node = graph.nodes[static_cast<std::size_t>(siblings[i]) + place + 1 - static_cast<std::size_t>(siblings[0])];
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
      if (reader < static_cast<int>(i) || other == nullptr || node.inputs[0] != graph.nodes[i].inputs[0] ||
          !alike(graph, graph.nodes[i], node))
        continue;
      if (channels + other->weight->shape()[0] > limits::kChannels) break;
      channels += other->weight->shape()[0];
      siblings.push_back(reader);
    }
    if (siblings.size() > 1) merge(graph, siblings);
  }
  graph.remove_dead_nodes();
}

}  // namespace maskrt::graph
