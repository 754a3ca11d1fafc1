// A fused operation -> what it stands for: the definition of ops/fused.h, for devices without such a kernel.
#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

/// Writes the nodes that stand for the one at an index before it, the last in its place.
class Parts {
 public:
  Parts(Graph& graph, std::size_t index) : graph_(graph), index_(index), whole_(graph.nodes[index]) {}

  void operator()(const StemPool& op) {
    Conv conv;
    conv.weight = op.weight;
    conv.bias = op.bias;
    conv.activation = op.activation;
    conv.stride = 2;
    conv.padding = static_cast<int>(op.weight->shape()[2] / 2);
    last(0, "", MaxPool{3, 2, 1}, {add(".conv", std::move(conv), whole_.inputs)});
  }

  void operator()(const PooledConv& op) {
    Conv conv;
    conv.weight = op.weight;
    conv.bias = op.bias;
    conv.activation = op.activation;
    last(0, "", std::move(conv), {add(".pool", AveragePool{2, 2}, whole_.inputs)});
  }

  void operator()(const PyramidPool& op) {
    for (std::size_t i = 0; i < op.branches.size(); ++i) {
      const PyramidPool::Branch& branch = op.branches[i];
      const std::string part = "." + std::to_string(i);
      Conv stage, bottleneck;
      stage.weight = branch.stage_weight;
      stage.bias = branch.stage_bias;
      stage.activation = branch.activation;
      bottleneck.weight = branch.weight;
      bottleneck.bias = branch.bias;
      const ValueId pooled = add(part + ".pool", AdaptiveAveragePool{branch.size}, whole_.inputs);
      last(i, part, std::move(bottleneck), {add(part + ".stage", std::move(stage), {pooled})});
    }
  }

  void operator()(const LinearHeads& op) {
    std::vector<ValueId> list = whole_.inputs;
    if (op.blocks != 0) list = {add(".regroup", Regroup{op.blocks, op.instances}, list)};
    for (std::size_t i = 0; i < op.heads.size(); ++i) last(i, "." + std::to_string(i), op.heads[i], list);
  }

  void operator()(const Conv& op) {
    Conv conv = op;
    conv.residual_scale = 1;
    const ValueId upsampled = add(".upsample", UpsampleNearest{op.residual_scale}, {whole_.inputs[1]});
    last(0, "", std::move(conv), {whole_.inputs[0], upsampled});
  }

  void operator()(const AggregateLogits& op) {
    AggregateLogits plain = op;
    plain.bias = nullptr;
    const ValueId logits = add(".logits", bias_alone(op.bias), {whole_.inputs[0]});
    last(0, "", std::move(plain), {logits, whole_.inputs[1]});
  }

  void operator()(const Linear& op) { last(0, "", as_conv(op), whole_.inputs); }

  void operator()(const auto& op) { static_assert(!FusedOp<std::remove_cvref_t<decltype(op)>>); }

 private:
  ValueId add(const std::string& part, Operation operation, std::vector<ValueId> inputs) {
    return insert_node(graph_, index_++, whole_.name + part, std::move(operation), std::move(inputs));
  }
  /// The node that makes the whole's output `i`.
  void last(std::size_t i, const std::string& part, Operation operation, std::vector<ValueId> inputs) {
    Node node{whole_.name + part, std::move(operation), std::move(inputs), {whole_.outputs[i]}};
    if (i + 1 == whole_.outputs.size()) {
      graph_.nodes[index_] = std::move(node);
    } else {
      graph_.nodes.insert(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(index_++), std::move(node));
    }
  }

  Graph& graph_;
  std::size_t index_;  ///< of the node that is replaced
  const Node whole_;
};

}  // namespace

Graph unfused(Graph graph, const FusedKernels& kernels) {
  check(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (has_kernel(kernels, graph, graph.nodes[i])) continue;
    Parts parts(graph, i);
    const Operation whole = graph.nodes[i].operation;
    std::visit(parts, whole);
    if (static_cast<std::int64_t>(graph.nodes.size()) > limits::kNodes)
      throw Error("expected a network of at most " + std::to_string(limits::kNodes) +
                  " nodes with its fused operations apart, found more from node " + graph.nodes[i].name + " on");
  }
  return graph;
}

}  // namespace maskrt::graph
