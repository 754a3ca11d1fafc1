// Parameters of the kernels of mask_product.cu and mask_product_mma.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

struct MaskProductParams {
  Map kernels;  ///< a list in fp32
  Map features, out;
  std::int32_t offset;  ///< 1: each kernel has one number more, which is added to the whole map
  std::int32_t tiles;   ///< of positions, that one block takes one after another
};

/// What a block of mask_product_mma.cu takes.
struct MaskProductTile {
  static constexpr int positions = 64, instances = 104;
  static constexpr int padding = 8;          ///< channels that the last column of blocks writes behind its instances
  static constexpr int depth = 256;          ///< features that lie in shared memory at a time
  static constexpr int stride = depth + 32;  ///< fp16 numbers from one kernel to the next: half of all banks on
  static constexpr int threads = positions / 16 * 32;
  static constexpr int shared_bytes = instances * (stride * 2 + 4);
};

}  // namespace maskrt::kernels::cuda
