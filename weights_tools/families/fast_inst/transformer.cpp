#include "transformer.h"

#include <array>

namespace maskrt::weights {
namespace {

using graph::ValueId;

// One of the inputs of an attention layer.
struct Attended {
  ValueId value = -1;
  bool map = false;
};

// PyTorch's nn.MultiheadAttention: one tensor whose rows are the projections of queries, of keys and of values.
ValueId multihead_attention(const std::string& name, Attended queries, Attended keys, Attended values, ValueId masks,
                            int heads, Layers& net) {
  const std::int64_t channels = net.channels(queries.value);
  const std::int64_t rows = channels == kUnknown ? kUnknown : 3 * channels;
  const graph::ConstantPtr weight = net.weights().tensor(name + ".in_proj_weight", {rows, channels}, {.gain = 1});
  const graph::ConstantPtr bias = net.weights().tensor(name + ".in_proj_bias", {rows}, {.scale = 0.2});
  const bool known = channels != kUnknown && weight->shape() == Shape{rows, channels} && bias->shape() == Shape{rows};
  const auto project = [&](const char* what, Attended x, std::int64_t part) {
    // Without a part of the tensors, whose shapes Weights::check() reports, building goes on and finds the rest.
    if (!known) return net.add(name + "." + what, graph::Activate{}, {x.value}, channels);
    graph::Linear layer;
    layer.of_map = x.map;
    layer.weight = graph::rows_of(weight, part * channels, channels);
    layer.bias = graph::rows_of(bias, part * channels, channels);
    return net.linear(name + "." + what, x.value, std::move(layer));
  };
  const ValueId q = project("q", queries, 0), k = project("k", keys, 1), v = project("v", values, 2);
  const ValueId attended = net.attention(name + ".attention", q, k, v, heads, masks);
  return queries.map ? net.map_linear(name + ".out_proj", attended, channels)
                     : net.linear(name + ".out_proj", attended, channels);
}

ValueId located(const std::string& name, const Positioned& x, Layers& net) {
  return net.sum(name, x.features, x.positions);
}

// What a residual layer reads, and what it makes of x and the layer's output.
ValueId before(const std::string& name, ValueId x, const TransformerOptions& options, Layers& net) {
  return options.pre_norm ? net.layer_norm(name + ".norm", x, kLayerNormEpsilon) : x;
}
ValueId after(const std::string& name, ValueId x, ValueId y, const TransformerOptions& options, Layers& net) {
  const ValueId sum = net.sum(name + ".add", x, y);
  return options.pre_norm ? sum : net.layer_norm(name + ".norm", sum, kLayerNormEpsilon);
}

}  // namespace

ValueId cross_attention(const std::string& name, const Positioned& x, const Positioned& memory, ValueId masks,
                        const TransformerOptions& options, Layers& net) {
  const ValueId read = before(name, x.features, options, net);
  const Attended queries{located(name + ".query", {read, x.positions, x.map}, net), x.map};
  const Attended keys{located(name + ".key", memory, net), memory.map}, values{memory.features, memory.map};
  const ValueId y = multihead_attention(name + ".multihead_attn", queries, keys, values, masks, options.heads, net);
  return after(name, x.features, y, options, net);
}

ValueId self_attention(const std::string& name, const Positioned& x, const TransformerOptions& options, Layers& net) {
  const ValueId read = before(name, x.features, options, net);
  const Attended both{located(name + ".query", {read, x.positions, x.map}, net), x.map};
  const ValueId y = multihead_attention(name + ".self_attn", both, both, {read, x.map}, -1, options.heads, net);
  return after(name, x.features, y, options, net);
}

ValueId feed_forward(const std::string& name, ValueId x, bool map, const TransformerOptions& options, Layers& net) {
  const Dim inner = width(options.feed_forward_width);
  ValueId y = before(name, x, options, net);
  y = map ? net.map_linear(name + ".linear1", y, inner, kReluFills)
          : net.linear(name + ".linear1", y, inner, {}, kReluFills);
  y = net.relu(name + ".relu", y);
  y = map ? net.map_linear(name + ".linear2", y, net.channels(x)) : net.linear(name + ".linear2", y, net.channels(x));
  return after(name, x, y, options, net);
}

ValueId perceptron(const std::string& name, ValueId x, const Dim& out, const std::string& value,
                   const LayerFills& fills, Layers& net) {
  const std::int64_t channels = net.channels(x);
  for (int i = 0; i < 2; ++i) {
    const std::string layer = name + ".layers." + std::to_string(i);
    x = net.relu(layer + ".relu", net.linear(layer, x, channels, {}, kReluFills));
  }
  return net.linear(name + ".layers.2", x, out, value, fills);
}

}  // namespace maskrt::weights
