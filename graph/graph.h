// What is computed: a list of nodes in execution order over named values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "constant.h"
#include "graph/ops/attention.h"
#include "graph/ops/batch_norm.h"
#include "graph/ops/channels.h"
#include "graph/ops/conv.h"
#include "graph/ops/deform_conv.h"
#include "graph/ops/elementwise.h"
#include "graph/ops/fused.h"
#include "graph/ops/group_norm.h"
#include "graph/ops/input.h"
#include "graph/ops/instance_activation.h"
#include "graph/ops/lists.h"
#include "graph/ops/mask_product.h"
#include "graph/ops/parameter.h"
#include "graph/ops/pools.h"
#include "graph/ops/resizes.h"
#include "graph/ops/select.h"
#include "head.h"
#include "maskrt/types.hpp"
#include "op.h"

namespace maskrt::graph {

/// All operations that there are. "x" in their descriptions is inputs[0]; shapes are [batch, height, width, channels].
template <Op... Ops>
using OneOf = std::variant<Ops...>;
using Operation =
    OneOf<Input, Conv, BatchNorm, Activate, Add, MaxPool, AdaptiveAveragePool, UpsampleNearest, ResizeBilinear, Concat,
          Slice, Coordinates, NormaliseMaps, SoftmaxMaps, Aggregate, AggregateLogits, Regroup, Linear, MaskProduct,
          StemPool, PyramidPool, LinearHeads, Parameter, ProposalScores, SelectTop, GatherPositions, DeformConv,
          AveragePool, LayerNorm, Attention, PooledConv, GroupNorm, ParameterMap, ConcatRows, SliceRows>;

/// What stands for several operations (ops/fused.h).
template <typename Kind>
concept FusedOp = requires {
  requires Kind::fused;
};

/// "conv", "max_pool", ...: the name that listings and the model file use.
std::string_view name_of(const Operation& operation);
/// Shows each attribute of an operation, const or not, to an AttributeVisitor or who looks like one.
template <typename AnyOperation, typename Visitor>
void visit_attributes(AnyOperation& operation, Visitor&& visitor) {
  std::visit([&](auto& op) { op.visit_attributes(op, visitor); }, operation);
}
/// The constants that an operation reads, in the order of its attributes.
std::vector<ConstantPtr> constants_of(const Operation& operation);
/// How many values an operation makes.
std::size_t output_count(const Operation& operation);
/// Whether devices store what it makes in the type in which they store what it reads (op.h).
bool keeps_type(const Operation& operation);

struct Node {
  std::string name;  ///< the layer's name in the checkpoint where it has one ("backbone.res2.0.conv1")
  Operation operation;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;  ///< as many as output_count() says; some may be read by no node

  /// The value of a node that makes one. Throws Error where it makes several.
  ValueId output() const;
};

/// What a node reads of its inputs[input].
Reads reads_of(const Node& node, std::size_t input);
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
  /// Throws Error where the operation makes several.
  ValueId add(std::string name, Operation operation, std::vector<ValueId> inputs, std::string value = {});
  /// Appends a node and the values it makes, which take these names. Throws Error where it makes more or fewer.
  std::vector<ValueId> add_several(std::string name, Operation operation, std::vector<ValueId> inputs,
                                   std::vector<std::string> names);
  /// The value of that name, or -1.
  ValueId find(std::string_view value) const;
  /// Index of the node that makes a value, or -1.
  int producer(ValueId value) const;
  /// Indices of the nodes that read a value, in order.
  std::vector<int> consumers(ValueId value) const;
  bool is_output(ValueId value) const;
  /// Removes the nodes on which no output depends (never the Input). A node stays whole where one of its values is
  /// needed. Values keep their ids.
  void remove_dead_nodes();
};

/// Throws Error where the graph breaks its own rules: an input not made before, an arity, a constant's shape.
void check(const Graph& graph);

/// The extent of every value (indexed by ValueId; values of removed nodes stay zero).
/// Throws Error that names the node, what it expected and what it found.
std::vector<Extent> infer_extents(const Graph& graph, std::int64_t batch, std::int64_t height, std::int64_t width);

/// Bytes of a value's elements: integers at 4, numbers at `element` each.
double bytes_of(const Extent& extent, std::size_t element);

/// Work of one node: 2 per multiply-add, and the bytes of its inputs, constants and outputs at `element` bytes each.
struct Cost {
  double flops = 0, bytes = 0;
};
Cost cost_of(const Graph& graph, const Node& node, const std::vector<Extent>& extents, std::size_t element = 4);

}  // namespace maskrt::graph
