// Parameters of the kernels of aggregate.cu and aggregate_mma.cu.
#pragma once

#include "kernels/cuda/divisor.h"
#include "maps_params.h"

namespace maskrt::kernels::cuda {

/// Partial sums of the aggregation, split-K over positions. Grid [map tiles x channel tiles, splits, batch], map tiles
/// innermost. A row is a map that exists; with padded groups (MapGroups) the channels between groups are loaded and
/// multiplied like maps, but have no row and are not stored.
struct AggregateParams {
  Map maps;  ///< channels of all groups, padding between groups included
  Map features;
  Divisor group_stride;             ///< channels from a group's first map to the next group's
  std::int32_t group_maps;          ///< maps of a group: the first group_maps of its channels
  std::int32_t rows;                ///< maps of all groups
  const float* bias;                ///< [rows], added to the logits of sigmoid weights; or null
  const MapStatistics* statistics;  ///< [batch, statistics_splits, maps]; softmax only
  float* products;                  ///< [batch, splits, rows, product_stride]
  float* sums;                      ///< [batch, splits, rows]: sums of the weights
  std::int32_t statistics_splits;
  std::int32_t product_stride;   ///< channels of features rounded up to 8
  std::int32_t split_positions;  ///< positions of a split; the last one may be shorter
  std::int32_t map_tiles;
  std::int32_t weights;  ///< a MapWeights
  /// 1 where all octets of channels of maps and features are aligned to 16 bytes and lie within the maps' blocks.
  std::int32_t vectors;
};

/// out = products / max(sums, epsilon), both summed over the splits; plain weights are not divided.
struct AggregateFinishParams {
  Map out;
  const float* products;
  const float* sums;
  std::int32_t product_stride;
  std::int32_t splits;
  std::int32_t divide;
  float epsilon;  ///< multiplied by kAggregateScale where the weights are
};

/// Tile of a block of the tensor-core kernel.
struct AggregateTile {
  static constexpr int kMaps = 112, kChannels = 256, kPositions = 32;
  static constexpr int kThreads = 256;
  static constexpr int kStages = 3;  ///< pipeline stages of features
  /// Row pitches in shared memory, in halves: 16 bytes of padding, so that the eight rows of an 8x8 matrix (ldmatrix)
  /// lie in different banks.
  static constexpr int kMapStride = kMaps + 8, kChannelStride = kChannels + 8;
  static constexpr int kSharedBytes = 2 * kPositions * (2 * kMapStride + kStages * kChannelStride);
  /// sm_75 has 64 KiB of shared memory and no cp.async: two stages, filled through registers.
  static constexpr int kSharedBytesSm75 = 2 * kPositions * (2 * kMapStride + 2 * kChannelStride);
};

/// Scale of the weights in the tensor-core kernel: weights down to 4e-9 are then normal fp16 numbers.
constexpr float kAggregateScaleLog2 = 14, kAggregateScale = 16384;

}  // namespace maskrt::kernels::cuda
