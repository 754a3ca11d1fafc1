// BatchNorm(Conv(x)) -> Conv(x); of a deformable convolution likewise.
//
// With s = weight / sqrt(variance + epsilon) per channel, (W x + b - mean) s + bias = (s W) x + (b - mean) s + bias.
#include <utility>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

/// The factor s of each output channel.
ConstantPtr scales(const BatchNorm& norm) {
  return derive(norm.weight->name() + " / deviation", norm.weight->shape(), {norm.weight, norm.variance},
                [epsilon = norm.epsilon](const std::vector<Numbers>& from) {
                  auto result = from[0];
                  for (std::size_t c = 0; c < result.size(); ++c)
                    result[c] = static_cast<float>(BatchNorm::factor(from[0][c], from[1][c], epsilon));
                  return result;
                });
}

/// The folded weight: each output channel's row times its factor s.
ConstantPtr scaled(const ConstantPtr& weight, const BatchNorm& norm) {
  const auto channels = static_cast<std::size_t>(weight->shape()[0]);
  const ConstantPtr product = derive(weight->name() + " * norm", weight->shape(), {weight, norm.weight, norm.variance},
                                     [channels, epsilon = norm.epsilon](const std::vector<Numbers>& from) {
                                       auto result = from[0];
                                       const auto row = result.size() / channels;
                                       for (std::size_t c = 0; c < channels; ++c) {
                                         const double scale = BatchNorm::factor(from[1][c], from[2][c], epsilon);
                                         for (std::size_t i = c * row; i < (c + 1) * row; ++i)
                                           result[i] = static_cast<float>(static_cast<double>(result[i]) * scale);
                                       }
                                       return result;
                                     });
  return product->known_as({weight, scales(norm)});
}

ConstantPtr shifted(const ConstantPtr& bias, const BatchNorm& norm) {
  return derive(norm.bias->name() + " - norm", norm.bias->shape(),
                {bias, norm.weight, norm.variance, norm.mean, norm.bias},
                [epsilon = norm.epsilon](const std::vector<Numbers>& from) {
                  auto result = from[4];
                  for (std::size_t c = 0; c < result.size(); ++c) {
                    const double before = from[0].empty() ? 0.0 : static_cast<double>(from[0][c]);
                    result[c] = static_cast<float>((before - static_cast<double>(from[3][c])) *
                                                       BatchNorm::factor(from[1][c], from[2][c], epsilon) +
                                                   static_cast<double>(from[4][c]));
                  }
                  return result;
                });
}

/// Either kind of convolution.
void fold(auto& conv, const BatchNorm& norm) {
  conv.bias = shifted(conv.bias, norm);
  conv.weight = scaled(conv.weight, norm);
}

}  // namespace

void fold_batch_norm(Graph& graph) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const auto& node = graph.nodes[static_cast<std::size_t>(i)];
    const auto* norm = std::get_if<BatchNorm>(&node.operation);
    if (norm == nullptr || only_reader(graph, node.inputs[0]) != i) continue;
    const int maker = graph.producer(node.inputs[0]);
    if (auto* conv = maker_as<Conv>(graph, node.inputs[0])) {
      if (conv->residual || conv->activation != Activation::none) continue;
      fold(*conv, *norm);
      if (conv->coordinate_weight) conv->coordinate_weight = scaled(conv->coordinate_weight, *norm);
    } else if (auto* deform = maker_as<DeformConv>(graph, node.inputs[0])) {
      if (deform->activation != Activation::none) continue;
      fold(*deform, *norm);
    } else {
      continue;
    }
    graph.nodes[static_cast<std::size_t>(maker)].outputs = node.outputs;
    erase_node(graph, i--);
  }
}

}  // namespace maskrt::graph
