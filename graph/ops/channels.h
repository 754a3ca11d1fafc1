// Maps and lists by their channels.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// Channels of all inputs, side by side.
struct Concat {
  static constexpr std::string_view name = "concat";
  static constexpr bool keeps_type = false;

  static void visit_attributes(auto&, auto&) {}
  Arity arity() const { return {1, limits::kInputs}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const {
    Extent out = in[0];
    for (std::size_t i = 1; i < in.size(); ++i) {
      in.expect_same_place(0, i);
      out.channels += in[i].channels;
    }
    return out;
  }
  double flops(const InputExtents&, const Extent&) const { return 0; }
  std::string text() const { return ""; }
};

/// Channels begin .. begin + count - 1 of x.
struct Slice {
  static constexpr std::string_view name = "slice";
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
    Extent out = in[0];
    if (begin + count > out.channels)
      in.fail("expected at least " + std::to_string(begin + count) + " channels, found " + in.described(0));
    out.channels = count;
    return out;
  }
  double flops(const InputExtents&, const Extent&) const { return 0; }
  std::string text() const { return " " + std::to_string(begin) + ":" + std::to_string(begin + count); }
};

/// Two channels, x then y, each from -1 to 1 inclusive over the height and width of x (whose numbers are not read).
struct Coordinates {
  static constexpr std::string_view name = "coordinates";
  static constexpr bool keeps_type = false;

  static void visit_attributes(auto&, auto&) {}
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::size; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const {
    Extent out = in.map(0);
    out.channels = 2;
    return out;
  }
  double flops(const InputExtents&, const Extent&) const { return 0; }
  std::string text() const { return ""; }
};

}  // namespace maskrt::graph
