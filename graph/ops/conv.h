// Convolution with everything that its epilogue may do.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// out = activation(conv(x) + bias + coordinate term + residual).
/// The coordinate term is what conv would add if two more channels stood before x's: x and y, each from -1 to 1
/// inclusive over the map and 0 in the padding.
struct Conv {
  static constexpr std::string_view name = "conv";
  static constexpr bool keeps_type = false;
  ConstantPtr weight;  ///< [out, in / groups, kernel height, kernel width]
  ConstantPtr bias;    ///< [out], or null
  int stride = 1, padding = 0, dilation = 1, groups = 1;
  ConstantPtr coordinate_weight;  ///< [out, 2, kernel height, kernel width], or null
  bool residual = false;          ///< inputs[1], of the output's shape, is added before the activation
  Activation activation = Activation::none;
  /// Height and width of the output are this many times the residual's, each of whose pixels is added to a square.
  int residual_scale = 1;

  static void visit_attributes(auto& self, auto& visit) {
    visit.constant("weight", self.weight, false);
    visit.constant("bias", self.bias, true);
    visit.integer("stride", self.stride, 1, limits::kWindow);
    visit.integer("padding", self.padding, 0, limits::kPadding);
    visit.integer("dilation", self.dilation, 1, limits::kWindow);
    visit.integer("groups", self.groups, 1, limits::kChannels);
    visit.constant("coordinate_weight", self.coordinate_weight, true);
    visit.boolean("residual", self.residual);
    visit.activation("activation", self.activation);
    visit.integer("residual_scale", self.residual_scale, 1, limits::kWindow, InFiles::unless_default);
  }
  Arity arity() const { return residual ? Arity{2, 2} : Arity{1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    node.expect_bounds(weight, {limits::kChannels, limits::kChannels, limits::kWindow, limits::kWindow});
    const Shape& shape = weight->shape();
    node.expect_shape(bias, "bias", {shape[0]});
    node.expect_shape(coordinate_weight, "coordinate weight", {shape[0], 2, shape[2], shape[3]});
    if (shape[0] % groups != 0)
      node.fail("expected groups that divide the " + std::to_string(shape[0]) + " output channels, found " +
                std::to_string(groups));
    if (!residual && residual_scale != 1)
      node.fail("expected scale 1 where there is no residual, found " + std::to_string(residual_scale));
    if (coordinate_weight && groups != 1)
      node.fail("expected 1 group beside a coordinate term, found " + std::to_string(groups));
  }
  Extent extent(const InputExtents& in) const {
    const Extent& x = in.map(0);
    const Shape& shape = weight->shape();
    in.expect_channels(0, shape[1] * groups);
    const Extent out{x.batch, in.windows(x.height, shape[2], stride, padding, dilation),
                     in.windows(x.width, shape[3], stride, padding, dilation), shape[0]};
    if (residual) {
      Extent added = in[1];
      added.height *= residual_scale;
      added.width *= residual_scale;
      if (!(added == out))
        in.fail("expected a residual of the output's shape " + to_text(out) +
                (residual_scale == 1 ? "" : " divided by " + std::to_string(residual_scale)) + ", found " +
                in.described(1));
    }
    return out;
  }
  double flops(const InputExtents&, const Extent& out) const {
    const Shape& shape = weight->shape();
    const auto numbers = static_cast<double>(out.elements());
    const auto inputs = static_cast<double>(shape[1] + (coordinate_weight ? 2 : 0));
    return 2 * numbers * inputs * static_cast<double>(shape[2] * shape[3]) + (residual ? numbers : 0);
  }
  std::string text() const {
    const Shape& shape = weight->shape();
    std::string text = " " + std::to_string(shape[2]) + "x" + std::to_string(shape[3]);
    if (stride != 1) text += "/" + std::to_string(stride);
    text += " " + std::to_string(shape[1] * groups) + " -> " + std::to_string(shape[0]);
    if (padding != 0) text += ", pad " + std::to_string(padding);
    if (dilation != 1) text += ", dilation " + std::to_string(dilation);
    if (groups != 1) text += ", groups " + std::to_string(groups);
    if (bias) text += ", bias";
    if (coordinate_weight) text += ", coordinates";
    if (residual) text += residual_scale == 1 ? ", residual" : ", residual x" + std::to_string(residual_scale);
    return text + after_comma(activation);
  }
};

}  // namespace maskrt::graph
