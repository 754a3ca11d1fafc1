// Conv(Slice(x)), Conv'(Slice'(x)) -> Slice(Conv''(x)), Slice'(Conv''(x)): two convolutions of one shape over the
// halves of one value become one of two groups.
//
// No multiplication changes. One launch has twice the tiles, which fill a wide chip better; a processor with few cores
// gains nothing, so this rewrite runs on request only. The slices keep the values' names, and the next pair reads the
// two halves of the new convolution's output.
#include <algorithm>
#include <utility>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

bool alike(const Conv& a, const Conv& b) {
  const auto plain = [](const Conv& conv) {
    return conv.groups == 1 && !conv.residual && !conv.coordinate_weight &&
           2 * conv.weight->shape()[0] <= limits::kChannels;
  };
  return plain(a) && plain(b) && a.weight->shape() == b.weight->shape() && a.stride == b.stride &&
         a.padding == b.padding && a.dilation == b.dilation && a.activation == b.activation &&
         static_cast<bool>(a.bias) == static_cast<bool>(b.bias);
}

ConstantPtr stacked(const ConstantPtr& a, const ConstantPtr& b) {
  if (a == nullptr) return nullptr;
  Shape shape = a->shape();
  shape[0] *= 2;
  return derive(a->name() + " | " + b->name(), shape, {a, b}, [](const std::vector<Numbers>& from) {
    Numbers all = from[0];
    all.insert(all.end(), from[1].begin(), from[1].end());
    return all;
  });
}

/// The slice that a convolution alone reads, or null.
const Node* slice_under(const Graph& graph, int conv) {
  const ValueId value = graph.nodes[static_cast<std::size_t>(conv)].inputs[0];
  const int slice = graph.producer(value);
  if (slice < 0 || only_reader(graph, value) != conv) return nullptr;
  const Node& node = graph.nodes[static_cast<std::size_t>(slice)];
  return std::holds_alternative<Slice>(node.operation) ? &node : nullptr;
}

/// Channels of a convolution's value; 0 for other values.
std::int64_t channels_of(const Graph& graph, ValueId value) {
  const int node = graph.producer(value);
  const Conv* conv = node < 0 ? nullptr : std::get_if<Conv>(&graph.nodes[static_cast<std::size_t>(node)].operation);
  return conv == nullptr ? 0 : conv->weight->shape()[0];
}

/// The convolution that makes a pair with node `first`, which reads the lower half of a value; -1 where there is none.
int partner_of(const Graph& graph, int first) {
  const Node& node = graph.nodes[static_cast<std::size_t>(first)];
  const Node* lower = slice_under(graph, first);
  if (lower == nullptr) return -1;
  const Slice& low = std::get<Slice>(lower->operation);
  const ValueId whole = lower->inputs[0];
  if (low.begin != 0 || channels_of(graph, whole) != 2 * low.count) return -1;
  for (int other = 0; other < static_cast<int>(graph.nodes.size()); ++other) {
    const Conv* conv = std::get_if<Conv>(&graph.nodes[static_cast<std::size_t>(other)].operation);
    if (other == first || conv == nullptr) continue;
    const Node* upper = slice_under(graph, other);
    if (upper == nullptr || upper->inputs[0] != whole) continue;
    if (std::get<Slice>(upper->operation).begin == low.count && alike(std::get<Conv>(node.operation), *conv))
      return other;
  }
  return -1;
}

void pair(Graph& graph, int lower, int upper) {
  const Node &a = graph.nodes[static_cast<std::size_t>(lower)], &b = graph.nodes[static_cast<std::size_t>(upper)];
  const Conv &first = std::get<Conv>(a.operation), &second = std::get<Conv>(b.operation);
  const std::int64_t rows = first.weight->shape()[0];
  Conv both = first;
  both.weight = stacked(first.weight, second.weight);
  both.bias = stacked(first.bias, second.bias);
  both.groups = 2;
  const ValueId whole = graph.nodes[static_cast<std::size_t>(graph.producer(a.inputs[0]))].inputs[0];
  const int place = std::min(lower, upper);
  const ValueId value = insert_node(graph, static_cast<std::size_t>(place), a.name + " | " + b.name, both, {whole});
  for (const auto& [index, begin] : {std::pair{lower, std::int64_t{0}}, {upper, rows}}) {
    Node& node = graph.nodes[static_cast<std::size_t>(index + 1)];  // the new convolution precedes both
    node.operation = Slice{begin, rows};
    node.inputs = {value};
  }
}

}  // namespace

void pair_convs(Graph& graph) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    if (!std::holds_alternative<Conv>(graph.nodes[static_cast<std::size_t>(i)].operation)) continue;
    const int partner = partner_of(graph, i);
    if (partner >= 0) pair(graph, i, partner);
  }
  graph.remove_dead_nodes();
}

}  // namespace maskrt::graph
