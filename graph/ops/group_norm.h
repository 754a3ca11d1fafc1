// Group normalisation.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// Group normalisation (Wu & He, 2018): `groups` equal parts of consecutive channels, each normalised over all
/// positions of an image by itself, out = activation((x - mean) / sqrt(variance + epsilon) * weight + bias), the
/// variance being the mean square distance from the mean, weight and bias those of the channel.
struct GroupNorm {
  static constexpr std::string_view name = "group_norm";
  static constexpr bool keeps_type = true;
  ConstantPtr weight, bias;  ///< [C]
  int groups = 32;
  double epsilon = 1e-5;
  Activation activation = Activation::none;

  static void visit_attributes(auto& self, auto& visit) {
    visit.constant("weight", self.weight, false);
    visit.constant("bias", self.bias, false);
    visit.integer("groups", self.groups, 1, limits::kChannels);
    visit.real("epsilon", self.epsilon, 0, 1);
    visit.activation("activation", self.activation);
  }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    node.expect_bounds(weight, {limits::kChannels});
    node.expect_shape(bias, "bias", weight->shape());
    if (weight->shape()[0] % groups != 0)
      node.fail("expected channels that " + std::to_string(groups) + " groups divide, found " +
                std::to_string(weight->shape()[0]));
  }
  Extent extent(const InputExtents& in) const {
    in.expect_channels(0, weight->shape()[0]);
    return in.map(0);
  }
  double flops(const InputExtents&, const Extent& out) const { return 8 * static_cast<double>(out.elements()); }
  std::string text() const {
    return " " + std::to_string(groups) + (groups == 1 ? " group" : " groups") + ", epsilon " + number_text(epsilon) +
           after_comma(activation);
  }
};

}  // namespace maskrt::graph
