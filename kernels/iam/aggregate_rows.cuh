// Mapping of an aggregation's maps to rows of its result.
#pragma once

#include "aggregate_params.h"

namespace maskrt::kernels::cuda {

/// Maps channels of the maps tensor to rows, for a thread that asks in ascending order: the division by the group
/// stride is done once a group.
class RowFinder {
 public:
  /// The row of channel `map` within one split of one image, or -1 for channels beyond the maps or between groups.
  __device__ __forceinline__ int row_of(const AggregateParams& p, int map) {
    if (map >= next_group_) {
      const int group = p.group_stride.quotient(map), stride = static_cast<int>(p.group_stride.divisor);
      next_group_ = (group + 1) * stride;
      end_ = min(group * stride + p.group_maps, p.maps.channels);
      without_rows_ = group * (stride - p.group_maps);
    }
    return map < end_ ? map - without_rows_ : -1;
  }

 private:
  int next_group_ = 0, end_ = 0, without_rows_ = 0;
};

/// The first row of this block's split.
__device__ __forceinline__ std::int64_t first_row(const AggregateParams& p) {
  return (std::int64_t{blockIdx.z} * gridDim.y + blockIdx.y) * p.rows;
}

}  // namespace maskrt::kernels::cuda
