// Pooling.
#pragma once

#include "graph/op.h"

namespace maskrt::graph {

/// Windows of kernel x kernel; what lies outside is never the maximum.
struct MaxPool {
  static constexpr std::string_view name = "max_pool";
  static constexpr bool keeps_type = true;
  int kernel = 3, stride = 2, padding = 1;

  static void visit_attributes(auto& self, auto& visit) {
    visit.integer("kernel", self.kernel, 1, limits::kWindow);
    visit.integer("stride", self.stride, 1, limits::kWindow);
    visit.integer("padding", self.padding, 0, limits::kPadding);
  }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    // Otherwise a window could lie wholly outside the map and have no maximum.
    if (padding >= kernel)
      node.fail("expected padding below the kernel size " + std::to_string(kernel) + ", found " +
                std::to_string(padding));
  }
  Extent extent(const InputExtents& in) const {
    const Extent& x = in.map(0);
    return {x.batch, in.windows(x.height, kernel, stride, padding), in.windows(x.width, kernel, stride, padding),
            x.channels};
  }
  double flops(const InputExtents&, const Extent& out) const {
    return static_cast<double>(out.elements()) * kernel * kernel;
  }
  std::string text() const {
    return square_text(kernel) + "/" + std::to_string(stride) +
           (padding != 0 ? ", pad " + std::to_string(padding) : "");
  }
};

/// Means over windows of kernel x kernel. As many windows as begin inside of the map along each side, one stride after
/// another; of one that reaches beyond the map the part inside counts.
struct AveragePool {
  static constexpr std::string_view name = "average_pool";
  static constexpr bool keeps_type = true;
  int kernel = 2, stride = 2;

  static void visit_attributes(auto& self, auto& visit) {
    visit.integer("kernel", self.kernel, 1, limits::kWindow);
    visit.integer("stride", self.stride, 1, limits::kWindow);
  }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck& node) const {
    // Otherwise the last window could begin beyond what the strides before it skipped.
    if (stride > kernel)
      node.fail("expected a stride of at most the kernel size " + std::to_string(kernel) + ", found " +
                std::to_string(stride));
  }
  Extent extent(const InputExtents& in) const {
    const Extent& x = in.map(0);
    return {x.batch, windows(x.height), windows(x.width), x.channels};
  }
  double flops(const InputExtents&, const Extent& out) const {
    return static_cast<double>(out.elements()) * kernel * kernel;
  }
  std::string text() const { return square_text(kernel) + "/" + std::to_string(stride); }

 private:
  /// PyTorch's ceil_mode without padding: the last window is the first that reaches the end of `n` pixels.
  std::int64_t windows(std::int64_t n) const { return n <= kernel ? 1 : (n - kernel + stride - 1) / stride + 1; }
};

/// size x size means over windows floor(i * n / size) .. ceil((i + 1) * n / size).
struct AdaptiveAveragePool {
  static constexpr std::string_view name = "adaptive_average_pool";
  static constexpr bool keeps_type = false;
  int size = 1;

  static void visit_attributes(auto& self, auto& visit) { visit.integer("size", self.size, 1, limits::kWindow); }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  Extent extent(const InputExtents& in) const { return {in.map(0).batch, size, size, in[0].channels}; }
  double flops(const InputExtents& in, const Extent&) const { return in.elements(0); }
  std::string text() const { return square_text(size); }
};

}  // namespace maskrt::graph
