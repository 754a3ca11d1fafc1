// The parameters of the kernel of stem_pool.cu, and its tile.
#pragma once

#include "kernels/activation.h"
#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

// Tile of a block: kStemPooled^2 pooled pixels, from kStemRows x (kStemColumns - 1) convolution pixels with their halo.
// The last column is computed and not used. It avoids bank conflicts: a row of 18 windows spans 288 bytes, two rows of
// the patch 800 bytes, which are equal modulo 128, so that ldmatrix's 8 rows hit different banks where they wrap, too.
constexpr int kStemPooled = 8;
constexpr int kStemRows = 2 * kStemPooled + 1, kStemColumns = 2 * kStemPooled + 2, kStemChannels = 64;
constexpr int kStemPixelChannels = 4;  // stored channels of an input pixel; the last may be zeros
constexpr int kStemThreads = 320;      // 10 warps with 2 mma tiles of 16 rows each: 320 rows for 306 convolution pixels

// Packed weights: a row for each output channel, 7 rows of 8 taps (the 8th is zero) of 4 channels, and 16 bytes of
// padding so that consecutive rows start in different banks.
constexpr int kStemTaps = 7, kStemTapRow = 8 * 4, kStemDepth = kStemTaps * kStemTapRow, kStemWeightRow = kStemDepth + 8;

struct StemPoolParams {
  Map in, out;
  const void* weights;                   ///< [a multiple of 64][kStemWeightRow], f16
  const float* scale;                    ///< [O], or null: 1
  const float* bias;                     ///< [O], or null: 0
  std::int32_t conv_height, conv_width;  ///< extent of the convolution's map
  std::int32_t tiles_across;             ///< tiles in a row of the pooled map
  Activation activation;
};

}  // namespace maskrt::kernels::cuda
