// The convolution kernels that the library carries.
#pragma once

#include <span>

#include "kernels/cuda/launch.h"
#include "maskrt/types.hpp"

namespace maskrt::kernels {

/// One kernel: the tile of its implicit GEMM and how it is computed.
struct ConvKernel {
  KernelName name;
  DataType type;                ///< type of the input and the weights
  KernelPath oldest, newest;    ///< instruction sets of the chips that run it
  bool tensor_cores;            ///< then chunks of 16 bytes must be aligned in the input
  bool tf32;                    ///< f32 operands, rounded to tf32
  int rows, columns;            ///< tile: pixels, output channels
  int step;                     ///< elements of depth that one iteration of the main loop multiplies
  int warp_rows, warp_columns;  ///< tile of one warp
  int threads;
  std::uint32_t shared_bytes;  ///< dynamic shared memory
  int resident;                ///< blocks on one multiprocessor, as far as registers allow

  bool stages_whole_tile;  ///< the mma.sync kernels: a block can stage all of its accumulators (cluster_rows.cuh)

  /// conv_patch_sm80.cu, conv_pairs_sm80.cu: a tile of rows has so many lines of pixels, else 0; `step` counts input
  /// channels of all taps.
  int patch_height = 0;
  int stages = 0;            ///< of those: steps in shared memory
  bool reads_pairs = false;  ///< conv_pairs_sm80.cu
  bool norms = false;        ///< the epilogue ends in a layer norm of whole pixels: for such problems alone

  /// Whether a tile's input is loaded once for all taps, with its halo.
  bool reads_patch() const { return patch_height != 0; }

  /// Whether operands are loaded by TMA, 64 channels of one tap a step. Such kernels are persistent and take
  /// ConvTmaParams.
  bool uses_tma() const { return oldest == KernelPath::sm90a; }
  /// Blocks with neighbouring pixels that share multicast loads of weights.
  int cluster() const { return uses_tma() ? 2 : 1; }
};

/// All kernels, in a fixed order: ConvChoice::kernel is an index into them.
std::span<const ConvKernel> conv_kernels();

}  // namespace maskrt::kernels
