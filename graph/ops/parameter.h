// Values that are weights: learned queries and their positions.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// The rows of a constant, as a list that is the same for each image of the batch.
struct Parameter {
  static constexpr std::string_view name = "parameter";
  static constexpr bool keeps_type = false;
  ConstantPtr value;  ///< [rows, channels]

  static void visit_attributes(auto& self, auto& visit) { visit.constant("value", self.value, false); }
  Arity arity() const { return {0, 0}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const { node.expect_bounds(value, {limits::kChannels, limits::kChannels}); }
  Extent extent(const InputExtents& in) const { return {in.batch(), value->shape()[0], 1, value->shape()[1], true}; }
  double flops(const InputExtents&, const Extent&) const { return 0; }
  std::string text() const {
    return " " + std::to_string(value->shape()[0]) + " x " + std::to_string(value->shape()[1]);
  }
};

}  // namespace maskrt::graph
