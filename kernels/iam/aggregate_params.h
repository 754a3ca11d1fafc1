// Parameters of the kernels of aggregate.cu and aggregate_mma.cu.
#pragma once

#include "kernels/cuda/divisor.h"
#include "maps_params.h"

namespace maskrt::kernels::cuda {

/// Sums over stretches of positions. Grid [map tiles x channel tiles, stretches, batch], map tiles first.
struct AggregateParams {
  Map maps;  ///< what stands between groups counts as maps that have no row
  Map features;
  Divisor group_stride;             ///< from a group's first map to the next's
  std::int32_t group_maps;          ///< the first ones of each group, which have rows
  std::int32_t rows;                ///< of all groups
  const MapStatistics* statistics;  ///< [batch, statistics_stretches, maps]: softmax alone
  float* products;                  ///< [batch, stretches, rows, product_stride]
  float* sums;                      ///< [batch, stretches, rows]: of the weights
  std::int32_t statistics_stretches;
  std::int32_t product_stride;  ///< channels rounded up to 8
  std::int32_t stretch;         ///< positions
  std::int32_t map_tiles;
  std::int32_t weights;  ///< a MapWeights
  /// 1 where all eights of channels of maps and features are aligned to 16 bytes and theirs to read.
  std::int32_t vectors;
};

/// out = products divided by max(sums, epsilon), both added up over the stretches; undivided for plain weights.
struct AggregateFinishParams {
  Map out;
  const float* products;
  const float* sums;
  std::int32_t product_stride;
  std::int32_t stretches;
  std::int32_t divide;
  float epsilon;  ///< in the scale of the weights
};

/// What a block of the tensor-core kernel takes.
struct AggregateTile {
  static constexpr int maps = 112, channels = 256, positions = 32;
  static constexpr int threads = 256;
  static constexpr int stages = 3;  ///< of features
  /// fp16 numbers from one position to the next: 16 bytes more than the tile, so that the eight rows of an 8x8 matrix
  /// lie in different banks.
  static constexpr int map_stride = maps + 8, channel_stride = channels + 8;
  static constexpr int shared_bytes = 2 * positions * (2 * map_stride + stages * channel_stride);
  /// sm_75 has 64 KB of shared memory and no asynchronous copies: two stages through registers.
  static constexpr int shared_bytes_sm75 = 2 * positions * (2 * map_stride + 2 * channel_stride);
};

/// Weights of the tensor-core kernel are multiplied by this: down to 4e-9 they then are normal fp16 numbers.
constexpr float kAggregateScaleLog2 = 14, kAggregateScale = 16384;

}  // namespace maskrt::kernels::cuda
