#include "list_runs.h"

#include <algorithm>
#include <numeric>

#include "kernels/activation.h"
#include "kernels/lists/list_program_params.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cuda {
namespace {

using Tile = kernels::cuda::ListTile;

/// Whether the kernel's steps for an operation take lists of these extents, which are stored dense.
struct Takes {
  const graph::Node& node;
  const std::vector<graph::Extent>& extents;

  const graph::Extent& in(std::size_t i) const { return extents[static_cast<std::size_t>(node.inputs[i])]; }
  const graph::Extent& out() const { return extents[static_cast<std::size_t>(node.outputs[0])]; }

  bool operator()(const graph::Linear& op) const {
    return !op.of_map && in(0).channels % 32 == 0 && kernels::is_short(kernel_activation(op.activation));
  }
  bool operator()(const graph::LinearHeads& op) const {
    return op.blocks == 0 &&
           std::all_of(op.heads.begin(), op.heads.end(), [this](const graph::Linear& head) { return (*this)(head); });
  }
  bool operator()(const graph::Add&) const { return has_rows(); }
  bool operator()(const graph::LayerNorm& op) const { return op.activation == graph::Activation::none && has_rows(); }
  bool operator()(const graph::ConcatRows&) const { return has_rows(); }
  bool operator()(const graph::SliceRows&) const { return has_rows(); }
  bool operator()(const graph::GatherPositions&) const { return has_rows(); }
  bool operator()(const graph::Attention& op) const {
    const std::int64_t width = in(0).channels / op.heads;
    return !op.masked && in(2).channels == in(0).channels && width % 8 == 0 && width <= Tile::kMostWidth &&
           in(1).height <= Tile::kMostKeys;
  }
  bool operator()(const auto&) const { return false; }

  /// In whole eights, whose rows are dense whoever reads them.
  bool has_rows() const { return out().channels % 8 == 0 && out().channels <= Tile::kMostChannels; }
};

}  // namespace

bool is_of_lists(const graph::Node& node, const std::vector<graph::Extent>& extents, Precision precision,
                 const kernels::Chip& chip) {
  const auto is_list = [&](graph::ValueId value) { return extents[static_cast<std::size_t>(value)].list; };
  // What rows are gathered of may be a map.
  const std::size_t maps = std::holds_alternative<graph::GatherPositions>(node.operation) ? 1 : 0;
  return chip.path() == kernels::KernelPath::sm90a && precision == Precision::fp16 && !node.inputs.empty() &&
         std::all_of(node.inputs.begin() + static_cast<std::ptrdiff_t>(maps), node.inputs.end(), is_list) &&
         is_list(node.outputs[0]) && std::visit(Takes{node, extents}, node.operation);
}

std::size_t list_steps_of(const graph::Node& node) {
  if (std::holds_alternative<graph::SliceRows>(node.operation)) return 0;
  if (const auto* heads = std::get_if<graph::LinearHeads>(&node.operation)) return heads->heads.size();
  if (std::holds_alternative<graph::ConcatRows>(node.operation)) return node.inputs.size();
  return 1;
}

std::vector<ListRun> list_runs(const graph::Graph& graph, const std::vector<graph::Extent>& extents,
                               const PrecisionPlan& precision, const kernels::Chip& chip) {
  // A launch of its own fills the chip, which a program does not: a few steps are faster alone.
  constexpr std::size_t fewest_steps = 4;
  std::vector<ListRun> runs;
  const int count = static_cast<int>(graph.nodes.size());
  for (int first = 0, end = 0; first < count; first = std::max(end, first + 1)) {
    std::size_t steps = 0;
    for (end = first; end < count; ++end) {
      const graph::Node& node = graph.nodes[static_cast<std::size_t>(end)];
      if (!is_of_lists(node, extents, precision.node[static_cast<std::size_t>(end)], chip)) break;
      steps += list_steps_of(node);
    }
    if (steps >= fewest_steps) runs.push_back({first, end});
  }
  return runs;
}

graph::Graph with_lists_together(const graph::Graph& graph, const std::vector<graph::Extent>& extents,
                                 const PrecisionPlan& precision, const kernels::Chip& chip) {
  // A node's place: how often, on the longest way to it, lists follow on something else, and whether it is of lists,
  // which come first. Whatever a node reads has a smaller place or the same; nodes of one place keep their order.
  const std::size_t count = graph.nodes.size();
  std::vector<int> place_of_value(graph.values.size(), 0), place(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const graph::Node& node = graph.nodes[i];
    int latest = 0;
    for (const graph::ValueId input : node.inputs)
      latest = std::max(latest, place_of_value[static_cast<std::size_t>(input)]);
    const bool lists = is_of_lists(node, extents, precision.node[i], chip);
    place[i] = latest + (lists != (latest % 2 != 0) ? 1 : 0);
    for (const graph::ValueId output : node.outputs) place_of_value[static_cast<std::size_t>(output)] = place[i];
  }
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return place[a] < place[b]; });
  graph::Graph ordered = graph;
  for (std::size_t i = 0; i < count; ++i) ordered.nodes[i] = graph.nodes[order[i]];
  return ordered;
}

}  // namespace maskrt::cuda
