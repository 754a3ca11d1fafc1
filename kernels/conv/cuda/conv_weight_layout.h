// Packed weights of the CUDA convolutions: the right operand (B) of the implicit GEMM, one row for each output channel.
#pragma once

#include <cstddef>

#include "kernels/conv/conv.h"

namespace maskrt::kernels {

/// Row o holds the weights of output channel o: for each tap (y, x) in order the input channels of its group, padded
/// with zeros to a multiple of 16 bytes; the row as a whole is padded with zeros to a multiple of 128 bytes. Two exact
/// transformations:
///   - merged groups: `merged` groups with few channels become one group with block-diagonal weights, so that each
///     group's channels start at a multiple of 16 bytes and fill a tile's columns. Example: 32 groups of 4 channels in
///     f16 are merged by 8, into 4 groups of 32 channels.
///   - pixel pairs: a map stored as 4 channels a pixel is read as pairs of pixels with 8 channels, which halves the
///     kernel's width and horizontal stride. Example: 7 x 7 with stride 2 and padding 3 becomes 7 x 4 (pair_shift 1).
/// Plans with equal layouts share packed weights.
struct ConvWeightLayout {
  DataType type = DataType::f32;  ///< f32 or f16
  int kernel_height = 1, kernel_width = 1;
  std::int64_t out_channels = 0;
  std::int64_t group_in = 0;  ///< input channels of one group of the network
  int groups = 1;             ///< groups of the network
  int merged = 1;             ///< groups of the network in one group of the kernel
  bool pixel_pairs = false;
  int pair_shift = 0;             ///< zero columns before the kernel's first, so that windows start at a pair
  std::int64_t tap_channels = 0;  ///< elements of one tap in a row, padding included
  std::int64_t depth = 0;         ///< elements of a row, padding included

  int device_groups() const { return groups / merged; }
  int device_kernel_width() const { return pixel_pairs ? (kernel_width + pair_shift + 1) / 2 : kernel_width; }
  std::size_t bytes() const { return static_cast<std::size_t>(out_channels * depth) * size_of(type); }
  bool operator==(const ConvWeightLayout&) const = default;
};

/// The layout for a convolution that reads `in`; of in.data only the alignment matters (null: aligned). Groups are
/// merged in f16 only.
ConvWeightLayout conv_weight_layout(const ConvGeometry& geometry, const Tensor& in, std::int64_t out_channels);

/// packed <- weight [out_channels, group_in, kernel_height, kernel_width], rounded to the layout's type.
/// `packed` is host memory of layout.bytes() bytes.
void pack_conv_weight(const ConvWeightLayout& layout, const float* weight, void* packed);

}  // namespace maskrt::kernels
