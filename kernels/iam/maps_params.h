// Parameters of the kernels of maps.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

/// Of one map over one stretch of positions: the largest logit (0 for plain maps) and the sum of e^(x - most) (of x).
struct MapStatistics {
  float most, sum;
};

/// Grid [ceil(maps / 32), stretches, batch]; statistics [batch, stretches, maps].
struct MapStatisticsParams {
  Map maps;
  MapStatistics* statistics;
  std::int32_t stretch;  ///< positions
};

/// out = the maps (or e^(maps - most)) divided by max(sum, epsilon).
struct DivideMapsParams {
  Map maps, out;
  const MapStatistics* statistics;
  std::int32_t stretches;
  float epsilon;
};

}  // namespace maskrt::kernels::cuda
