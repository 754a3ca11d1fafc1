// Mask logits: each instance's kernel times the mask features.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// inputs: kernels, a list [B, N, K] (or K + 1 with `offset`), features [B, h, w, K].
/// out [B, h, w, N] = features x kernels^T; with `offset` each kernel's last number is added to its whole map.
struct MaskProduct {
  static constexpr std::string_view name = "mask_product";
  static constexpr bool keeps_type = false;
  bool offset = false;

  static void visit_attributes(auto& self, auto& visit) { visit.boolean("offset", self.offset); }
  Arity arity() const { return {2, 2}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const {
    const Extent& kernels = in.list(0);
    const Extent& features = in.map(1);
    const std::int64_t numbers = features.channels + (offset ? 1 : 0);
    if (kernels.batch != features.batch || kernels.channels != numbers)
      in.fail("expected kernels of " + std::to_string(numbers) + " numbers for the features " + in.described(1) +
              ", found " + in.described(0));
    return {features.batch, features.height, features.width, kernels.height};
  }
  double flops(const InputExtents& in, const Extent& out) const {
    return 2 * static_cast<double>(out.elements()) * static_cast<double>(in[0].channels);
  }
  std::string text() const { return offset ? " with offset" : ""; }
};

}  // namespace maskrt::graph
