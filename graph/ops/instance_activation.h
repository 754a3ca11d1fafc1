// From instance activation maps to a list of instance features.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// Each map divided by max(its sum over positions, epsilon).
struct NormaliseMaps {
  static constexpr std::string_view name = "normalise_maps";
  static constexpr bool keeps_type = false;
  double epsilon = 1e-6;

  static void visit_attributes(auto& self, auto& visit) { visit.real("epsilon", self.epsilon, 0, 1); }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const { return in.map(0); }
  double flops(const InputExtents&, const Extent& out) const { return 2 * static_cast<double>(out.elements()); }
  std::string text() const { return " epsilon " + number_text(epsilon); }
};

/// Softmax of each map over its positions.
struct SoftmaxMaps {
  static constexpr std::string_view name = "softmax_maps";
  static constexpr bool keeps_type = false;

  static void visit_attributes(auto&, auto&) {}
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const { return in.map(0); }
  double flops(const InputExtents&, const Extent& out) const { return 4 * static_cast<double>(out.elements()); }
  std::string text() const { return ""; }
};

/// The list [B, M, C] that maps [B, h, w, M] and features [B, h, w, C] give.
inline Extent aggregated_extent(const InputExtents& in) {
  in.map(0), in.map(1);
  in.expect_same_place(0, 1);
  return {in[0].batch, in[0].channels, 1, in[1].channels, true};
}

/// Every position of every map meets every feature.
inline double aggregation_flops(const InputExtents& in) {
  return 2 * in.elements(0) * static_cast<double>(in[1].channels);
}

/// inputs: maps [B, h, w, M], features [B, h, w, C]. out [B, M, C] (a list) = maps^T x features.
struct Aggregate {
  static constexpr std::string_view name = "aggregate";
  static constexpr bool keeps_type = false;

  static void visit_attributes(auto&, auto&) {}
  Arity arity() const { return {2, 2}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const { return aggregated_extent(in); }
  double flops(const InputExtents& in, const Extent&) const { return aggregation_flops(in); }
  std::string text() const { return ""; }
};

/// Aggregate with its maps still logits: sigmoid and normaliser (or softmax) are part of the operation, and so may be
/// the bias of the logits.
struct AggregateLogits {
  static constexpr std::string_view name = "aggregate_logits";
  static constexpr bool keeps_type = false;
  bool softmax = false;
  double epsilon = 1e-6;
  ConstantPtr bias = {};  ///< [M], added to each map before all else; or null. Not all devices take one (FusedKernels)

  static void visit_attributes(auto& self, auto& visit) {
    visit.boolean("softmax", self.softmax);
    visit.real("epsilon", self.epsilon, 0, 1);
    visit.constant("bias", self.bias, true);
  }
  Arity arity() const { return {2, 2}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    if (bias) node.expect_bounds(bias, {limits::kChannels});
  }
  Extent extent(const InputExtents& in) const {
    if (bias) in.expect_channels(0, bias->shape()[0]);
    return aggregated_extent(in);
  }
  double flops(const InputExtents& in, const Extent&) const { return aggregation_flops(in) + 2 * in.elements(0); }
  std::string text() const {
    return (softmax ? " softmax" : " sigmoid, epsilon " + number_text(epsilon)) + (bias ? ", bias" : "");
  }
};

}  // namespace maskrt::graph
