// What is known of a whole map from its stretches.
#pragma once

#include "maps_params.h"

namespace maskrt::kernels::cuda {

/// statistics: those of one image, [stretches, maps]. In order, so that the result does not depend on anything else.
__device__ inline MapStatistics combined(const MapStatistics* statistics, int stretches, int maps, int map) {
  MapStatistics all = statistics[map];
  for (int s = 1; s < stretches; ++s) {
    const MapStatistics one = statistics[static_cast<std::int64_t>(s) * maps + map];
    const float most = fmaxf(all.most, one.most);
    all.sum = all.sum * expf(all.most - most) + one.sum * expf(one.most - most);
    all.most = most;
  }
  return all;
}

/// The largest logit of one map. statistics: the map's in the first stretch of its image.
__device__ inline float largest_of(const MapStatistics* statistics, int stretches, int maps) {
  float most = statistics->most;
  for (int s = 1; s < stretches; ++s) most = fmaxf(most, statistics[static_cast<std::int64_t>(s) * maps].most);
  return most;
}

}  // namespace maskrt::kernels::cuda
