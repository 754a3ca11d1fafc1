// The words in which model builders speak: each adds one node to the graph and asks for its weights by their names.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "weights.h"

namespace maskrt::weights {

/// A convolution's geometry.
struct ConvOptions {
  int kernel = 1, stride = 1, padding = 0, dilation = 1, groups = 1;
  /// Who says so, for errors: "MODEL.RESNETS.NUM_GROUPS is 32".
  std::string kernel_note = {}, groups_note = {};
  bool bias = false;
  LayerFills fills = {};
};

/// How a convolution is deformed (graph::DeformConv).
struct Deformation {
  bool modulated = false;
  int groups = 1;         ///< of offsets
  std::string note = {};  ///< who says so, for errors: "MODEL.RESNETS.DEFORM_NUM_GROUPS 1, ..."
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
  /// As many groups as there are channels, whatever the options say: NAME.weight [channels, 1, kernel, kernel].
  graph::ValueId depthwise_conv(const std::string& name, graph::ValueId x, ConvOptions options);
  /// NAME.weight as conv() has it, on samples of x. Where those are taken, the convolution OFFSET_CONV says, which
  /// reads x through the same window, with a bias and without groups.
  graph::ValueId deform_conv(const std::string& name, const std::string& offset_conv, graph::ValueId x, const Dim& out,
                             const ConvOptions& options, const Deformation& deformation);
  /// NAME.{weight, bias, running_mean, running_var} [channels], with epsilon 1e-5.
  graph::ValueId batch_norm(const std::string& name, graph::ValueId x, const Fill& weight_fill = kNormWeightFill);
  /// NAME.{weight, bias} [channels]. `note` says who wants it, for errors.
  graph::ValueId layer_norm(const std::string& name, graph::ValueId x, double epsilon, const std::string& value = {},
                            const std::string& note = {});
  /// The same, of a map's groups of channels, with epsilon 1e-5.
  graph::ValueId group_norm(const std::string& name, graph::ValueId x, int groups, const std::string& note);
  graph::ValueId relu(const std::string& name, graph::ValueId x, const std::string& value = {});
  graph::ValueId leaky_relu(const std::string& name, graph::ValueId x, const std::string& value = {});
  graph::ValueId gelu(const std::string& name, graph::ValueId x);
  graph::ValueId max_pool(const std::string& name, graph::ValueId x, const graph::MaxPool& pool);
  graph::ValueId average_pool(const std::string& name, graph::ValueId x, const graph::AveragePool& pool);
  graph::ValueId adaptive_average_pool(const std::string& name, graph::ValueId x, int size);
  /// NAME [rows, channels], the same list for each image.
  graph::ValueId parameter(const std::string& name, const Dim& rows, const Dim& channels);
  /// NAME [1, channels, side, side], resized to the height and width of x, under a node of its own.
  graph::ValueId parameter_map(const std::string& node, const graph::ConstantPtr& value, graph::ValueId x);
  /// NAME.weight [out, in] and NAME.bias [out], on each vector of a list.
  graph::ValueId linear(const std::string& name, graph::ValueId x, const Dim& out, const std::string& value = {},
                        const LayerFills& fills = {});
  /// The same on each pixel of a map.
  graph::ValueId map_linear(const std::string& name, graph::ValueId x, const Dim& out, const LayerFills& fills = {});
  /// A layer whose weights were asked for already.
  graph::ValueId linear(const std::string& name, graph::ValueId x, graph::Linear layer);
  /// `masks`: mask logits; -1: none.
  graph::ValueId attention(const std::string& name, graph::ValueId queries, graph::ValueId keys, graph::ValueId values,
                           int heads, graph::ValueId masks = -1);
  graph::ValueId sum(const std::string& name, graph::ValueId x, graph::ValueId y, const std::string& value = {});
  graph::ValueId concat(const std::string& name, const std::vector<graph::ValueId>& inputs);
  /// The first channels and the last, NAME.first and NAME.last. An odd number of channels is for the caller to report.
  std::pair<graph::ValueId, graph::ValueId> halves(const std::string& name, graph::ValueId x);
  /// Any operation without weights, which makes `channels` channels.
  graph::ValueId add(const std::string& name, graph::Operation operation, const std::vector<graph::ValueId>& inputs,
                     std::int64_t channels, const std::string& value = {});
  /// The same of an operation that makes several values: as many channels and names.
  std::vector<graph::ValueId> add_several(const std::string& name, graph::Operation operation,
                                          const std::vector<graph::ValueId>& inputs,
                                          const std::vector<std::int64_t>& channels,
                                          const std::vector<std::string>& values);

 private:
  void note(graph::ValueId made, std::int64_t channels);
  graph::ConstantPtr conv_weight(const std::string& name, graph::ValueId x, const Dim& out, const ConvOptions& options);
  graph::ValueId activate(const std::string& name, graph::Activation activation, graph::ValueId x,
                          const std::string& value);
  graph::Linear linear_weights(const std::string& name, graph::ValueId x, const Dim& out, const LayerFills& fills);

  graph::Graph& graph_;
  Weights& weights_;
  std::vector<std::int64_t> channels_;  // by ValueId
};

}  // namespace maskrt::weights
