// The convolution kernels that the library carries.
#pragma once

#include <span>

#include "kernels/cuda/launch.h"
#include "maskrt/types.hpp"

namespace maskrt::kernels {

/// One kernel: a tile of the implicit GEMM and how it is computed.
struct ConvKernel {
  KernelName name;
  DataType type;                ///< of the input and the weights
  KernelPath oldest, newest;    ///< of the chips that run it
  bool tensor_cores;            ///< then the input's pieces of 16 bytes must be aligned
  bool tf32;                    ///< f32 by way of tf32
  int rows, columns;            ///< of a tile: pixels, output channels
  int step;                     ///< elements of the depth that it takes at a time
  int warp_rows, warp_columns;  ///< of the tile of one warp
  int threads;
  std::uint32_t shared_bytes;  ///< dynamic
  int resident;                ///< blocks that registers allow on one multiprocessor

  /// Fed by tensor copies, 64 channels of one tap a step; takes ConvTmaParams, and its blocks stay for several tiles.
  bool by_tensor_copies() const { return oldest == KernelPath::sm90a; }
  /// Blocks that take neighbouring pixels together and share the copies of weights.
  int cluster() const { return by_tensor_copies() ? 2 : 1; }
};

/// In an order that stays: ConvChoice::kernel counts from the first.
std::span<const ConvKernel> conv_kernels();

}  // namespace maskrt::kernels
