// The words in which model builders speak: each adds one node to the graph and asks for its weights by their names.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "weights.h"

namespace maskrt::weights {

/// A convolution's geometry.
struct ConvOptions {
  int kernel = 1, stride = 1, padding = 0, dilation = 1, groups = 1;
  std::string groups_key = {};  ///< the config key that says `groups`
  bool bias = false;
  LayerFills fills = {};
};

/// What random weights are in a batch norm's scale.
inline constexpr Fill kNormWeightFill = {.offset = 1, .scale = 0.3};

/// Builds a graph node by node, and knows how many channels each value has (kUnknown after a missing tensor).
/// Every function returns the value it makes, named `value` or like its node.
class Layers {
 public:
  Layers(graph::Graph& graph, Weights& weights) : graph_(graph), weights_(weights) {}

  Weights& weights() { return weights_; }
  std::int64_t channels(graph::ValueId value) const { return channels_.at(static_cast<std::size_t>(value)); }

  graph::ValueId input(std::int64_t channels);
  /// NAME.weight [out, in / groups, kernel, kernel], and NAME.bias [out].
  graph::ValueId conv(const std::string& name, graph::ValueId x, const Dim& out, const ConvOptions& options,
                      const std::string& value = {});
  /// NAME.{weight, bias, running_mean, running_var} [channels], with epsilon 1e-5.
  graph::ValueId batch_norm(const std::string& name, graph::ValueId x, const Fill& weight_fill = kNormWeightFill);
  graph::ValueId relu(const std::string& name, graph::ValueId x, const std::string& value = {});
  /// NAME.weight [out, in] and NAME.bias [out], on each vector of a list.
  graph::ValueId linear(const std::string& name, graph::ValueId x, const Dim& out, const std::string& value = {},
                        const LayerFills& fills = {});
  graph::ValueId concat(const std::string& name, const std::vector<graph::ValueId>& inputs);
  /// Any operation without weights, which makes `channels` channels.
  graph::ValueId add(const std::string& name, graph::Operation operation, const std::vector<graph::ValueId>& inputs,
                     std::int64_t channels, const std::string& value = {});

 private:
  graph::Graph& graph_;
  Weights& weights_;
  std::vector<std::int64_t> channels_;  // by ValueId
};

}  // namespace maskrt::weights
