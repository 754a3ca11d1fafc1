// Parameters of the kernels of ppm.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

struct PyramidParams {
  static constexpr int kMostBranches = 8;
  struct Branch {
    Map out;
    const void* stage_weight;
    const float* stage_bias;
    const void* bottleneck_weight;
    const float* bottleneck_bias;
    std::int32_t activation;
    std::int32_t hidden, hidden_stride;
    std::int32_t end_cell;  ///< one past the last cell of this branch; cells count over all branches
  };
  Map in;
  Branch branches[kMostBranches];
  std::int32_t in_stride;  ///< row pitch of stage weights, in elements
};

/// Geometry of a block: its 32 warps stride over positions, and the lanes of a warp have 8 channels each.
struct PyramidBlock {
  static constexpr int kWarps = 32, kThreads = kWarps * 32, kChannels = 256;
  /// Words of a row of 256 elements in shared memory: the padding puts its two halves (place_of) in different banks.
  static constexpr int kRow = kChannels + 32;
  /// Words of a vector of n elements, padded with zeros to whole rows.
  static constexpr std::int64_t padded(std::int64_t n) { return (n + kChannels - 1) / kChannels * kRow; }
  /// Bytes of dynamic shared memory: partial sums of the 32 warps, then the mean, hidden and output vectors.
  static constexpr std::int64_t shared_bytes(std::int64_t in, std::int64_t hidden, std::int64_t out) {
    return 4 * (std::int64_t{kWarps} * kRow + padded(in) + padded(hidden) + padded(out));
  }
};

}  // namespace maskrt::kernels::cuda
