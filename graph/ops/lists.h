// Lists of vectors: instance features and what heads make of them.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// A list of rows [B, G * N, C], read row-major as [blocks, instances, G * N * C / (blocks * instances)], becomes the
/// list [instances, blocks * ...]: each instance's blocks side by side.
struct Regroup {
  static constexpr std::string_view name = "regroup";
  static constexpr bool keeps_type = false;
  std::int64_t blocks = 4, instances = 100;

  static void visit_attributes(auto& self, auto& visit) {
    visit.integer("blocks", self.blocks, 1, limits::kChannels);
    visit.integer("instances", self.instances, 1, limits::kChannels);
  }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const {
    const Extent& x = in.list(0);
    // At most 2^40 each, so the remainder is exact.
    const std::int64_t numbers = x.height * x.channels, parts = blocks * instances;
    if (numbers % parts != 0)
      in.fail("expected a list whose numbers divide into " + std::to_string(blocks) + " blocks of " +
              std::to_string(instances) + " instances, found " + in.described(0));
    return {x.batch, instances, 1, numbers / instances, true};
  }
  double flops(const InputExtents&, const Extent&) const { return 0; }
  std::string text() const { return " " + std::to_string(blocks) + " blocks of " + std::to_string(instances); }
};

/// Lists of as many channels one below the other: [B, N, C], [B, M, C], ... become [B, N + M + ..., C].
struct ConcatRows {
  static constexpr std::string_view name = "concat_rows";
  static constexpr bool keeps_type = true;

  static void visit_attributes(auto&, auto&) {}
  Arity arity() const { return {1, limits::kInputs}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const {
    Extent out = in.list(0);
    for (std::size_t i = 1; i < in.size(); ++i) {
      in.expect_channels(i, out.channels);
      if (in.list(i).batch != out.batch)
        in.fail("expected lists of one batch, found " + in.described(0) + " and " + in.described(i));
      out.height += in[i].height;
    }
    return out;
  }
  double flops(const InputExtents&, const Extent&) const { return 0; }
  std::string text() const { return ""; }
};

/// Rows begin .. begin + count - 1 of a list.
struct SliceRows {
  static constexpr std::string_view name = "slice_rows";
  static constexpr bool keeps_type = true;
  std::int64_t begin = 0, count = 0;

  static void visit_attributes(auto& self, auto& visit) {
    visit.integer("begin", self.begin, 0, limits::kChannels);
    visit.integer("count", self.count, 1, limits::kChannels);
  }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::part; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const {
    Extent out = in.list(0);
    if (begin + count > out.height)
      in.fail("expected at least " + std::to_string(begin + count) + " rows, found " + in.described(0));
    out.height = count;
    return out;
  }
  double flops(const InputExtents&, const Extent&) const { return 0; }
  std::string text() const { return " " + std::to_string(begin) + ":" + std::to_string(begin + count); }
};

/// out = activation(x weight^T + bias) for each vector of a list, or each pixel of a map.
struct Linear {
  static constexpr std::string_view name = "linear";
  static constexpr bool keeps_type = false;
  ConstantPtr weight;  ///< [out, in]
  ConstantPtr bias;    ///< [out], or null
  Activation activation = Activation::none;
  bool of_map = false;  ///< x is a map

  static void visit_attributes(auto& self, auto& visit) {
    visit.constant("weight", self.weight, false);
    visit.constant("bias", self.bias, true);
    visit.activation("activation", self.activation);
    visit.boolean("of_map", self.of_map, InFiles::unless_default);
  }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    node.expect_bounds(weight, {limits::kChannels, limits::kChannels});
    node.expect_shape(bias, "bias", {weight->shape()[0]});
  }
  Extent extent(const InputExtents& in) const {
    Extent out = of_map ? in.map(0) : in.list(0);
    in.expect_channels(0, weight->shape()[1]);
    out.channels = weight->shape()[0];
    return out;
  }
  double flops(const InputExtents&, const Extent& out) const {
    return 2 * static_cast<double>(out.elements()) * static_cast<double>(weight->shape()[1]);
  }
  std::string text() const {
    const Shape& shape = weight->shape();
    return " " + std::to_string(shape[1]) + " -> " + std::to_string(shape[0]) + (bias ? ", bias" : "") +
           after_comma(activation);
  }
};

}  // namespace maskrt::graph
