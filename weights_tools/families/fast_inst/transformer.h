// Layers of transformers as PyTorch's modules have them: attention with its projections, residual and norm,
// feed-forward networks, perceptrons.
#pragma once

#include <string>

#include "weights_tools/builder/layers.h"

namespace maskrt::weights {

inline constexpr double kLayerNormEpsilon = 1e-5;  // PyTorch's default

struct TransformerOptions {
  int heads = 8, feed_forward_width = 1024;
  bool pre_norm = false;  ///< normed before the layer and not after its residual
};

/// Features, and what tells where each of them is: added to them where they ask and are asked, not to what is told.
struct Positioned {
  graph::ValueId features = -1, positions = -1;
  bool map = false;  ///< of pixels; else a list
};

/// `x` attends to `memory`: NAME.multihead_attn.{in_proj_weight, in_proj_bias, out_proj.weight, out_proj.bias} and
/// NAME.norm. `masks`: mask logits of x's rows over the memory; -1: none.
graph::ValueId cross_attention(const std::string& name, const Positioned& x, const Positioned& memory,
                               graph::ValueId masks, const TransformerOptions& options, Layers& net);
/// `x` attends to itself: the same of NAME.self_attn.
graph::ValueId self_attention(const std::string& name, const Positioned& x, const TransformerOptions& options,
                              Layers& net);
/// NAME.{linear1, linear2, norm}, with a ReLU between.
/// `map`: x is one.
graph::ValueId feed_forward(const std::string& name, graph::ValueId x, bool map, const TransformerOptions& options,
                            Layers& net);
/// Three linear layers NAME.layers.{0, 1, 2} with ReLUs between, on a list. `fills`: of the last.
graph::ValueId perceptron(const std::string& name, graph::ValueId x, const Dim& out, const std::string& value,
                          const LayerFills& fills, Layers& net);

}  // namespace maskrt::weights
