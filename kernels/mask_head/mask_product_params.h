// Parameters of the kernels of mask_product.cu and mask_product_mma.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

struct MaskProductParams {
  Map kernels;  ///< a list in fp32
  Map features, out;
  std::int32_t offset;  ///< 1: each kernel has one element more, an offset added at all positions
  std::int32_t tiles;   ///< consecutive position tiles that each block of mask_product_mma.cu computes
};

/// Tile of a block of mask_product_mma.cu.
struct MaskProductTile {
  static constexpr int kPositions = 64, kInstances = 104;
  static constexpr int kPadding = 8;           ///< padding channels that the last column of blocks writes at most
  static constexpr int kDepth = 256;           ///< elements of k in shared memory at a time
  static constexpr int kStride = kDepth + 32;  ///< row pitch in shared memory, in halves: rows start 16 banks apart
  static constexpr int kThreads = kPositions / 16 * 32;
  static constexpr int kSharedBytes = kInstances * (kStride * 2 + 4);
};

}  // namespace maskrt::kernels::cuda
