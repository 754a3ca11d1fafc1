// What transformers add to convolutions.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// Layer normalisation (Ba et al., 2016) of each position's channels: out = activation((x - mean) / sqrt(variance +
/// epsilon) * weight + bias), the variance being the mean square distance from the mean.
struct LayerNorm {
  static constexpr std::string_view name = "layer_norm";
  static constexpr bool keeps_type = true;
  ConstantPtr weight, bias;  ///< [C]
  double epsilon = 1e-5;
  Activation activation = Activation::none;

  static void visit_attributes(auto& self, auto& visit) {
    visit.constant("weight", self.weight, false);
    visit.constant("bias", self.bias, false);
    visit.real("epsilon", self.epsilon, 0, 1);
    visit.activation("activation", self.activation);
  }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    node.expect_bounds(weight, {limits::kChannels});
    node.expect_shape(bias, "bias", weight->shape());
  }
  Extent extent(const InputExtents& in) const {
    in.expect_channels(0, weight->shape()[0]);
    return in[0];
  }
  double flops(const InputExtents&, const Extent& out) const { return 8 * static_cast<double>(out.elements()); }
  std::string text() const { return " epsilon " + number_text(epsilon) + after_comma(activation); }
};

/// Multi-head attention (Vaswani et al., 2017) without its projections. inputs: queries [.., C], keys [.., C] and
/// values [.., D], maps or lists, of whose pixels or rows each is one query, one key or one value. `heads` equal parts
/// of consecutive channels attend by themselves: out = softmax over keys(query . key / sqrt(C / heads)) x values. The
/// output has the queries' place and the values' channels.
///
/// `masked`: a fourth input, mask logits, is a map in the keys' place (masked attention; Cheng et al., 2022). Its
/// channel q is query q's mask, for all heads: keys where the logit is below 0 are left out for that query, unless all
/// are. Queries beyond its channels attend everywhere.
struct Attention {
  static constexpr std::string_view name = "attention";
  static constexpr bool keeps_type = true;
  int heads = 1;
  bool masked = false;

  static void visit_attributes(auto& self, auto& visit) {
    visit.integer("heads", self.heads, 1, limits::kChannels);
    visit.boolean("masked", self.masked, InFiles::unless_default);
  }
  Arity arity() const { return masked ? Arity{4, 4} : Arity{3, 3}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const {
    in.expect_channels(1, in[0].channels);
    in.expect_same_place(1, 2);
    if (in[0].batch != in[1].batch)
      in.fail("expected keys for each image of " + in.described(0) + ", found " + in.described(1));
    for (const std::size_t i : {std::size_t{0}, std::size_t{2}})
      if (in[i].channels % heads != 0)
        in.fail("expected channels that " + std::to_string(heads) + " heads divide, found " + in.described(i));
    if (masked) {
      in.map(3);
      in.expect_same_place(1, 3);
      if (in[3].channels > in[0].height * in[0].width)
        in.fail("expected at most one mask for each query of " + in.described(0) + ", found " + in.described(3));
    }
    Extent out = in[0];
    out.channels = in[2].channels;
    return out;
  }
  double flops(const InputExtents& in, const Extent& out) const {
    const auto keys = static_cast<double>(in[1].height * in[1].width);
    const auto products = in.elements(0) + static_cast<double>(out.elements());
    const double exponentials = static_cast<double>(out.batch * out.height * out.width * heads) * keys;
    return 2 * products * keys + 4 * exponentials;
  }
  std::string text() const {
    return " " + std::to_string(heads) + (heads == 1 ? " head" : " heads") + (masked ? ", masked" : "");
  }
};

}  // namespace maskrt::graph
