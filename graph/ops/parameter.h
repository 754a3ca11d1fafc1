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

/// A constant map, resized bilinearly to the height and width of x (whose numbers are not read), the same for each
/// image of the batch: learned positions. As ResizeBilinear: align_corners = false, source coordinate clamped at 0.
struct ParameterMap {
  static constexpr std::string_view name = "parameter_map";
  static constexpr bool keeps_type = false;
  ConstantPtr value;  ///< [1, channels, height, width]

  static void visit_attributes(auto& self, auto& visit) { visit.constant("value", self.value, false); }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::size; }
  void check(const NodeCheck& node) const {
    node.expect_bounds(value, {1, limits::kChannels, limits::kSide, limits::kSide});
  }
  Extent extent(const InputExtents& in) const {
    Extent out = in.map(0);
    out.channels = value->shape()[1];
    out.element = Element::number;
    return out;
  }
  double flops(const InputExtents&, const Extent& out) const { return 8 * static_cast<double>(out.elements()); }
  std::string text() const {
    const Shape& shape = value->shape();
    return " " + std::to_string(shape[2]) + "x" + std::to_string(shape[3]) + " x " + std::to_string(shape[1]);
  }
};

}  // namespace maskrt::graph
