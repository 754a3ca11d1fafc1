// Queries out of a map: a score for each position, the positions of the best, and what a map holds there.
// Position p of a map is the pixel (p / width, p % width); of a list, row p.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// Logits [B, h, w, K + 1] of K classes and, last, of none become a list [B, h * w, 1] of scores, one a position.
/// With p the softmax over a position's K + 1 logits and c the class (of K) of its largest logit, the lowest of equals,
/// the score is p[c], plus 1 where the position is a local maximum: p[c] is at least epsilon and at least the p[c] of
/// each of its eight neighbours whose class is c too. Neighbours of another class and beyond the map do not count.
struct ProposalScores {
  static constexpr std::string_view name = "proposal_scores";
  static constexpr bool keeps_type = false;
  double epsilon = 1e-6;

  static void visit_attributes(auto& self, auto& visit) { visit.real("epsilon", self.epsilon, 0, 1); }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const {
    const Extent& logits = in.map(0);
    if (logits.channels < 2) in.fail("expected logits of a class and of none at least, found " + in.described(0));
    in.expect_positions(0);
    return {logits.batch, logits.height * logits.width, 1, 1, true};
  }
  double flops(const InputExtents& in, const Extent&) const { return 4 * in.elements(0); }
  std::string text() const { return " epsilon " + number_text(epsilon); }
};

/// The positions of the `count` largest numbers of a map or list of one channel, descending, and those numbers: two
/// lists [B, count, 1]. Of equal numbers the lower position comes first; -0 equals 0, and what is no number comes last.
struct SelectTop {
  static constexpr std::string_view name = "select_top";
  static constexpr bool keeps_type = false;
  std::int64_t count = 100;

  static void visit_attributes(auto& self, auto& visit) { visit.integer("count", self.count, 1, limits::kSelected); }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  std::size_t outputs() const { return 2; }
  std::vector<Extent> extents(const InputExtents& in) const {
    in.expect_channels(0, 1);
    in.expect_positions(0);
    if (in[0].height * in[0].width < count)
      in.fail("expected at least " + std::to_string(count) + " positions, found " + in.described(0));
    return {{in[0].batch, count, 1, 1, true, Element::integer}, {in[0].batch, count, 1, 1, true}};
  }
  double flops(const InputExtents& in, std::span<const Extent>) const { return in.elements(0); }
  std::string text() const { return " " + std::to_string(count); }
};

/// inputs: x, a map or list of C channels; positions, integers [B, N, 1]. out [B, N, C] (a list): x at these positions.
/// A position outside of x gives zeros.
struct GatherPositions {
  static constexpr std::string_view name = "gather_positions";
  static constexpr bool keeps_type = false;

  static void visit_attributes(auto&, auto&) {}
  Arity arity() const { return {2, 2}; }
  Reads reads(std::size_t input, std::size_t) const { return input == 0 ? Reads::part : Reads::integers; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const {
    const Extent& positions = in.list(1);
    in.expect_channels(1, 1);
    if (positions.batch != in[0].batch)
      in.fail("expected positions for each image of " + in.described(0) + ", found " + in.described(1));
    return {positions.batch, positions.height, 1, in[0].channels, true};
  }
  double flops(const InputExtents&, const Extent&) const { return 0; }
  std::string text() const { return ""; }
};

}  // namespace maskrt::graph
