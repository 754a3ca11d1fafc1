// Maps of another height and width.
#pragma once

#include <cmath>

#include "graph/op.h"

namespace maskrt::graph {

/// Each pixel `factor` x `factor` times.
struct UpsampleNearest {
  static constexpr std::string_view name = "upsample_nearest";
  static constexpr bool keeps_type = false;
  int factor = 2;

  static void visit_attributes(auto& self, auto& visit) { visit.integer("factor", self.factor, 1, limits::kWindow); }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const {
    const Extent& x = in.map(0);
    return {x.batch, x.height * factor, x.width * factor, x.channels};
  }
  double flops(const InputExtents&, const Extent&) const { return 0; }
  std::string text() const { return " x" + std::to_string(factor); }
};

/// Bilinear, align_corners = false, no antialiasing, source coordinate clamped at 0.
/// `factor` 0: the sum of inputs[0 .. n-2], each resized to the height and width of the last input (whose numbers are
/// not read). Otherwise one input; size floor(n * factor), source step 1 / factor.
struct ResizeBilinear {
  static constexpr std::string_view name = "resize_bilinear";
  static constexpr bool keeps_type = false;
  double factor = 0;

  static void visit_attributes(auto& self, auto& visit) { visit.real("factor", self.factor, 0, limits::kWindow); }
  Arity arity() const { return factor == 0 ? Arity{2, limits::kInputs} : Arity{1, 1}; }
  Reads reads(std::size_t input, std::size_t inputs) const {
    return factor == 0 && input + 1 == inputs ? Reads::size : Reads::all;
  }
  void check(const NodeCheck& node) const {
    if (factor != 0 && factor < 1.0 / limits::kWindow)
      node.fail("expected factor 0 or at least 1/64, found " + std::to_string(factor));
  }
  Extent extent(const InputExtents& in) const {
    Extent out = in.map(0);
    if (factor != 0) {
      out.height = static_cast<std::int64_t>(std::floor(static_cast<double>(out.height) * factor));
      out.width = static_cast<std::int64_t>(std::floor(static_cast<double>(out.width) * factor));
      return out;
    }
    const std::size_t last = in.size() - 1;
    for (std::size_t i = 1; i < last; ++i) {
      in.map(i);
      in.expect_channels(i, out.channels);
    }
    out.height = in.map(last).height;
    out.width = in[last].width;
    return out;
  }
  double flops(const InputExtents& in, const Extent& out) const {  // four corners
    return 8 * static_cast<double>(out.elements()) * static_cast<double>(factor == 0 ? in.size() - 1 : 1);
  }
  std::string text() const { return factor == 0 ? " to the last input's size" : " x" + number_text(factor); }
};

}  // namespace maskrt::graph
