// What is done to each element by itself.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// out = activation(x).
struct Activate {
  static constexpr std::string_view name = "activate";
  static constexpr bool keeps_type = true;
  Activation activation = Activation::relu;

  static void visit_attributes(auto& self, auto& visit) { visit.activation("activation", self.activation); }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const { return in[0]; }
  double flops(const InputExtents&, const Extent& out) const { return static_cast<double>(out.elements()); }
  std::string text() const { return " " + std::string(name_of(activation)); }
};

/// inputs[0] + inputs[1], of one shape.
struct Add {
  static constexpr std::string_view name = "add";
  static constexpr bool keeps_type = true;

  static void visit_attributes(auto&, auto&) {}
  Arity arity() const { return {2, 2}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const {
    if (!(in[0] == in[1]))
      in.fail("expected inputs of one shape, found " + in.described(0) + " and " + in.described(1));
    return in[0];
  }
  double flops(const InputExtents&, const Extent& out) const { return static_cast<double>(out.elements()); }
  std::string text() const { return ""; }
};

}  // namespace maskrt::graph
