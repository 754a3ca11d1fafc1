// What a warp blends the probabilities of 64 rows and 16 columns of one mask from: a patch of the map in shared memory.
#pragma once

#include "../cuda/octet.cuh"
#include "map_axis.h"
#include "postprocess_params.h"
#include "probability.cuh"

namespace maskrt::kernels::cuda {

/// Two bilinear resizes with a crop between them, at one position: as composed_taps.h, but positions may repeat.
struct ComposedTap {
  int index[4];
  float weight[4];
};

__device__ inline ComposedTap composed_tap(int position, const AxisGeometry& axis, int map_size) {
  const AxisTap second = axis_tap(position, axis.resized, axis.second_step);
  const AxisTap a = axis_tap(second.low, map_size, axis.first_step),
                b = axis_tap(second.high, map_size, axis.first_step);
  const float w = second.weight;
  return {{a.low, a.high, b.low, b.high},
          {(1 - w) * (1 - a.weight), (1 - w) * a.weight, w * (1 - b.weight), w * b.weight}};
}

/// One query's logits and the probabilities that they are upsampled to.
template <typename T>
struct QueryMap {
  const T* logits;
  int height, width, pitch;
  float step;  ///< logits for each of the map's positions

  __device__ float logit(int y, int x) const { return widen(__ldg(logits + y * pitch + x)); }

  /// From logits at(y, x).
  template <typename At>
  __device__ float probability(int y, int x, At&& at) const {
    const AxisTap v = axis_tap(y, height, step), h = axis_tap(x, width, step);
    return probability_of(between(between(at(v.low, h.low), at(v.high, h.low), v.weight),
                                  between(at(v.low, h.high), at(v.high, h.high), v.weight), h.weight));
  }
  __device__ float probability(int y, int x) const {
    return probability(y, x, [&](int row, int column) { return logit(row, column); });
  }
};

/// Positions [row, row + rows) x [column, column + columns).
struct Patch {
  int row, column, rows, columns;
};

/// 64 rows and 16 columns of the original span at most 68 and 20 positions of a map that is no larger. A larger map is
/// looked at position by position.
constexpr int kPatchRows = 68, kPatchColumns = 20, kPatchPitch = kPatchColumns + 1;

/// The shared memory of one warp.
struct MaskSpace {
  float probabilities[kPatchRows * kPatchPitch];  ///< an odd number of words between rows: lanes read different rows
  union {
    float logits[kPatchColumns * 64];   ///< first: those that the probabilities come from
    float2 columns[kPatchColumns][32];  ///< then: rows lane and lane + 32, blended down each column of the patch
  };
  ComposedTap taps[kMaskTileColumns];  ///< indices relative to the patch
};

enum class Side { mixed, below, above };

/// On which side of the two bounds all of n numbers lie, by one warp. Numbers that cannot be compared lie on neither.
template <typename Number>
__device__ Side side_of(int n, float below, float above, Number&& number) {
  bool all_below = true, all_above = true;
  for (int i = static_cast<int>(threadIdx.x) % 32; i < n; i += 32) {
    const float value = number(i);
    all_below = all_below && value < below;
    all_above = all_above && value > above;
  }
  if (__all_sync(0xffffffff, all_below)) return Side::below;
  return __all_sync(0xffffffff, all_above) ? Side::above : Side::mixed;
}

/// Stages the logits below the patch; tells where they leave no choice.
template <typename T>
__device__ Side stage_logits(const QueryMap<T>& map, const Patch& source, const PostprocessCall& call,
                             MaskSpace& space) {
  return side_of(source.rows * source.columns, call.below_logit, call.above_logit, [&](int i) {
    const int row = i / source.columns;
    return space.logits[i] = map.logit(source.row + row, source.column + i - row * source.columns);
  });
}

/// The patch's probabilities from the staged logits; tells where they leave no choice.
template <typename T>
__device__ Side stage_probabilities(const QueryMap<T>& map, const Patch& patch, const Patch& source,
                                    const PostprocessCall& call, MaskSpace& space) {
  __syncwarp();
  return side_of(patch.rows * patch.columns, call.lowest_inside, call.highest_outside, [&](int i) {
    const int row = i / patch.columns, column = i - row * patch.columns;
    const float p = map.probability(patch.row + row, patch.column + column, [&](int y, int x) {
      return space.logits[(y - source.row) * source.columns + x - source.column];
    });
    return space.probabilities[row * kPatchPitch + column] = p;
  });
}

/// The vertical half: for each column of the patch, this lane's two rows.
__device__ inline void blend_rows(const Patch& patch, const ComposedTap (&rows)[2], MaskSpace& space) {
  __syncwarp();  // the logits, whose place the columns take, have been read
  const int lane = static_cast<int>(threadIdx.x) % 32;
  for (int c = 0; c < patch.columns; ++c) {
    float sums[2] = {0, 0};
#pragma unroll
    for (int r = 0; r < 2; ++r) {
#pragma unroll
      for (int k = 0; k < 4; ++k)
        sums[r] += space.probabilities[(rows[r].index[k] - patch.row) * kPatchPitch + c] * rows[r].weight[k];
    }
    space.columns[c][lane] = {sums[0], sums[1]};
  }
  __syncwarp();
}

}  // namespace maskrt::kernels::cuda
