// Parameters of the kernels of group_norm.cu.
#pragma once

#include "kernels/activation.h"
#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

constexpr int kGroupNormThreads = 256;

/// What a cluster of blocks normalises of an image: a slab of consecutive channels, whole groups, at all positions.
/// Each block has a share of the positions.
struct GroupNormParams {
  Map in, out;
  const float* weight;
  const float* bias;
  std::int32_t group_channels;  ///< of one group
  std::int32_t slab_channels;   ///< of a slab; the last may have fewer. Whole vectors of 16 bytes, if there are several
  std::int32_t vectors;         ///< of 16 bytes, of a slab at one position
  std::int32_t rows;            ///< positions that the block's threads read at a time
  std::int32_t kept;            ///< positions of a block's share that it keeps in shared memory
  float inverse_count;          ///< 1 / numbers of a group in an image
  float epsilon;
  float slope;  ///< negative slope of leaky ReLU
  Activation activation;
  std::int32_t parameters_staged;  ///< 1: weights and biases of a slab are in shared memory, behind the totals
};

/// Floats for one sum of each group: groups that clusters exchange are read by fours.
constexpr int group_sum_floats(int groups) { return (groups + 3) / 4 * 4; }

}  // namespace maskrt::kernels::cuda
