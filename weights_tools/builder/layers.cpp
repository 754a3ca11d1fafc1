#include "layers.h"

#include <utility>

namespace maskrt::weights {

using graph::ValueId;

namespace {

constexpr Fill kNormBiasFill = {.scale = 0.1};
// Random offsets of deformable convolutions reach a pixel or two, as trained ones do.
constexpr LayerFills kOffsetFills = {.weight = {.gain = 1}, .bias = {.scale = 0.5}};

}  // namespace

ValueId Layers::add(const std::string& name, graph::Operation operation, const std::vector<ValueId>& inputs,
                    std::int64_t channels, const std::string& value) {
  const ValueId made = graph_.add(name, std::move(operation), inputs, value);
  note(made, channels);
  return made;
}

std::vector<ValueId> Layers::add_several(const std::string& name, graph::Operation operation,
                                         const std::vector<ValueId>& inputs, const std::vector<std::int64_t>& channels,
                                         const std::vector<std::string>& values) {
  const std::vector<ValueId> made = graph_.add_several(name, std::move(operation), inputs, values);
  for (std::size_t i = 0; i < made.size(); ++i) note(made[i], channels.at(i));
  return made;
}

void Layers::note(ValueId made, std::int64_t channels) {
  channels_.resize(graph_.values.size(), kUnknown);
  channels_[static_cast<std::size_t>(made)] = channels;
}

ValueId Layers::input(std::int64_t channels) { return add("input", graph::Input{channels}, {}, channels); }

graph::ConstantPtr Layers::conv_weight(const std::string& name, ValueId x, const Dim& out, const ConvOptions& options) {
  Dim in = channels(x);
  in.note = options.groups_note;
  if (in.extent != kUnknown && in.extent % options.groups != 0) {
    weights_.report("layer " + name + ": expected channels that its groups divide (" + in.note + "), found " +
                    std::to_string(in.extent));
    in.extent = kUnknown;
  } else if (in.extent != kUnknown) {
    in.extent /= options.groups;
  }
  const Dim kernel(options.kernel, options.kernel_note);
  auto weight = weights_.tensor(name + ".weight", {out, in, kernel, options.kernel}, options.fills.weight);
  const std::int64_t made = weight->shape()[0];
  if (made != kUnknown && made % options.groups != 0)
    weights_.report("tensor " + name + ".weight: expected rows that its groups divide (" + in.note + "), found " +
                    std::to_string(made));
  return weight;
}

ValueId Layers::conv(const std::string& name, ValueId x, const Dim& out, const ConvOptions& options,
                     const std::string& value) {
  graph::Conv conv;
  conv.weight = conv_weight(name, x, out, options);
  const std::int64_t made = conv.weight->shape()[0];
  if (options.bias) conv.bias = weights_.tensor(name + ".bias", {made}, options.fills.bias);
  conv.stride = options.stride;
  conv.padding = options.padding;
  conv.dilation = options.dilation;
  conv.groups = options.groups;
  return add(name, std::move(conv), {x}, made, value);
}

ValueId Layers::depthwise_conv(const std::string& name, ValueId x, ConvOptions options) {
  // Channels that nobody knows, or that no graph takes, are an error in any case: of another layer, or of check().
  const bool plausible = channels(x) > 0 && channels(x) <= graph::limits::kChannels;
  options.groups = plausible ? static_cast<int>(channels(x)) : 1;
  return conv(name, x, channels(x), options);
}

ValueId Layers::deform_conv(const std::string& name, const std::string& offset_conv, ValueId x, const Dim& out,
                            const ConvOptions& options, const Deformation& deformation) {
  ConvOptions plain = options;
  plain.groups = 1;
  plain.groups_note = {};
  plain.bias = true;
  plain.fills = kOffsetFills;
  const std::int64_t taps = std::int64_t{options.kernel} * options.kernel;
  const std::int64_t count = (deformation.modulated ? 3 : 2) * deformation.groups * taps;
  const ValueId offsets = conv(offset_conv, x, Dim(count, deformation.note), plain);

  graph::DeformConv conv;
  conv.weight = conv_weight(name, x, out, options);
  conv.stride = options.stride;
  conv.padding = options.padding;
  conv.dilation = options.dilation;
  conv.groups = options.groups;
  conv.offset_groups = deformation.groups;
  conv.modulated = deformation.modulated;
  if (channels(x) != kUnknown && channels(x) % deformation.groups != 0)
    weights_.report("layer " + name + ": expected channels that its groups of offsets divide (" + deformation.note +
                    "), found " + std::to_string(channels(x)));
  const std::int64_t made = conv.weight->shape()[0];
  return add(name, std::move(conv), {x, offsets}, made);
}

ValueId Layers::batch_norm(const std::string& name, ValueId x, const Fill& weight_fill) {
  graph::BatchNorm norm;
  norm.weight = weights_.tensor(name + ".weight", {channels(x)}, weight_fill);
  norm.bias = weights_.tensor(name + ".bias", {channels(x)}, kNormBiasFill);
  norm.mean = weights_.tensor(name + ".running_mean", {channels(x)}, {.scale = 0.1});
  norm.variance = weights_.tensor(name + ".running_var", {channels(x)}, {.offset = 1, .scale = 0.3});
  return add(name, std::move(norm), {x}, channels(x));
}

ValueId Layers::layer_norm(const std::string& name, ValueId x, double epsilon, const std::string& value,
                           const std::string& note) {
  graph::LayerNorm norm;
  norm.weight = weights_.tensor(name + ".weight", {Dim(channels(x), note)}, kNormWeightFill);
  norm.bias = weights_.tensor(name + ".bias", {channels(x)}, kNormBiasFill);
  norm.epsilon = epsilon;
  return add(name, std::move(norm), {x}, channels(x), value);
}

ValueId Layers::group_norm(const std::string& name, ValueId x, int groups, const std::string& note) {
  if (channels(x) != kUnknown && channels(x) % groups != 0)
    weights_.report("layer " + name + ": expected channels that " + std::to_string(groups) + " groups divide (" + note +
                    "), found " + std::to_string(channels(x)));
  graph::GroupNorm norm;
  norm.weight = weights_.tensor(name + ".weight", {Dim(channels(x), note)}, kNormWeightFill);
  norm.bias = weights_.tensor(name + ".bias", {channels(x)}, kNormBiasFill);
  norm.groups = groups;
  return add(name, std::move(norm), {x}, channels(x));
}

ValueId Layers::activate(const std::string& name, graph::Activation activation, ValueId x, const std::string& value) {
  return add(name, graph::Activate{activation}, {x}, channels(x), value);
}

ValueId Layers::relu(const std::string& name, ValueId x, const std::string& value) {
  return activate(name, graph::Activation::relu, x, value);
}

ValueId Layers::leaky_relu(const std::string& name, ValueId x, const std::string& value) {
  return activate(name, graph::Activation::leaky_relu, x, value);
}

ValueId Layers::gelu(const std::string& name, ValueId x) { return activate(name, graph::Activation::gelu, x, {}); }

ValueId Layers::max_pool(const std::string& name, ValueId x, const graph::MaxPool& pool) {
  return add(name, pool, {x}, channels(x));
}

ValueId Layers::average_pool(const std::string& name, ValueId x, const graph::AveragePool& pool) {
  return add(name, pool, {x}, channels(x));
}

ValueId Layers::adaptive_average_pool(const std::string& name, ValueId x, int size) {
  return add(name, graph::AdaptiveAveragePool{size}, {x}, channels(x));
}

graph::Linear Layers::linear_weights(const std::string& name, ValueId x, const Dim& out, const LayerFills& fills) {
  graph::Linear linear;
  linear.weight = weights_.tensor(name + ".weight", {out, channels(x)}, fills.weight);
  linear.bias = weights_.tensor(name + ".bias", {linear.weight->shape()[0]}, fills.bias);
  return linear;
}

ValueId Layers::linear(const std::string& name, ValueId x, const Dim& out, const std::string& value,
                       const LayerFills& fills) {
  graph::Linear linear = linear_weights(name, x, out, fills);
  const std::int64_t made = linear.weight->shape()[0];
  return add(name, std::move(linear), {x}, made, value);
}

ValueId Layers::map_linear(const std::string& name, ValueId x, const Dim& out, const LayerFills& fills) {
  graph::Linear linear = linear_weights(name, x, out, fills);
  linear.of_map = true;
  const std::int64_t made = linear.weight->shape()[0];
  return add(name, std::move(linear), {x}, made);
}

ValueId Layers::linear(const std::string& name, ValueId x, graph::Linear layer) {
  const std::int64_t made = layer.weight->shape()[0];
  return add(name, std::move(layer), {x}, made);
}

ValueId Layers::parameter(const std::string& name, const Dim& rows, const Dim& channels) {
  graph::Parameter parameter{weights_.tensor(name, {rows, channels}, {.scale = 1})};
  const std::int64_t made = parameter.value->shape()[1];
  return add(name, std::move(parameter), {}, made);
}

ValueId Layers::parameter_map(const std::string& node, const graph::ConstantPtr& value, ValueId x) {
  return add(node, graph::ParameterMap{value}, {x}, value->shape()[1]);
}

ValueId Layers::attention(const std::string& name, ValueId queries, ValueId keys, ValueId values, int heads,
                          ValueId masks) {
  std::vector<ValueId> inputs = {queries, keys, values};
  if (masks >= 0) inputs.push_back(masks);
  return add(name, graph::Attention{heads, masks >= 0}, inputs, channels(values));
}

ValueId Layers::sum(const std::string& name, ValueId x, ValueId y, const std::string& value) {
  return add(name, graph::Add{}, {x, y}, channels(x), value);
}

ValueId Layers::concat(const std::string& name, const std::vector<ValueId>& inputs) {
  std::int64_t sum = 0;
  for (const ValueId input : inputs)
    sum = sum == kUnknown || channels(input) == kUnknown ? kUnknown : sum + channels(input);
  return add(name, graph::Concat{}, inputs, sum);
}

std::pair<ValueId, ValueId> Layers::halves(const std::string& name, ValueId x) {
  const std::int64_t count = channels(x) == kUnknown ? kUnknown : channels(x) / 2;
  return {add(name + ".first", graph::Slice{0, count}, {x}, count),
          add(name + ".last", graph::Slice{count, count}, {x}, count)};
}

}  // namespace maskrt::weights
