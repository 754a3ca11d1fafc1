// A convolution's share of two coordinate channels, as the CUDA convolutions' epilogue reads it.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/conv/conv.h"

namespace maskrt::kernels {

/// Within the output positions whose windows have the same taps inside the map, conv(coordinates) is affine in the
/// position: a + bx * x + by * y for each output channel. The table, in words of 32 bits:
///   int row_case[H'], then int column_case[W'], then padding to a multiple of 16 bytes;
///   float affine[case][3][channels], case = row_case[y] + column_case[x], in the order a, bx, by; channels is
///   out_channels rounded up to a multiple of 8, padded with zeros. Where a channel is, coordinate_place() says
///   (conv_params.h).
/// Both H' and W' are the output's. A 3x3 convolution with padding has 9 cases.
struct CoordinateTable {
  std::vector<std::byte> bytes;  ///< goes to the device as it is, aligned to 16 bytes
};

/// weight [out_channels, 2, kh, kw] (x, then y); the map that is read is of `type` and has `height` x `width`.
CoordinateTable make_coordinate_table(const ConvGeometry& geometry, DataType type, const float* weight,
                                      std::int64_t out_channels, std::int64_t height, std::int64_t width);

}  // namespace maskrt::kernels
