// AggregateLogits(W * x + b, f) -> AggregateLogits(W * x, f) with b as its bias.
//
// Activation maps are nearly zero nearly everywhere, so trained biases lie at -4.6 and far below. A logit near its bias
// is then stored with the bias's unit in the last place, in fp16 1/128 from 8 on; without the bias it keeps its own.
#include <utility>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {

void late_logits_bias(Graph& graph, const FusedKernels& kernels) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto* aggregate = std::get_if<AggregateLogits>(&graph.nodes[i].operation);
    if (aggregate == nullptr || aggregate->bias) continue;
    const ValueId logits = graph.nodes[i].inputs[0];
    auto* conv = maker_as<Conv>(graph, logits);
    if (conv == nullptr || !conv->bias || conv->residual || conv->activation != Activation::none) continue;
    Node fused = graph.nodes[i];
    std::get<AggregateLogits>(fused.operation).bias = conv->bias;
    if (!has_kernel(kernels, graph, fused)) continue;
    const ConstantPtr bias = std::exchange(conv->bias, nullptr);
    if (only_reader(graph, logits) == static_cast<int>(i)) {
      graph.nodes[i] = std::move(fused);
      continue;
    }
    // Who else reads the logits, outside of the graph, too, reads their sum with the bias.
    const int maker = graph.producer(logits);
    const std::string name = graph.nodes[static_cast<std::size_t>(maker)].name;
    const auto behind = static_cast<std::size_t>(maker) + 1;
    const ValueId plain = insert_node(graph, behind, name + ".bias", bias_alone(bias), {logits});
    std::swap(graph.nodes[behind - 1].outputs, graph.nodes[behind].outputs);
    graph.nodes[behind].inputs = {plain};
    fused.inputs[0] = plain;
    graph.nodes[++i] = std::move(fused);
  }
}

}  // namespace maskrt::graph
