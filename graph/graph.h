// What is computed: a list of nodes in execution order over named values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "constant.h"
#include "maskrt/types.hpp"

namespace maskrt::graph {

/// Index of a value in Graph::values.
using ValueId = int;

/// The extents of a value once batch, height and width are known. NHWC is the logical order.
/// A list of N vectors per image (instance features, logits) is a map of height N and width 1 with `list` set.
struct Extent {
  std::int64_t batch = 0, height = 0, width = 0, channels = 0;
  bool list = false;
  bool operator==(const Extent&) const = default;
  std::int64_t elements() const { return batch * height * width * channels; }
};

/// What an epilogue or an Activate node applies to each element.
enum class Activation : std::uint8_t { none, relu, sigmoid };

// ---- Operations. "x" is inputs[0]; shapes are [batch, height, width, channels]. -------------------------------------

/// The network's input, normalised and padded.
struct Input {
  std::int64_t channels = 3;
};

/// out = activation(conv(x) + bias + coordinate term + residual).
/// The coordinate term is what conv would add if two more channels stood before x's: x and y, each from -1 to 1
/// inclusive over the map and 0 in the padding.
struct Conv {
  ConstantPtr weight;  ///< [out, in / groups, kernel height, kernel width]
  ConstantPtr bias;    ///< [out], or null
  int stride = 1, padding = 0, dilation = 1, groups = 1;
  ConstantPtr coordinate_weight;  ///< [out, 2, kernel height, kernel width], or null
  bool residual = false;          ///< inputs[1], of the output's shape, is added before the activation
  Activation activation = Activation::none;
};

/// out = (x - mean) / sqrt(variance + epsilon) * weight + bias, per channel.
struct BatchNorm {
  ConstantPtr weight, bias, mean, variance;  ///< [channels] each
  double epsilon = 1e-5;
};

struct Activate {
  Activation activation = Activation::relu;
};

/// inputs[0] + inputs[1], of one shape.
struct Add {};

/// Windows of kernel x kernel; what lies outside is never the maximum.
struct MaxPool {
  int kernel = 3, stride = 2, padding = 1;
};

/// size x size means over windows floor(i * n / size) .. ceil((i + 1) * n / size).
struct AdaptiveAveragePool {
  int size = 1;
};

/// Each pixel `factor` x `factor` times.
struct UpsampleNearest {
  int factor = 2;
};

/// Bilinear, align_corners = false, no antialiasing, source coordinate clamped at 0.
/// `factor` 0: the sum of inputs[0 .. n-2], each resized to the height and width of the last input (whose numbers are
/// not read). Otherwise one input; size floor(n * factor), source step 1 / factor.
struct ResizeBilinear {
  double factor = 0;
};

/// Channels of all inputs, side by side.
struct Concat {};

/// Channels begin .. begin + count - 1 of x.
struct Slice {
  std::int64_t begin = 0, count = 0;
};

/// Two channels, x then y, each from -1 to 1 inclusive over the height and width of x (whose numbers are not read).
struct Coordinates {};

/// Each map divided by max(its sum over positions, epsilon).
struct NormaliseMaps {
  double epsilon = 1e-6;
};

/// Softmax of each map over its positions.
struct SoftmaxMaps {};

/// inputs: maps [B, h, w, M], features [B, h, w, C]. out [B, M, C] (a list) = maps^T x features.
struct Aggregate {};

/// Aggregate with its maps still logits: sigmoid and normaliser (or softmax) are part of the operation.
struct AggregateLogits {
  bool softmax = false;
  double epsilon = 1e-6;
};

/// A list of rows [B, G * N, C], read row-major as [blocks, instances, G * N * C / (blocks * instances)], becomes the
/// list [instances, blocks * ...]: each instance's blocks side by side.
struct Regroup {
  std::int64_t blocks = 4, instances = 100;
};

/// out = activation(x weight^T + bias) for each vector of a list.
struct Linear {
  ConstantPtr weight;  ///< [out, in]
  ConstantPtr bias;    ///< [out], or null
  Activation activation = Activation::none;
};

/// inputs: kernels, a list [B, N, K] (or K + 1 with `offset`), features [B, h, w, K].
/// out [B, h, w, N] = features x kernels^T; with `offset` each kernel's last number is added to its whole map.
struct MaskProduct {
  bool offset = false;
};

using Operation = std::variant<Input, Conv, BatchNorm, Activate, Add, MaxPool, AdaptiveAveragePool, UpsampleNearest,
                               ResizeBilinear, Concat, Slice, Coordinates, NormaliseMaps, SoftmaxMaps, Aggregate,
                               AggregateLogits, Regroup, Linear, MaskProduct>;

/// "conv", "max_pool", ...: the name that listings and the model file use.
std::string_view name_of(const Operation& operation);
/// "none", "relu", "sigmoid"
std::string_view name_of(Activation activation);
/// The constants that an operation reads, in the order of its fields.
std::vector<ConstantPtr> constants_of(const Operation& operation);

struct Node {
  std::string name;  ///< the layer's name in the checkpoint where it has one ("backbone.res2.0.conv1")
  Operation operation;
  std::vector<ValueId> inputs;
  ValueId output = -1;
};

/// False where a node takes only the height and width of its inputs[input] (Coordinates; the last of a ResizeBilinear
/// with factor 0): such a value need not be kept for that node.
bool reads_numbers(const Node& node, std::size_t input);

struct Value {
  std::string name;  ///< unique; the fixtures' names where they have one ("backbone.res4", "encoder", "iam_logits")
};

/// A network. nodes[0] is the Input. Every node's inputs are made by nodes before it.
struct Graph {
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> outputs;  ///< kept by every rewrite

  /// Appends a node and the value it makes, which takes the name `value` (the node's own where empty).
  ValueId add(std::string name, Operation operation, std::vector<ValueId> inputs, std::string value = {});
  /// The value of that name, or -1.
  ValueId find(std::string_view value) const;
  /// Index of the node that makes a value, or -1.
  int producer(ValueId value) const;
  /// Indices of the nodes that read a value, in order.
  std::vector<int> consumers(ValueId value) const;
  bool is_output(ValueId value) const;
  /// Removes the nodes on which no output depends (never the Input). Values keep their ids.
  void remove_dead_nodes();
};

/// Throws Error where the graph breaks its own rules: an input not made before, an arity, a constant's shape.
void check(const Graph& graph);

/// The extent of every value (indexed by ValueId; values of removed nodes stay zero).
/// Throws Error that names the node, what it expected and what it found.
std::vector<Extent> infer_extents(const Graph& graph, std::int64_t batch, std::int64_t height, std::int64_t width);

/// Work of one node: 2 per multiply-add, and the bytes of its inputs, constants and output at `element` bytes each.
struct Cost {
  double flops = 0, bytes = 0;
};
Cost cost_of(const Graph& graph, const Node& node, const std::vector<Extent>& extents, std::size_t element = 4);

}  // namespace maskrt::graph
