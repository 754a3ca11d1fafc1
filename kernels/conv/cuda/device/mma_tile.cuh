// Tile of the implicit GEMM on warp-level tensor cores (mma.sync, sm_75 and newer): tile shapes, fragments, main-loop
// products and epilogue. The kernels differ in how they load tiles into shared memory.
#pragma once

#include <cstdint>

#include "cluster_rows.cuh"
#include "epilogue.cuh"
#include "implicit_gemm.cuh"
#include "kernels/conv/cuda/conv_tiles.h"
#include "kernels/ptx/ldmatrix.cuh"
#include "kernels/ptx/mma.cuh"
#include "kernels/ptx/special_registers.cuh"
#include "split_sum.cuh"

namespace maskrt::kernels {

/// Shapes of a block's tile and of its warps' tiles; a step of the depth is `chunks` chunks of 16 bytes. Elements are
/// f16, or f32 rounded to tf32 when fragments are loaded. Example: 128 x 128 with warps of 64 x 64 and 4 chunks has 4
/// warps, steps of 32 elements of f16, 4 x 8 mma tiles and 128 accumulators a thread.
template <typename Element_, MmaTile tile>
struct Tile {
  using Element = Element_;
  static_assert(sizeof(Element) == tile.element_bytes);
  static constexpr int kRows = tile.rows, kColumns = tile.columns, kChunks = tile.chunks(), kStages = tile.stages;
  static constexpr int kWarpRows = tile.warp_rows, kWarpColumns = tile.warp_columns;
  static constexpr int kWarpsDown = kRows / kWarpRows, kWarpsAcross = kColumns / kWarpColumns;
  static constexpr int kThreads = tile.threads();
  static constexpr int kRowBytes = kChunks * 16;
  static constexpr int kLeftBytes = kRows * kRowBytes, kStageBytes = tile.stage_bytes();
  static constexpr int kProducts = kChunks / 2;  // mma steps in one step of the depth, two chunks each
  static constexpr int kRowFragments = kWarpRows / 16, kColumnFragments = kWarpColumns / 8;
  static constexpr int kFragments = kRowFragments * kColumnFragments;
  static constexpr int kStagedLine = tile.staged_line();
  static_assert(kWarpRows * kStagedLine * 4 <= kStages * kStageBytes,
                "the epilogue's staging buffer reuses the stages");
};

/// What a block computes: a tile, and of its depth the steps from `begin` on.
template <typename Tile>
struct BlockWork {
  int first_pixel, first_channel, group, split, begin, steps;

  __device__ __forceinline__ explicit BlockWork(const ConvParams& p) {
    first_channel = static_cast<int>(blockIdx.x) % p.column_tiles * Tile::kColumns;
    first_pixel = static_cast<int>(blockIdx.x) / p.column_tiles * Tile::kRows;
    group = static_cast<int>(blockIdx.y);
    split = static_cast<int>(blockIdx.z);
    begin = static_cast<int>(static_cast<long long>(p.steps) * split / p.splits);
    steps = static_cast<int>(static_cast<long long>(p.steps) * (split + 1) / p.splits) - begin;
  }
};

/// sum += product of 16 rows and 8 columns over two chunks of depth: 16 elements of f16 or 8 of f32. Fragments of
/// 16-bit and of 32-bit elements have the same layout within a chunk, so both are loaded with ldmatrix.
__device__ __forceinline__ void multiply_add(float (&sum)[4], const std::uint32_t (&left)[4], std::uint32_t right0,
                                             std::uint32_t right1, const __half*) {
#if __CUDA_ARCH__ >= 800
  ptx::mma_m16n8k16(sum, left, right0, right1);
#else
  ptx::mma_m16n8k8(sum, left[0], left[1], right0);
  ptx::mma_m16n8k8(sum, left[2], left[3], right1);
#endif
}

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ void multiply_add(float (&sum)[4], const std::uint32_t (&left)[4], std::uint32_t right0,
                                             std::uint32_t right1, const float*) {
  ptx::mma_m16n8k8_tf32(sum, left, right0, right1);
}
#endif

/// Converts a loaded fragment: rounds f32 to tf32; nothing for f16.
__device__ __forceinline__ void prepare(std::uint32_t (&)[4], const __half*) {}
#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ void prepare(std::uint32_t (&fragment)[4], const float*) {
#pragma unroll
  for (int i = 0; i < 4; ++i) fragment[i] = ptx::round_to_tf32(fragment[i]);
}
#endif

/// A warp's register fragments for one product (two chunks of depth). Register pipelining: right fragments are
/// double-buffered and loaded one product ahead; each left fragment is reloaded as soon as its own mma have been
/// issued.
template <typename Tile>
struct Fragments {
  std::uint32_t left[Tile::kRowFragments][4], right[2][Tile::kColumnFragments / 2][4];

  /// Of the first product.
  __device__ __forceinline__ void load_first(std::uint32_t left_at, std::uint32_t right_at) {
    load_right(0, right_at, 0);
#pragma unroll
    for (int i = 0; i < Tile::kRowFragments; ++i) load_left(i, left_at, 0);
  }
  __device__ __forceinline__ void load_left(int i, std::uint32_t at, int product) {
    ptx::ldmatrix_x4(left[i], (at ^ static_cast<std::uint32_t>(product * 32)) + i * 16 * Tile::kRowBytes);
    prepare(left[i], static_cast<typename Tile::Element*>(nullptr));
  }
  __device__ __forceinline__ void load_right(int buffer, std::uint32_t at, int product) {
#pragma unroll
    for (int j = 0; j < Tile::kColumnFragments / 2; ++j) {
      ptx::ldmatrix_x4(right[buffer][j], (at ^ static_cast<std::uint32_t>(product * 32)) + j * 16 * Tile::kRowBytes);
      prepare(right[buffer][j], static_cast<typename Tile::Element*>(nullptr));
    }
  }
  __device__ __forceinline__ void multiply(int i, int buffer, float (&sums)[Tile::kFragments][4]) const {
#pragma unroll
    for (int j = 0; j < Tile::kColumnFragments; ++j)
      multiply_add(sums[i * Tile::kColumnFragments + j], left[i], right[buffer][j / 2][j % 2 * 2],
                   right[buffer][j / 2][j % 2 * 2 + 1], static_cast<typename Tile::Element*>(nullptr));
  }
};

/// A thread's warp and lane, and the origin of its warp's tile.
template <typename Tile>
struct Place {
  int lane, warp;
  __device__ __forceinline__ explicit Place(unsigned thread)
      : lane(static_cast<int>(thread % 32)), warp(static_cast<int>(thread / 32)) {}
  __device__ __forceinline__ int band() const { return warp / Tile::kWarpsAcross; }
  __device__ __forceinline__ int row() const { return band() * Tile::kWarpRows; }
  __device__ __forceinline__ int column() const { return warp % Tile::kWarpsAcross * Tile::kWarpColumns; }
  /// Where the lane's row of the warp's fragments begins in a tile: ldmatrix takes a row's address from each lane.
  __device__ __forceinline__ std::uint32_t left_in_tile() const {
    return swizzled<Tile::kChunks>(row() + lane % 16, lane / 16);
  }
  __device__ __forceinline__ std::uint32_t right_in_tile() const {
    return swizzled<Tile::kChunks>(column() + lane % 8 + lane / 16 * 8, lane / 8 % 2);
  }
};

/// Writes a warp's accumulators to the staging buffer, whose line 0 is the first row of the warp's tile.
template <typename Tile>
__device__ __forceinline__ void stage_rows(const float (&sums)[Tile::kFragments][4], const Place<Tile>& place,
                                           float* staging) {
  constexpr int line = Tile::kStagedLine;
  float* const mine =
      staging + place.lane / 4 * line + staging_index<Tile::kColumns>(place.column() + place.lane % 4 * 2);
#pragma unroll
  for (int i = 0; i < Tile::kRowFragments; ++i) {
#pragma unroll
    for (int j = 0; j < Tile::kColumnFragments; ++j) {
      const float(&sum)[4] = sums[i * Tile::kColumnFragments + j];
      float* const to = mine + i * 16 * line + j * staging_index<Tile::kColumns>(8);
      *reinterpret_cast<float2*>(to) = make_float2(sum[0], sum[1]);
      *reinterpret_cast<float2*>(to + 8 * line) = make_float2(sum[2], sum[3]);
    }
  }
}

/// Epilogue: stores the block's accumulators through shared memory, one row of warps after the other.
template <typename Tile>
__device__ __forceinline__ void store_tile(const ConvParams& p, const float (&sums)[Tile::kFragments][4],
                                           float* staging, int first_pixel, int first_channel, int group) {
  const unsigned thread = ptx::thread_index();
  const Place<Tile> place(thread);
  Epilogue<Tile::kColumns, Tile::kThreads, typename Tile::Element> store;
  store.start(p, thread, first_channel, group);
#pragma unroll 1
  for (int band = 0; band < Tile::kWarpsDown; ++band) {
    if (band != 0) __syncthreads();
    if (band == place.band()) stage_rows<Tile>(sums, place, staging);
    __syncthreads();
    store.template store<Tile::kWarpRows, Tile::kStagedLine>(p, staging, first_pixel + band * Tile::kWarpRows);
  }
}

#if __CUDA_ARCH__ >= 900
/// Epilogue of a block whose cluster's blocks have one split each: stages the whole tile, and stores the
/// sums of this block's rows (cluster_rows.cuh). Called by all threads of all blocks of the cluster.
template <typename Tile>
__device__ __forceinline__ void store_cluster_tile(const ConvParams& p, const BlockWork<Tile>& work,
                                                   const float (&sums)[Tile::kFragments][4], float* staging) {
  const Place<Tile> place(ptx::thread_index());
  stage_rows<Tile>(sums, place, staging + place.row() * Tile::kStagedLine);
  store_cluster_rows<Tile::kRows, Tile::kColumns, Tile::kStagedLine, Tile::kThreads, typename Tile::Element>(
      p, staging, work.first_pixel, work.first_channel, work.group, p.splits);
}
#endif

/// The sum over splits, where there are any, and the epilogue. All `shared_bytes` of `shared` are free; splits meet in
/// clusters only where these hold the whole tile.
template <typename Tile, int shared_bytes = Tile::kStages* Tile::kStageBytes>
__device__ __forceinline__ void finish_tile(const ConvParams& p, const BlockWork<Tile>& work,
                                            float (&sums)[Tile::kFragments][4], unsigned char* shared) {
#if __CUDA_ARCH__ >= 900
  if constexpr (Tile::kRows * Tile::kStagedLine * 4 <= shared_bytes) {
    if (p.in_cluster != 0) {
      store_cluster_tile<Tile>(p, work, sums, reinterpret_cast<float*>(shared));
      return;
    }
  }
#endif
  if (p.splits > 1) {
    const int tile = static_cast<int>(blockIdx.y * gridDim.x + blockIdx.x);
    if (!reduce_splits<Tile::kThreads>(p, tile, work.split, sums, reinterpret_cast<unsigned*>(shared),
                                       [] { __syncthreads(); }))
      return;
    __syncthreads();
  }
  store_tile<Tile>(p, sums, reinterpret_cast<float*>(shared), work.first_pixel, work.first_channel, work.group);
}

}  // namespace maskrt::kernels
