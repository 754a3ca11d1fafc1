// Patches of the probability map in shared memory: the input of a warp that computes 64 rows by 16 columns of one mask.
#pragma once

#include "kernels/cuda/octet.cuh"
#include "mask_params.h"
#include "probability.cuh"
#include "upsampled.h"

namespace maskrt::kernels::cuda {

/// bilinear_tap of resize.h, bit for bit: explicit rounding keeps the compiler from fusing the multiply-add.
struct AxisTap {
  int low, high;
  float weight;  ///< weight of `high`
};

__device__ inline AxisTap axis_tap(int position, int size, float step) {
  const float at = fmaxf(__fsub_rn(__fmul_rn(static_cast<float>(position) + 0.5f, step), 0.5f), 0.0f);
  const int low = min(static_cast<int>(at), size - 1);
  return {low, min(low + 1, size - 1), at - static_cast<float>(low)};
}

/// Two bilinear resizes with a crop between them, composed to one tap of three neighbours. The first resize enlarges,
/// so that the two positions which the second blends are at most one position of the map apart: three neighbours cover
/// all four taps of composed_taps.h.
struct alignas(16) ComposedTap {
  static constexpr int taps = 3;
  float weight[taps];
  int first;  ///< the first neighbour; neighbours beyond the end of the map have weight 0
};

__device__ inline ComposedTap composed_tap(int position, const AxisGeometry& axis, int map_size) {
  const AxisTap second = axis_tap(position, axis.resized, axis.second_step);
  const AxisTap a = axis_tap(second.low, map_size, axis.first_step),
                b = axis_tap(second.high, map_size, axis.first_step);
  ComposedTap tap{{0, 0, 0}, a.low};
  // Adds the weight of map position `index`, which is one of the first `choices` neighbours.
  const auto add = [&](int choices, int index, float weight) {
#pragma unroll
    for (int k = 0; k < ComposedTap::taps; ++k)
      if (k < choices) tap.weight[k] += choices == 1 || index - a.low == k ? weight : 0.0f;
  };
  add(1, a.low, (1 - second.weight) * (1 - a.weight));
  add(2, a.high, (1 - second.weight) * a.weight);
  add(2, b.low, second.weight * (1 - b.weight));
  add(3, b.high, second.weight * b.weight);
  return tap;
}

/// One query's plane of logits, and the probabilities of its upsampled map.
template <typename T, int Factor>
struct QueryMap {
  const T* logits;
  int height, width, pitch;

  /// A logit; beyond the edges the edge repeats.
  __device__ float logit(int y, int x) const {
    return widen(logits[min(max(y, 0), height - 1) * pitch + min(max(x, 0), width - 1)]);
  }
  /// The probability at a position of the upsampled map; at(y, x) returns a logit times kToExponent.
  template <typename At>
  __device__ float probability(int y, int x, At&& at) const {
    const int top = Upsampled<Factor>::low(y), left = Upsampled<Factor>::low(x);
    if (Factor == 1) return probability_of(at(top, left));
    const float v = Upsampled<Factor>::weight(y), h = Upsampled<Factor>::weight(x);
    const float first = at(top, left) * (1 - v) + at(top + 1, left) * v;
    const float second = at(top, left + 1) * (1 - v) + at(top + 1, left + 1) * v;
    return probability_of(first * (1 - h) + second * h);
  }
  __device__ float probability(int y, int x) const {
    return probability(y, x, [&](int row, int column) { return logit(row, column) * kToExponent; });
  }
};

/// A rectangle of positions: [row, row + rows) x [column, column + columns).
struct Patch {
  int row, column, rows, columns;
};

/// The rectangle of logits that a patch of the map reads; it may reach beyond the edges.
template <int Factor>
__device__ Patch source_of(const Patch& patch) {
  Patch source;
  source.row = Upsampled<Factor>::low(patch.row);
  source.column = Upsampled<Factor>::low(patch.column);
  source.rows = Upsampled<Factor>::low(patch.row + patch.rows - 1) + Upsampled<Factor>::kHalo - source.row + 1;
  source.columns =
      Upsampled<Factor>::low(patch.column + patch.columns - 1) + Upsampled<Factor>::kHalo - source.column + 1;
  return source;
}

/// Patch of 64 rows by 16 columns of the original: at most 67 x 19 positions of a map that is not larger than the
/// original, third neighbours included. Larger maps are sampled position by position, without a patch.
constexpr int kPatchRows = 68, kPatchColumns = 20, kPatchPitch = kPatchColumns + 1;

/// Layout of a patch's logits in shared memory.
struct StagedRows {
  int pitch, first_column;  ///< row pitch in words; column of the first element of a row
};

/// The shared memory of one warp.
struct MaskSpace {
  float probabilities[kPatchRows * kPatchPitch];  ///< odd row pitch: lanes that read different rows have no conflicts
  union {
    float exponents[kPatchRows * kPatchColumns];  ///< first: logits times kToExponent, laid out as StagedRows says
    float2 columns[kPatchColumns * 32];  ///< then: rows lane and lane + 32 of each patch column, blended vertically
  };
  ComposedTap taps[kMaskTileColumns];  ///< horizontal taps of the tile's columns
};

enum class Side { mixed, below, above };

/// Combines the lanes of a warp: on which side of the threshold all their values are.
__device__ inline Side side_of_all(bool all_below, bool all_above) {
  if (__all_sync(0xffffffff, all_below)) return Side::below;
  return __all_sync(0xffffffff, all_above) ? Side::above : Side::mixed;
}

/// Evaluates number(row, column) at all positions of a patch, by one warp, and returns whether all are less than
/// `below` or all greater than `above`. NaNs are neither.
template <typename Number>
__device__ Side side_of(const Patch& patch, float below, float above, Number&& number) {
  // Division by columns as a multiplication, exact for i < 65536 / columns.
  static_assert(kPatchRows * kPatchColumns <= 65536 / kPatchColumns);
  const int inverse = 65536 / patch.columns + 1;
  bool all_below = true, all_above = true;
  for (int i = static_cast<int>(threadIdx.x) % 32; i < patch.rows * patch.columns; i += 32) {
    const int row = i * inverse >> 16;
    const float value = number(row, i - row * patch.columns);
    all_below = all_below && value < below;
    all_above = all_above && value > above;
  }
  return side_of_all(all_below, all_above);
}

/// Loads of a patch's logits in whole sectors, 16 bytes a lane, so that all transferred bytes are requested. Rows in
/// shared memory have `spare` = 4 more elements for the repeated edges: one before the first column, and two after the
/// last, which take the start of the next row's spare elements.
template <typename T>
struct SectorRows {
  static constexpr int kEach = 16 / sizeof(T), kPerSector = 32 / sizeof(T), kSpare = 4;
  int column;      ///< first column that is loaded
  int lanes;       ///< lanes that load one row
  int lane_shift;  ///< log2 of the lanes assigned to a row: `lanes` rounded up to a power of two

  __device__ SectorRows(const Patch& source, int pitch) {
    const int first = max(source.column, 0) / kPerSector;
    const int last = min(source.column + source.columns - 1, pitch - 1) / kPerSector;
    column = first * kPerSector;
    lanes = 2 * (last - first + 1);
    lane_shift = lanes <= 2 ? 1 : lanes <= 4 ? 2 : 3;
  }
  __device__ StagedRows staged() const { return {lanes * kEach + kSpare, column - kSpare}; }

  /// The most logits of a patch: half its rows and columns and two more of each; and their layout in shared memory.
  static constexpr int kRowsAtMost = kPatchRows / 2 + 2, kColumnsAtMost = kPatchColumns / 2 + 2;
  static constexpr int kLanesAtMost = 2 * ((kPerSector - 1 + kColumnsAtMost + kPerSector - 1) / kPerSector);
  static_assert(kLanesAtMost <= 8 && kRowsAtMost * (kLanesAtMost * kEach + kSpare) + 2 <= kPatchRows * kPatchColumns);
};

/// Stages the patch's logits in whole sectors; returns on which side of the threshold all of them are, if on one.
template <typename T, int Factor>
__device__ Side stage_sectors(const QueryMap<T, Factor>& map, const Patch& source, const SectorRows<T>& rows,
                              const MaskCall& call, MaskSpace& space) {
  constexpr int kEach = SectorRows<T>::kEach;
  const int lane = static_cast<int>(threadIdx.x) % 32, piece = lane & ((1 << rows.lane_shift) - 1);
  const int column = rows.column + piece * kEach, pitch = rows.staged().pitch;
  // Which of this lane's logits belong to the patch.
  const int from = max(source.column - column, 0), to = min(source.column + source.columns - column, kEach);
  const unsigned inside = from < to ? (1u << to) - (1u << from) : 0;
  const bool repeat_first = source.column < 0 && piece == 0;
  const bool repeat_last = source.column + source.columns > map.pitch && piece == rows.lanes - 1;
  unsigned not_below = 0, not_above = 0;
  for (int row = lane >> rows.lane_shift; row < source.rows; row += 32 >> rows.lane_shift) {
    if (piece >= rows.lanes) break;
    const int map_row = min(max(source.row + row, 0), map.height - 1);
    const Channels<kEach> logits = load_wide<kEach>(map.logits + map_row * map.pitch + column);
    float exponents[kEach];
#pragma unroll
    for (int k = 0; k < kEach; ++k) {
      exponents[k] = logits.v[k] * kToExponent;
      not_below |= logits.v[k] < call.below_logit ? 0 : 1u << k;
      not_above |= logits.v[k] > call.above_logit ? 0 : 1u << k;
    }
    float* staged = space.exponents + row * pitch + SectorRows<T>::kSpare + piece * kEach;
#pragma unroll
    for (int k = 0; k < kEach; k += 4)
      *reinterpret_cast<float4*>(staged + k) =
          make_float4(exponents[k], exponents[k + 1], exponents[k + 2], exponents[k + 3]);
    if (repeat_first) staged[-1] = exponents[0];
    if (repeat_last) staged[kEach] = staged[kEach + 1] = exponents[kEach - 1];
  }
  return side_of_all((not_below & inside) == 0, (not_above & inside) == 0);
}

/// As stage_sectors, logit by logit.
template <typename T, int Factor>
__device__ Side stage_logits(const QueryMap<T, Factor>& map, const Patch& source, const MaskCall& call,
                             MaskSpace& space) {
  return side_of(source, call.below_logit, call.above_logit, [&](int row, int column) {
    const float logit = map.logit(source.row + row, source.column + column);
    space.exponents[row * source.columns + column] = logit * kToExponent;
    return logit;
  });
}

/// Computes the patch's probabilities from the staged logits; returns on which side of the threshold all of them are.
template <typename T, int Factor>
__device__ Side stage_probabilities(const QueryMap<T, Factor>& map, const Patch& patch, const Patch& source,
                                    const StagedRows& staged, const MaskCall& call, MaskSpace& space) {
  __syncwarp();
  return side_of(patch, call.below_probability, call.above_probability, [&](int row, int column) {
    const float p = map.probability(patch.row + row, patch.column + column, [&](int y, int x) {
      return space.exponents[(y - source.row) * staged.pitch + x - staged.first_column];
    });
    return space.probabilities[row * kPatchPitch + column] = p;
  });
}

/// Stages the patch's logits themselves, in whole sectors, in the place of probabilities; returns Side::below where
/// none is positive.
template <typename T>
__device__ Side stage_positive(const QueryMap<T, 1>& map, const Patch& patch, MaskSpace& space) {
  constexpr float kLeast = 0x1p-149f;
  constexpr int kEach = SectorRows<T>::kEach;
  const SectorRows<T> rows(patch, map.pitch);
  const int lane = static_cast<int>(threadIdx.x) % 32, piece = lane & ((1 << rows.lane_shift) - 1);
  const int first = rows.column + piece * kEach, end = patch.column + patch.columns;
  bool none = true;
  for (int row = lane >> rows.lane_shift; row < patch.rows; row += 32 >> rows.lane_shift) {
    if (piece >= rows.lanes) break;
    const int map_row = min(max(patch.row + row, 0), map.height - 1);
    const Channels<kEach> logits = load_wide<kEach>(map.logits + map_row * map.pitch + first);
    float* const staged = space.probabilities + row * kPatchPitch - patch.column;
#pragma unroll
    for (int k = 0; k < kEach; ++k) {
      const int column = first + k;
      if (column >= map.width) continue;
      // Beyond the edges the edge repeats.
      const int from = column == 0 ? min(patch.column, 0) : max(column, patch.column);
      const int to = column == map.width - 1 ? max(end, map.width) : min(column + 1, end);
      for (int i = from; i < min(to, end); ++i) {
        if (i < patch.column) continue;
        staged[i] = logits.v[k];
        none = none && logits.v[k] < kLeast;
      }
    }
  }
  return side_of_all(none, false);
}

/// Vertical blend: this lane's two rows for each column of the patch.
__device__ inline void blend_rows(const Patch& patch, const ComposedTap (&rows)[2], MaskSpace& space) {
  __syncwarp();  // all lanes have read the exponents, whose memory `columns` shares
  const float* low = space.probabilities + (rows[0].first - patch.row) * kPatchPitch;
  const float* high = space.probabilities + (rows[1].first - patch.row) * kPatchPitch;
  float2* to = space.columns + threadIdx.x % 32;
  for (int c = 0; c < patch.columns; ++c, ++low, ++high, to += 32) {
    float2 sum{0, 0};
#pragma unroll
    for (int k = 0; k < ComposedTap::taps; ++k) {
      sum.x += low[k * kPatchPitch] * rows[0].weight[k];
      sum.y += high[k * kPatchPitch] * rows[1].weight[k];
    }
    *to = sum;
  }
  __syncwarp();
}

}  // namespace maskrt::kernels::cuda
