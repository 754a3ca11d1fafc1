// Parameters of the kernels of ppm.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

struct PyramidParams {
  static constexpr int most_branches = 8;
  struct Branch {
    Map out;
    const void* stage_weight;
    const float* stage_bias;
    const void* bottleneck_weight;
    const float* bottleneck_bias;
    std::int32_t activation;
    std::int32_t hidden, hidden_stride;
    std::int32_t end_cell;  ///< the cells of this branch end here
  };
  Map in;
  Branch branches[most_branches];
  std::int32_t in_stride;  ///< of stage weights
};

/// A block: 32 warps over positions, whose lanes have 8 channels each.
struct PyramidBlock {
  static constexpr int warps = 32, threads = warps * 32, channels = 256;
  static constexpr int row = channels + 32;  ///< words that 256 numbers take: halves lie in different banks
  /// Words of a vector of n numbers, padded with zeros to whole rows.
  static constexpr std::int64_t padded(std::int64_t n) { return (n + channels - 1) / channels * row; }
  /// Of shared memory: partial sums, then means, hidden and output vectors.
  static constexpr std::int64_t shared_bytes(std::int64_t in, std::int64_t hidden, std::int64_t out) {
    return 4 * (std::int64_t{warps} * row + padded(in) + padded(hidden) + padded(out));
  }
};

}  // namespace maskrt::kernels::cuda
