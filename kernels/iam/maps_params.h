// Parameters of the kernels of maps.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

/// Statistics of one map over one split of the positions. Softmax: the largest logit and the sum of e^(x - most);
/// normaliser: 0 and the sum of x.
struct MapStatistics {
  float most, sum;
};

/// Grid [ceil(maps / 32), splits, batch]; statistics [batch, splits, maps].
struct MapStatisticsParams {
  Map maps;
  MapStatistics* statistics;
  std::int32_t split_positions;  ///< positions of a split; the last one may be shorter
};

/// out = maps (softmax: e^(maps - most)) / max(sum, epsilon).
struct DivideMapsParams {
  Map maps, out;
  const MapStatistics* statistics;
  std::int32_t splits;
  float epsilon;
};

}  // namespace maskrt::kernels::cuda
