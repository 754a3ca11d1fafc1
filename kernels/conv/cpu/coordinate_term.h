// The coordinate term: what two coordinate channels contribute to a convolution. It depends on the shape alone.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/conv/conv.h"

namespace maskrt::kernels {

/// conv(coordinates) is the sum of a term that depends on the column and the row's border class and a term that depends
/// on the row and the column's border class: two small tables instead of a map of [H', W', O]. A border class is the
/// set of kernel rows (or columns) that lie inside of the map.
class CoordinateTerm {
 public:
  /// weight [out_channels, 2, kh, kw] (x, then y); the convolution's input has `height` x `width`. The tables' channels
  /// are blocked by `block` and padded with zeros.
  CoordinateTerm(const ConvGeometry& geometry, const float* weight, std::int64_t out_channels, std::int64_t height,
                 std::int64_t width, std::int64_t block);

  /// out = term, or out += term. out [B, H', W', out_channels], fp32 or bf16, in blocks of the constructor's size.
  void write(const Tensor& out) const { apply(out, false); }
  void add(const Tensor& out) const { apply(out, true); }
  std::size_t bytes() const { return (by_column_.size() + by_row_.size()) * sizeof(float); }

 private:
  void apply(const Tensor& out, bool add) const;
  std::int64_t block_, blocks_, rows_, columns_;
  std::vector<int> row_class_, column_class_;
  std::vector<float> by_column_;  // [row class][block of channels][column][channel]
  std::vector<float> by_row_;     // [column class][block of channels][row][channel]
};

}  // namespace maskrt::kernels
