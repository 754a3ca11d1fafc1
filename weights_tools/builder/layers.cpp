#include "layers.h"

#include <utility>

namespace maskrt::weights {

using graph::ValueId;

ValueId Layers::add(const std::string& name, graph::Operation operation, const std::vector<ValueId>& inputs,
                    std::int64_t channels, const std::string& value) {
  const ValueId made = graph_.add(name, std::move(operation), inputs, value);
  channels_.resize(graph_.values.size(), kUnknown);
  channels_[static_cast<std::size_t>(made)] = channels;
  return made;
}

ValueId Layers::input(std::int64_t channels) { return add("input", graph::Input{channels}, {}, channels); }

ValueId Layers::conv(const std::string& name, ValueId x, const Dim& out, const ConvOptions& options,
                     const std::string& value) {
  Dim in = channels(x);
  if (options.groups > 1 || !options.groups_key.empty()) {
    in.note = options.groups_key + " is " + std::to_string(options.groups);
    if (in.extent != kUnknown && in.extent % options.groups != 0) {
      weights_.report("layer " + name + ": expected channels that its groups divide (" + in.note + "), found " +
                      std::to_string(in.extent));
      in.extent = kUnknown;
    } else if (in.extent != kUnknown) {
      in.extent /= options.groups;
    }
  }
  graph::Conv conv;
  conv.weight = weights_.tensor(name + ".weight", {out, in, options.kernel, options.kernel}, options.fills.weight);
  const std::int64_t made = conv.weight->shape()[0];
  if (made != kUnknown && made % options.groups != 0)
    weights_.report("tensor " + name + ".weight: expected rows that its groups divide (" + in.note + "), found " +
                    std::to_string(made));
  if (options.bias) conv.bias = weights_.tensor(name + ".bias", {made}, options.fills.bias);
  conv.stride = options.stride;
  conv.padding = options.padding;
  conv.dilation = options.dilation;
  conv.groups = options.groups;
  return add(name, std::move(conv), {x}, made, value);
}

ValueId Layers::batch_norm(const std::string& name, ValueId x, const Fill& weight_fill) {
  graph::BatchNorm norm;
  norm.weight = weights_.tensor(name + ".weight", {channels(x)}, weight_fill);
  norm.bias = weights_.tensor(name + ".bias", {channels(x)}, {.scale = 0.1});
  norm.mean = weights_.tensor(name + ".running_mean", {channels(x)}, {.scale = 0.1});
  norm.variance = weights_.tensor(name + ".running_var", {channels(x)}, {.offset = 1, .scale = 0.3});
  return add(name, std::move(norm), {x}, channels(x));
}

ValueId Layers::relu(const std::string& name, ValueId x, const std::string& value) {
  return add(name, graph::Activate{graph::Activation::relu}, {x}, channels(x), value);
}

ValueId Layers::linear(const std::string& name, ValueId x, const Dim& out, const std::string& value,
                       const LayerFills& fills) {
  graph::Linear linear;
  linear.weight = weights_.tensor(name + ".weight", {out, channels(x)}, fills.weight);
  const std::int64_t made = linear.weight->shape()[0];
  linear.bias = weights_.tensor(name + ".bias", {made}, fills.bias);
  return add(name, std::move(linear), {x}, made, value);
}

ValueId Layers::concat(const std::string& name, const std::vector<ValueId>& inputs) {
  std::int64_t sum = 0;
  for (const ValueId input : inputs)
    sum = sum == kUnknown || channels(input) == kUnknown ? kUnknown : sum + channels(input);
  return add(name, graph::Concat{}, inputs, sum);
}

}  // namespace maskrt::weights
