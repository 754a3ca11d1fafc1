// Fused operations: several layers that some devices compute in one kernel. Each is defined by the operations that it
// stands for, with which rewrites/unfuse.cpp replaces it on a device without such a kernel. `fused` says that it is
// one.
#pragma once

#include <span>

#include "graph/op.h"
#include "lists.h"
#include "pools.h"

namespace maskrt::graph {

/// A ResNet stem: out = MaxPool 3x3 of stride 2 and padding 1 of activation(conv(x) + bias), where conv has stride 2
/// and a padding of half its kernel. x [B, H, W, C] -> [B, about H / 4, about W / 4, O].
struct StemPool {
  static constexpr std::string_view name = "stem_pool";
  static constexpr bool keeps_type = false, fused = true;
  ConstantPtr weight;  ///< [O, C, k, k], k odd
  ConstantPtr bias;    ///< [O], or null
  Activation activation = Activation::relu;

  static void visit_attributes(auto& self, auto& visit) {
    visit.constant("weight", self.weight, false);
    visit.constant("bias", self.bias, true);
    visit.activation("activation", self.activation);
  }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    node.expect_bounds(weight, {limits::kChannels, limits::kChannels, limits::kWindow, limits::kWindow});
    const Shape& shape = weight->shape();
    if (shape[2] != shape[3] || shape[2] % 2 == 0)
      node.fail("expected a square kernel of an odd side, found weight " + weight->name() + " of shape " +
                to_string(shape));
    node.expect_shape(bias, "bias", {shape[0]});
  }
  Extent extent(const InputExtents& in) const {
    const Extent conv = conv_extent(in);
    return {conv.batch, in.windows(conv.height, 3, 2, 1), in.windows(conv.width, 3, 2, 1), conv.channels};
  }
  double flops(const InputExtents& in, const Extent& out) const {
    const Shape& shape = weight->shape();
    return 2 * static_cast<double>(conv_extent(in).elements()) * static_cast<double>(shape[1] * shape[2] * shape[3]) +
           9 * static_cast<double>(out.elements());
  }
  std::string text() const {
    const Shape& shape = weight->shape();
    return square_text(static_cast<int>(shape[2])) + "/2 " + std::to_string(shape[1]) + " -> " +
           std::to_string(shape[0]) + (bias ? ", bias" : "") + after_comma(activation) + ", max 3x3/2";
  }

  /// Extent of the map between convolution and pool.
  Extent conv_extent(const InputExtents& in) const {
    const Extent& x = in.map(0);
    const Shape& shape = weight->shape();
    in.expect_channels(0, shape[1]);
    return {x.batch, in.windows(x.height, shape[2], 2, shape[2] / 2), in.windows(x.width, shape[3], 2, shape[3] / 2),
            shape[0]};
  }
};

/// The shortcut of a ResNet-D: out = activation(conv(pool(x)) + bias), where pool is AveragePool{2, 2} and
/// conv a 1x1 convolution. x [B, H, W, C] -> [B, ceil(H / 2), ceil(W / 2), O].
struct PooledConv {
  static constexpr std::string_view name = "pooled_conv";
  static constexpr bool keeps_type = false, fused = true;
  ConstantPtr weight;  ///< [O, C, 1, 1]
  ConstantPtr bias;    ///< [O], or null
  Activation activation = Activation::none;

  static void visit_attributes(auto& self, auto& visit) {
    visit.constant("weight", self.weight, false);
    visit.constant("bias", self.bias, true);
    visit.activation("activation", self.activation);
  }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    node.expect_bounds(weight, {limits::kChannels, limits::kChannels, 1, 1});
    node.expect_shape(bias, "bias", {weight->shape()[0]});
  }
  Extent extent(const InputExtents& in) const {
    in.expect_channels(0, weight->shape()[1]);
    Extent out = AveragePool{2, 2}.extent(in);
    out.channels = weight->shape()[0];
    return out;
  }
  /// The means and the products, as of two operations.
  double flops(const InputExtents&, const Extent& out) const {
    const auto pixels = static_cast<double>(out.batch * out.height * out.width);
    const auto channels = static_cast<double>(weight->shape()[1]);
    return 4 * pixels * channels + 2 * static_cast<double>(out.elements()) * channels;
  }
  std::string text() const {
    return " mean 2x2/2, 1x1 " + std::to_string(weight->shape()[1]) + " -> " + std::to_string(weight->shape()[0]) +
           (bias ? ", bias" : "") + after_comma(activation);
  }
};

/// A pyramid of average pools on one map: output i [B, size, size, O] = W2 activation(W1 pool(x) + b1) + b2, where pool
/// is an AdaptiveAveragePool of the branch's size and W1 and W2 are 1x1 convolutions.
struct PyramidPool {
  static constexpr std::string_view name = "pyramid_pool";
  static constexpr bool keeps_type = false, fused = true;
  struct Branch {
    int size = 1;
    ConstantPtr stage_weight;  ///< W1, [hidden, C, 1, 1]
    ConstantPtr stage_bias;    ///< [hidden], or null
    Activation activation = Activation::relu;
    ConstantPtr weight;  ///< W2, [O, hidden, 1, 1]
    ConstantPtr bias;    ///< [O], or null

    static void visit_attributes(auto& self, auto& visit) {
      visit.integer("size", self.size, 1, limits::kWindow);
      visit.constant("stage_weight", self.stage_weight, false);
      visit.constant("stage_bias", self.stage_bias, true);
      visit.activation("activation", self.activation);
      visit.constant("weight", self.weight, false);
      visit.constant("bias", self.bias, true);
    }
  };
  std::vector<Branch> branches;

  static void visit_attributes(auto& self, auto& visit) { visit.parts("branches", self.branches, 1, limits::kOutputs); }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    for (const Branch& branch : branches) {
      node.expect_bounds(branch.stage_weight, {limits::kChannels, limits::kChannels, 1, 1});
      node.expect_bounds(branch.weight, {limits::kChannels, limits::kChannels, 1, 1});
      const std::int64_t hidden = branch.stage_weight->shape()[0], out = branch.weight->shape()[0];
      node.expect_shape(branch.stage_bias, "stage bias", {hidden});
      node.expect_shape(branch.weight, "weight", {out, hidden, 1, 1});
      node.expect_shape(branch.bias, "bias", {out});
    }
  }
  std::size_t outputs() const { return branches.size(); }
  std::vector<Extent> extents(const InputExtents& in) const {
    const Extent& x = in.map(0);
    std::vector<Extent> outs;
    for (const Branch& branch : branches) {
      in.expect_channels(0, branch.stage_weight->shape()[1]);
      outs.push_back({x.batch, branch.size, branch.size, branch.weight->shape()[0]});
    }
    return outs;
  }
  double flops(const InputExtents& in, std::span<const Extent> out) const {
    double sum = 0;
    for (std::size_t i = 0; i < branches.size(); ++i) {
      const auto cells = static_cast<double>(out[i].batch * out[i].height * out[i].width);
      sum += in.elements(0) + 2 * cells * static_cast<double>(elements(branches[i].stage_weight->shape())) +
             2 * cells * static_cast<double>(elements(branches[i].weight->shape()));
    }
    return sum;
  }
  std::string text() const {
    std::string text;
    for (const Branch& branch : branches)
      text += (text.empty() ? " " : ", ") + std::to_string(branch.size) + "x" + std::to_string(branch.size) + " " +
              std::to_string(branch.stage_weight->shape()[1]) + " -> " +
              std::to_string(branch.stage_weight->shape()[0]) + " -> " + std::to_string(branch.weight->shape()[0]);
    return text;
  }
};

/// Several linear layers on one list: output i = heads[i](x). With `blocks` the list is read as Regroup{blocks,
/// instances} gives it.
struct LinearHeads {
  static constexpr std::string_view name = "linear_heads";
  static constexpr bool keeps_type = false, fused = true;
  std::vector<Linear> heads;
  std::int64_t blocks = 0, instances = 0;  ///< blocks 0: the list as it is

  static void visit_attributes(auto& self, auto& visit) {
    visit.parts("heads", self.heads, 1, limits::kOutputs);
    visit.integer("blocks", self.blocks, 0, limits::kChannels);
    visit.integer("instances", self.instances, 0, limits::kChannels);
  }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    for (const Linear& head : heads) head.check(node);
    if ((blocks == 0) != (instances == 0))
      node.fail("expected blocks and instances, or neither, found " + std::to_string(blocks) + " and " +
                std::to_string(instances));
  }
  std::size_t outputs() const { return heads.size(); }
  std::vector<Extent> extents(const InputExtents& in) const {
    const Extent list = blocks == 0 ? in.list(0) : Regroup{blocks, instances}.extent(in);
    std::vector<Extent> outs;
    for (const Linear& head : heads) {
      if (head.weight->shape()[1] != list.channels)
        in.fail("expected a list of " + std::to_string(head.weight->shape()[1]) + " numbers for weight " +
                head.weight->name() + ", found " + to_text(list));
      outs.push_back(list);
      outs.back().channels = head.weight->shape()[0];
    }
    return outs;
  }
  double flops(const InputExtents& in, std::span<const Extent> out) const {
    double sum = 0;
    for (std::size_t i = 0; i < heads.size(); ++i) sum += heads[i].flops(in, out[i]);
    return sum;
  }
  std::string text() const {
    std::string text = blocks == 0 ? "" : " regrouped" + Regroup{blocks, instances}.text();
    for (const Linear& head : heads) text += (text.empty() ? "" : ",") + head.text();
    return text;
  }
};

}  // namespace maskrt::graph
