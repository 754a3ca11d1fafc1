// The coordinate term: what two coordinate channels contribute to a convolution, as a table for the CUDA epilogue.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/conv/conv.h"

namespace maskrt::kernels {

/// Among output positions whose windows have the same taps inside of the map (one border case), conv(coordinates) is
/// affine in the position: a + bx * x + by * y for each output channel. Layout of the table, in words of 32 bits:
///   int row_case[H'], then int column_case[W'], then padding to a multiple of 16 bytes;
///   float affine[case][3][channels], case = row_case[y] + column_case[x], in the order a, bx, by; channels is
///   out_channels rounded up to a multiple of 8, padded with zeros; the order of channels is that of coordinate_index()
///   (conv_params.h).
/// H' and W' are the output's height and width. A 3x3 convolution with padding has 9 cases.
struct CoordinateTable {
  std::vector<std::byte> bytes;  ///< to be copied to device memory aligned to 16 bytes
};

/// weight [out_channels, 2, kh, kw] (x, then y); the convolution's input is of `type` and has `height` x `width`.
CoordinateTable make_coordinate_table(const ConvGeometry& geometry, DataType type, const float* weight,
                                      std::int64_t out_channels, std::int64_t height, std::int64_t width);

}  // namespace maskrt::kernels
