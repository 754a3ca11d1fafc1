// Placement of the masks' bits: for each instance the box of words that contains every bit which its mask can set, and
// the offset of that box after those of the preceding instances. Used by one block of the kernel that selects them.
#pragma once

#include "mask_tiles.cuh"

namespace maskrt::kernels::cuda {

/// Numbers of instances, tiles and words: of one instance, of all that precede it, or of all.
struct InstanceCounts {
  unsigned instances, tiles;
  unsigned long long words;
};

__device__ inline InstanceCounts operator+(const InstanceCounts& a, const InstanceCounts& b) {
  return {a.instances + b.instances, a.tiles + b.tiles, a.words + b.words};
}

/// Exclusive prefix sum over the threads of a block; `total` is the sum over all. Called by all threads of a block.
template <int Threads>
__device__ InstanceCounts scan_exclusive(const InstanceCounts& mine, InstanceCounts& total) {
  __shared__ InstanceCounts of_warps[Threads / 32];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  InstanceCounts up_to = mine;
  for (int distance = 1; distance < 32; distance *= 2) {
    const InstanceCounts before{__shfl_up_sync(0xffffffff, up_to.instances, distance),
                                __shfl_up_sync(0xffffffff, up_to.tiles, distance),
                                __shfl_up_sync(0xffffffff, up_to.words, distance)};
    if (lane >= distance) up_to = up_to + before;
  }
  __syncthreads();  // all threads have read the warps' sums of the previous call
  if (lane == 31) of_warps[warp] = up_to;
  __syncthreads();
  InstanceCounts before{up_to.instances - mine.instances, up_to.tiles - mine.tiles, up_to.words - mine.words};
  total = {};
  for (int w = 0; w < Threads / 32; ++w) {
    if (w < warp) before = before + of_warps[w];
    total = total + of_warps[w];
  }
  return before;
}

/// The range of original positions whose bit can be set by map positions [first, last]; outside of it only
/// probabilities up to the threshold are blended. Original position x samples (x + 0.5) * step - 0.5 and blends at most
/// two resized positions, each within one of it, and for each of them two map positions within one of that. One
/// position more on each side compensates for rounding.
__device__ inline int2 reached(int first, int last, const AxisGeometry& axis) {
  const float step = axis.first_step * axis.second_step, reach = axis.first_step + 1.0f;
  const float low = (static_cast<float>(first) + 0.5f - reach) / step - 0.5f;
  const float high = (static_cast<float>(last) + 0.5f + reach) / step - 0.5f;
  const float end = static_cast<float>(axis.original - 1);
  return {static_cast<int>(fminf(fmaxf(floorf(low) - 1.0f, 0.0f), end)),
          static_cast<int>(fminf(fmaxf(ceilf(high) + 1.0f, 0.0f), end))};
}

/// Bounding box of the map's positions above the threshold, as QueryTallies keeps it: zeros where there are none.
struct Reach {
  unsigned from_right, right, from_bottom, bottom;
};

/// Computes the box of words that contains every bit which a query can set.
__device__ inline void place_box(const Reach& reach, int map_width, int map_height, const ImageGeometry& image,
                                 InstanceRecord& record) {
  const int2 columns =
      reached(map_width - static_cast<int>(reach.from_right), static_cast<int>(reach.right) - 1, image.x);
  const int2 rows =
      reached(map_height - static_cast<int>(reach.from_bottom), static_cast<int>(reach.bottom) - 1, image.y);
  record.first_column = columns.x;
  record.columns = columns.y - columns.x + 1;
  record.first_word = rows.x / 64;
  record.words = rows.y / 64 - rows.x / 64 + 1;
}

/// Words from the start of an instance's box to where the next mask may start.
__device__ inline unsigned long long words_of(const InstanceRecord& r) {
  const unsigned long long words = static_cast<unsigned long long>(r.columns) * r.words;
  // Columns of several tiles are not stored contiguously, so there is no padding after them.
  return r.words > kMaskTileWords ? words : whole_sectors(words);
}

}  // namespace maskrt::kernels::cuda
