// Reduction of the statistics of all splits of a map.
#pragma once

#include "maps_params.h"

namespace maskrt::kernels::cuda {

/// Combines the statistics of one map over all splits, in ascending order, so that the result is reproducible; the sums
/// are rescaled to the common maximum. statistics: those of one image, [splits, maps].
__device__ inline MapStatistics combined(const MapStatistics* statistics, int splits, int maps, int map) {
  MapStatistics all = statistics[map];
  for (int s = 1; s < splits; ++s) {
    const MapStatistics one = statistics[static_cast<std::int64_t>(s) * maps + map];
    const float most = fmaxf(all.most, one.most);
    all.sum = all.sum * expf(all.most - most) + one.sum * expf(one.most - most);
    all.most = most;
  }
  return all;
}

/// The largest logit of one map. `statistics` points to the map's statistics in the first split of its image.
__device__ inline float largest_of(const MapStatistics* statistics, int splits, int maps) {
  float most = statistics->most;
  for (int s = 1; s < splits; ++s) most = fmaxf(most, statistics[static_cast<std::int64_t>(s) * maps].most);
  return most;
}

}  // namespace maskrt::kernels::cuda
