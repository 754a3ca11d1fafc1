// Conv1x1(Concat(Resize(a), Resize(b), c)) -> Conv1x1(c) with residual Resize(Conv1x1(a), Conv1x1(b)).
//
// A 1x1 convolution mixes channels and a bilinear resize mixes positions, so they commute; and a convolution over
// concatenated channels is the sum of convolutions over each. Every term then runs at its own, smaller resolution. The
// bias belongs to one term; it passes through a resize unchanged, because bilinear weights sum to 1.
#include <optional>
#include <utility>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

/// One input of the concat.
struct Part {
  ValueId value = -1;  ///< at its own resolution
  ValueId like = -1;   ///< the value whose size it is resized to; -1 where it is not resized
  std::int64_t begin = 0, count = 0;
};

/// The inputs of the concat that only the node at `conv` reads; empty where the pattern does not match.
std::optional<std::vector<Part>> parts_of(Graph& graph, int conv, const std::vector<Extent>& extents) {
  const auto joined = graph.nodes[static_cast<std::size_t>(conv)].inputs[0];
  if (maker_as<Concat>(graph, joined) == nullptr || only_reader(graph, joined) != conv) return {};
  const int concat = graph.producer(joined);
  std::vector<Part> parts;
  std::int64_t begin = 0;
  std::size_t plain = 0;
  for (const auto input : graph.nodes[static_cast<std::size_t>(concat)].inputs) {
    Part part{input, -1, begin, extents[static_cast<std::size_t>(input)].channels};
    begin += part.count;
    const auto* resize = maker_as<ResizeBilinear>(graph, input);
    if (resize != nullptr && resize->factor == 0 && only_reader(graph, input) == concat) {
      const auto& sources = graph.nodes[static_cast<std::size_t>(graph.producer(input))].inputs;
      if (sources.size() == 2) {
        part.value = sources[0];
        part.like = sources[1];
      }
    }
    if (part.like < 0) ++plain;
    parts.push_back(part);
  }
  if (plain > 1 || plain == parts.size()) return {};
  return parts;
}

bool is_less_work(const std::vector<Part>& parts, const Extent& out, const std::vector<Extent>& extents) {
  constexpr double resize_flops = 8;  // four corners, as cost_of counts
  const auto pixels = [](const Extent& e) { return static_cast<double>(e.height * e.width); };
  const auto channels = static_cast<double>(out.channels);
  double before = 0, after = 0;
  for (const auto& part : parts) {
    const auto count = static_cast<double>(part.count);
    before += pixels(out) * 2 * count * channels;
    after += pixels(extents[static_cast<std::size_t>(part.value)]) * 2 * count * channels;
    if (part.like < 0) continue;
    before += pixels(out) * resize_flops * count;
    after += pixels(out) * resize_flops * channels;
  }
  return after < before;
}

/// A value with the size of `value` at every input size. Where a convolution that keeps the size makes it, that is the
/// convolution's input: a reader of the size alone must not keep it from being composed with the one after it.
ValueId same_size(Graph& graph, ValueId value) {
  const auto* conv = maker_as<Conv>(graph, value);
  if (conv == nullptr || conv->stride != 1) return value;
  const auto& shape = conv->weight->shape();
  if (2 * conv->padding != conv->dilation * (shape[2] - 1) || 2 * conv->padding != conv->dilation * (shape[3] - 1))
    return value;
  return graph.nodes[static_cast<std::size_t>(graph.producer(value))].inputs[0];
}

/// Replaces the convolution at `index`; the number of nodes that now stand before its last one.
int split(Graph& graph, int index, const std::vector<Part>& parts) {
  const auto node = graph.nodes[static_cast<std::size_t>(index)];
  const auto conv = std::get<Conv>(node.operation);
  int added = 0;
  const auto insert = [&](const std::string& name, Operation operation, std::vector<ValueId> inputs) {
    return insert_node(graph, static_cast<std::size_t>(index + added++), name, std::move(operation), std::move(inputs));
  };
  const auto share = [&](const Part& part) {
    Conv term;
    term.weight = slice_inputs(conv.weight, part.begin, part.count);
    return term;
  };

  std::optional<Part> whole;  // the part that has the output's resolution already
  std::vector<ValueId> terms;
  ValueId like = -1;
  bool bias_placed = false;
  for (const auto& part : parts)
    if (part.like < 0) whole = part;
  for (const auto& part : parts) {
    if (part.like < 0) continue;
    auto term = share(part);
    if (!whole && !bias_placed) term.bias = conv.bias;
    bias_placed = true;
    terms.push_back(insert(node.name + "[" + std::to_string(terms.size()) + "]", std::move(term), {part.value}));
    like = part.like;
  }
  terms.push_back(same_size(graph, whole ? whole->value : like));

  Node last = node;
  if (whole) {
    auto term = share(*whole);
    term.bias = conv.bias;
    term.residual = true;
    term.activation = conv.activation;
    const auto sum = insert(node.name + ".resize", ResizeBilinear{}, std::move(terms));
    last.operation = std::move(term);
    last.inputs = {whole->value, sum};
  } else if (conv.activation != Activation::none) {
    const auto sum = insert(node.name + ".resize", ResizeBilinear{}, std::move(terms));
    last.operation = Activate{conv.activation};
    last.inputs = {sum};
  } else {
    last.operation = ResizeBilinear{};
    last.inputs = std::move(terms);
  }
  graph.nodes[static_cast<std::size_t>(index + added)] = std::move(last);
  return added;
}

}  // namespace

void split_concat(Graph& graph) {
  auto extents = typical_extents(graph);
  if (extents.empty()) return;
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const auto& node = graph.nodes[static_cast<std::size_t>(i)];
    const auto* conv = std::get_if<Conv>(&node.operation);
    if (conv == nullptr || !is_pointwise(*conv) || conv->residual) continue;
    const auto parts = parts_of(graph, i, extents);
    if (!parts || !is_less_work(*parts, extents[static_cast<std::size_t>(node.output())], extents)) continue;
    i += split(graph, i, *parts);
    extents = typical_extents(graph);
  }
  graph.remove_dead_nodes();
}

}  // namespace maskrt::graph
