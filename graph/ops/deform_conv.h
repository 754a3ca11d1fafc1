// Convolution that samples its input where another value says.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// Deformable convolution (Dai et al., 2017), and the modulated one (Zhu et al., 2018). inputs: x; offsets, a map of
/// the output's height and width. out = activation(weight * samples + bias).
///
/// Tap t of the kernel, counted by rows, is sampled for output pixel (i, j) at
/// (i * stride - padding + ky * dilation + dy, j * stride - padding + kx * dilation + dx), bilinearly with zeros beyond
/// the map. A point at or beyond one pixel outside gives 0, as does one that is infinite or no number. The input's
/// channels come in `offset_groups` equal parts with offsets of their own: of K taps, part d finds dy of tap t in
/// channel 2 K d + 2 t of the offsets and dx in the next. Where `modulated`, its samples of tap t are then multiplied
/// by the sigmoid of channel 2 K D + K d + t, D being the number of parts.
struct DeformConv {
  static constexpr std::string_view name = "deform_conv";
  static constexpr bool keeps_type = false;
  ConstantPtr weight;  ///< [out, in / groups, kernel height, kernel width]
  ConstantPtr bias;    ///< [out], or null
  int stride = 1, padding = 0, dilation = 1, groups = 1;
  int offset_groups = 1;
  bool modulated = false;
  Activation activation = Activation::none;

  static void visit_attributes(auto& self, auto& visit) {
    visit.constant("weight", self.weight, false);
    visit.constant("bias", self.bias, true);
    visit.integer("stride", self.stride, 1, limits::kWindow);
    visit.integer("padding", self.padding, 0, limits::kPadding);
    visit.integer("dilation", self.dilation, 1, limits::kWindow);
    visit.integer("groups", self.groups, 1, limits::kChannels);
    visit.integer("offset_groups", self.offset_groups, 1, limits::kChannels);
    visit.boolean("modulated", self.modulated);
    visit.activation("activation", self.activation);
  }
  Arity arity() const { return {2, 2}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    node.expect_bounds(weight, {limits::kChannels, limits::kChannels, limits::kWindow, limits::kWindow});
    const Shape& shape = weight->shape();
    node.expect_shape(bias, "bias", {shape[0]});
    if (shape[0] % groups != 0)
      node.fail("expected groups that divide the " + std::to_string(shape[0]) + " output channels, found " +
                std::to_string(groups));
    if (shape[1] * groups % offset_groups != 0)
      node.fail("expected groups of offsets that divide the " + std::to_string(shape[1] * groups) +
                " input channels, found " + std::to_string(offset_groups));
  }
  /// Channels of the offsets.
  std::int64_t offset_channels() const {
    const Shape& shape = weight->shape();
    return (modulated ? 3 : 2) * std::int64_t{offset_groups} * shape[2] * shape[3];
  }
  Extent extent(const InputExtents& in) const {
    const Extent& x = in.map(0);
    const Extent& offsets = in.map(1);
    const Shape& shape = weight->shape();
    in.expect_channels(0, shape[1] * groups);
    in.expect_channels(1, offset_channels());
    const Extent out{x.batch, in.windows(x.height, shape[2], stride, padding, dilation),
                     in.windows(x.width, shape[3], stride, padding, dilation), shape[0]};
    if (offsets.batch != out.batch || offsets.height != out.height || offsets.width != out.width)
      in.fail("expected offsets for each pixel of the output " + to_text(out) + ", found " + in.described(1));
    return out;
  }
  /// Sampling is four multiply-adds a number, and one more where it is modulated.
  double flops(const InputExtents& in, const Extent& out) const {
    const Shape& shape = weight->shape();
    const auto window = static_cast<double>(shape[2] * shape[3]);
    const double sampled =
        static_cast<double>(out.batch * out.height * out.width) * static_cast<double>(in[0].channels) * window;
    return 2 * static_cast<double>(out.elements()) * static_cast<double>(shape[1]) * window +
           (modulated ? 9 : 8) * sampled;
  }
  std::string text() const {
    const Shape& shape = weight->shape();
    std::string text = " " + std::to_string(shape[2]) + "x" + std::to_string(shape[3]);
    if (stride != 1) text += "/" + std::to_string(stride);
    text += " " + std::to_string(shape[1] * groups) + " -> " + std::to_string(shape[0]);
    if (padding != 0) text += ", pad " + std::to_string(padding);
    if (dilation != 1) text += ", dilation " + std::to_string(dilation);
    if (groups != 1) text += ", groups " + std::to_string(groups);
    if (offset_groups != 1) text += ", " + std::to_string(offset_groups) + " groups of offsets";
    if (modulated) text += ", modulated";
    if (bias) text += ", bias";
    return text + after_comma(activation);
  }
};

}  // namespace maskrt::graph
