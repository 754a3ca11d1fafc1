// The parameters of the kernel of stem_pool.cu, and its tile.
#pragma once

#include "kernels/activation.h"
#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

// A block's tile of the pooled map, and the convolution's pixels that it is made of: one more a side, and one column
// that nobody uses, which has rows of the product that wrap meet other banks.
constexpr int kStemPooled = 8;
constexpr int kStemRows = 2 * kStemPooled + 1, kStemColumns = 2 * kStemPooled + 2, kStemChannels = 64;
constexpr int kStemThreads = 320;  // a warp has two of the 20 stretches of 16 pixels

// Weights: a row for each output channel, 7 x 8 taps of 4 channels (the last tap of a row is zero), and room that has
// rows begin in different banks.
constexpr int kStemTaps = 7, kStemTapRow = 8 * 4, kStemDepth = kStemTaps * kStemTapRow, kStemWeightRow = kStemDepth + 8;

struct StemPoolParams {
  Map in, out;
  const void* weights;                   ///< [a multiple of 64][kStemWeightRow], f16
  const float* scale;                    ///< by channel, or null
  const float* bias;                     ///< by channel, or null
  std::int32_t conv_height, conv_width;  ///< of the map between
  std::int32_t tiles_across;             ///< of the pooled map
  Activation activation;
};

}  // namespace maskrt::kernels::cuda
