// Where the network begins.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// The network's input, normalised and padded.
struct Input {
  static constexpr std::string_view name = "input";
  static constexpr bool keeps_type = true;
  std::int64_t channels = 3;

  static void visit_attributes(auto& self, auto& visit) {
    visit.integer("channels", self.channels, 1, limits::kChannels);
  }
  Arity arity() const { return {0, 0}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const { in.fail("expected the input only as the first node"); }
  double flops(const InputExtents&, const Extent&) const { return 0; }
  std::string text() const { return " " + std::to_string(channels) + " channels"; }
};

}  // namespace maskrt::graph
