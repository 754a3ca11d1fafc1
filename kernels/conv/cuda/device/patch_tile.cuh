// Tiles of kernels whose input is a patch of the map in shared memory (conv_patch_sm80.cu, conv_pairs_sm80.cu):
// rectangles of output pixels, 16 wide, by a few channels; which one a block computes, and its epilogue.
#pragma once

#include "mma_tile.cuh"

namespace maskrt::kernels {

/// What a block computes: a tile, and of its depth the steps from `begin` on.
template <typename Shape>
struct PatchWork {
  int image, y, x;  // of the tile's first output pixel
  int first_channel, group, split, begin, steps;

  __device__ __forceinline__ explicit PatchWork(const ConvParams& p) {
    const int tile = static_cast<int>(blockIdx.x) / p.column_tiles;
    first_channel = (static_cast<int>(blockIdx.x) - tile * p.column_tiles) * Shape::kColumns;
    const int across = (static_cast<int>(p.row.divisor) + Shape::kWidth - 1) / Shape::kWidth;
    const int down = (p.out_height + Shape::kHeight - 1) / Shape::kHeight, line = tile / across;
    x = (tile - line * across) * Shape::kWidth;
    image = line / down;
    y = (line - image * down) * Shape::kHeight;
    group = static_cast<int>(blockIdx.y);
    split = static_cast<int>(blockIdx.z);
    begin = static_cast<int>(static_cast<long long>(p.steps) * split / p.splits);
    steps = static_cast<int>(static_cast<long long>(p.steps) * (split + 1) / p.splits) - begin;
  }
};

/// Stores this thread's share of the tile's rows from `first` to `end`; line 0 of the staging buffer is row `first`.
template <typename Shape, typename Store>
__device__ __forceinline__ void store_rows(const ConvParams& p, const PatchWork<Shape>& work, const Store& store,
                                           const float* staging, int first, int end) {
  const int width = static_cast<int>(p.row.divisor);
  if (store.stored <= 0) return;
#pragma unroll 1
  for (int row = first + store.first_row; row < end; row += Store::kPass) {
    const int y = work.y + row / Shape::kWidth, x = work.x + row % Shape::kWidth;
    if (y < p.out_height && x < width)
      store.store_pixel(p, staging + (row - first) * Shape::kStagedLine,
                        work.image * static_cast<int>(p.image.divisor) + y * width + x);
  }
}

/// The sum over splits, where there are any, and the epilogue, for results of type Out. All of `shared` is free.
template <typename Shape, typename Out>
__device__ __forceinline__ void finish_patch(const ConvParams& p, const PatchWork<Shape>& work,
                                             float (&sums)[Shape::kFragments][4], unsigned char* shared) {
  constexpr bool whole = Shape::kRows * Shape::kStagedLine * 4 <= Shape::kShared;
  static_assert(Shape::kWarpRows * Shape::kStagedLine * 4 <= Shape::kShared);
  float* const staging = reinterpret_cast<float*>(shared);
  const unsigned thread = ptx::thread_index();
  const Place<Shape> place(thread);
  Epilogue<Shape::kColumns, Shape::kThreads, Out> store;
#if __CUDA_ARCH__ >= 900
  if constexpr (whole) {
    if (p.in_cluster != 0) {
      stage_rows<Shape>(sums, place, staging + place.row() * Shape::kStagedLine);
      add_cluster_rows<Shape::kRows, Shape::kColumns, Shape::kStagedLine, Shape::kThreads>(
          staging, p.splits, [&](int first, int end) {
            store.start(p, thread, work.first_channel, work.group);
            store_rows(p, work, store, staging + first * Shape::kStagedLine, first, end);
          });
      return;
    }
  }
#endif
  if (p.splits > 1) {
    const int tile = static_cast<int>(blockIdx.y * gridDim.x + blockIdx.x);
    if (!reduce_splits<Shape::kThreads>(p, tile, work.split, sums, reinterpret_cast<unsigned*>(shared),
                                        [] { __syncthreads(); }))
      return;
    __syncthreads();
  }
  store.start(p, thread, work.first_channel, work.group);
  if constexpr (whole) {
    stage_rows<Shape>(sums, place, staging + place.row() * Shape::kStagedLine);
    __syncthreads();
    store_rows(p, work, store, staging, 0, Shape::kRows);
  } else {
#pragma unroll 1
    for (int band = 0; band < Shape::kWarpsDown; ++band) {
      if (band != 0) __syncthreads();
      if (band == place.band()) stage_rows<Shape>(sums, place, staging);
      __syncthreads();
      store_rows(p, work, store, staging, band * Shape::kWarpRows, (band + 1) * Shape::kWarpRows);
    }
  }
}

}  // namespace maskrt::kernels
