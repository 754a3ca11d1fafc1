// Batch normalisation as it is trained, before it is folded into a convolution.
#pragma once

#include <cmath>

#include "graph/op.h"

namespace maskrt::graph {

/// out = (x - mean) / sqrt(variance + epsilon) * weight + bias, per channel.
struct BatchNorm {
  static constexpr std::string_view name = "batch_norm";
  static constexpr bool keeps_type = false;
  ConstantPtr weight, bias, mean, variance;  ///< [channels] each
  double epsilon = 1e-5;

  static void visit_attributes(auto& self, auto& visit) {
    visit.constant("weight", self.weight, false);
    visit.constant("bias", self.bias, false);
    visit.constant("mean", self.mean, false);
    visit.constant("variance", self.variance, false);
    visit.real("epsilon", self.epsilon, 0, 1);
  }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    node.expect_bounds(weight, {limits::kChannels});
    node.expect_shape(bias, "bias", weight->shape());
    node.expect_shape(mean, "mean", weight->shape());
    node.expect_shape(variance, "variance", weight->shape());
  }
  Extent extent(const InputExtents& in) const {
    in.expect_channels(0, weight->shape()[0]);
    return in.map(0);
  }
  double flops(const InputExtents&, const Extent& out) const { return 2 * static_cast<double>(out.elements()); }
  std::string text() const { return " epsilon " + number_text(epsilon); }

  /// What a channel's numbers are multiplied with.
  static double factor(float weight, float variance, double epsilon) {
    return static_cast<double>(weight) / std::sqrt(static_cast<double>(variance) + epsilon);
  }
  /// The same operation as x * scale + shift.
  struct ScaleShift {
    std::vector<float> scale, shift;  ///< [channels] each
  };
  /// Evaluates the constants.
  ScaleShift scale_shift() const {
    const std::vector<float> weights = weight->evaluate(), biases = bias->evaluate(), means = mean->evaluate(),
                             variances = variance->evaluate();
    ScaleShift terms;
    for (std::size_t c = 0; c < weights.size(); ++c) {
      const double by = factor(weights[c], variances[c], epsilon);
      terms.scale.push_back(static_cast<float>(by));
      terms.shift.push_back(static_cast<float>(biases[c] - means[c] * by));
    }
    return terms;
  }
};

}  // namespace maskrt::graph
