// How the CUDA convolutions want their weights: rows of the implicit GEMM's right side.
#pragma once

#include <cstddef>

#include "kernels/conv/conv.h"

namespace maskrt::kernels {

/// Row o of the packed weights belongs to output channel o and holds, for each tap (y, x) in order, the channels of its
/// group, padded with zeros to a multiple of 16 bytes; the row as a whole is padded with zeros to a multiple of 128
/// bytes. Two departures, each exact:
///   - groups with few channels are taken `merged` at a time as one group whose weights are block-diagonal, so that a
///     group's channels begin at a multiple of 16 bytes and fill a tile's columns;
///   - a map stored 4 channels a pixel is read as pairs of pixels of 8 channels, which halves the kernel's width.
/// Plans with equal layouts share packed weights.
struct ConvWeightLayout {
  DataType type = DataType::f32;  ///< f32 or f16
  int kernel_height = 1, kernel_width = 1;
  std::int64_t out_channels = 0;
  std::int64_t group_in = 0;  ///< channels that one group of the network reads
  int groups = 1;             ///< of the network
  int merged = 1;             ///< groups of the network in one group of the kernel
  bool pixel_pairs = false;
  int pair_shift = 0;             ///< columns of zeros before the kernel's first, so that windows begin with a pair
  std::int64_t tap_channels = 0;  ///< of one tap in a row, padding included
  std::int64_t depth = 0;         ///< elements of a row, padding included

  int device_groups() const { return groups / merged; }
  int device_kernel_width() const { return pixel_pairs ? (kernel_width + pair_shift + 1) / 2 : kernel_width; }
  std::size_t bytes() const { return static_cast<std::size_t>(out_channels * depth) * size_of(type); }
  bool operator==(const ConvWeightLayout&) const = default;
};

/// What a convolution that reads `in` is given; `data` is looked at for its alignment alone (null: aligned).
/// Merging comes with f16 alone.
ConvWeightLayout conv_weight_layout(const ConvGeometry& geometry, const Tensor& in, std::int64_t out_channels);

/// packed <- weight [out_channels, group_in, kernel_height, kernel_width], rounded to the layout's type.
/// `packed` is host memory of layout.bytes() bytes.
void pack_conv_weight(const ConvWeightLayout& layout, const float* weight, void* packed);

}  // namespace maskrt::kernels
