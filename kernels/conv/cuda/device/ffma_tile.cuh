// Tile of the implicit GEMM on the FP32 pipes: 64 pixels by 64 channels for a block of 128 threads, each with a
// register tile of 8 x 4: every 8th row, and 4 columns 8 apart or more. A warp's reads of shared memory are then two
// broadcast rows (left operand) and twice 8 neighbouring rows (right operand), without bank conflicts, and its
// accumulators are staged in 32 different banks.
#pragma once

#include <cuda_fp16.h>

#include "epilogue.cuh"
#include "implicit_gemm.cuh"
#include "kernels/conv/cuda/conv_tiles.h"

namespace maskrt::kernels {

constexpr int kTileRows = FfmaTile::kRows, kTileColumns = FfmaTile::kColumns, kTileChunks = FfmaTile::kChunks;
constexpr int kTileThreads = FfmaTile::kThreads;
constexpr int kRowsOfThread = FfmaTile::kRowsOfThread, kColumnsOfThread = FfmaTile::kColumnsOfThread;
constexpr int kLeftBytes = kTileRows * kTileChunks * 16, kRightBytes = kTileColumns * kTileChunks * 16;
constexpr int kStagedLine = kTileColumns + 16;  // words; two rows that a warp stores, each in 16 banks, use all 32

/// The first of a thread's columns, and the offset of its j-th column. The columns of 16 neighbouring threads are two
/// groups of 8, 16 columns apart, which staging_index makes neighbours.
__device__ __forceinline__ int first_column_of(int thread) { return thread % 8 + thread / 8 % 2 * 16; }
constexpr int column_offset(int j) { return j / 2 * 32 + j % 2 * 8; }

/// Loads four neighbouring elements of a tile's row.
__device__ __forceinline__ float4 four_at(const unsigned char* at, const float*) {
  return *reinterpret_cast<const float4*>(at);
}
__device__ __forceinline__ float4 four_at(const unsigned char* at, const __half*) {
  const uint2 bits = *reinterpret_cast<const uint2*>(at);
  const float2 low = __half22float2(reinterpret_cast<const __half2&>(bits.x));
  const float2 high = __half22float2(reinterpret_cast<const __half2&>(bits.y));
  return make_float4(low.x, low.y, high.x, high.y);
}

/// Main loop: multiplies one step's tiles. `left_place` and `right_place` are byte offsets of this thread's first rows.
template <typename T>
__device__ __forceinline__ void multiply_step(const unsigned char* left, const unsigned char* right,
                                              std::uint32_t left_place, std::uint32_t right_place,
                                              float (&sums)[kRowsOfThread][kColumnsOfThread]) {
#pragma unroll
  for (int chunk = 0; chunk < kTileChunks; ++chunk) {
#pragma unroll
    for (int element = 0; element < kElementsOfChunk<T>; element += 4) {
      const int byte = element * static_cast<int>(sizeof(T));
      float4 b[kColumnsOfThread];
#pragma unroll
      for (int j = 0; j < kColumnsOfThread; ++j)
        b[j] = four_at(right + (right_place ^ (chunk << 4)) + column_offset(j) * kTileChunks * 16 + byte,
                       static_cast<T*>(nullptr));
#pragma unroll
      for (int i = 0; i < kRowsOfThread; ++i) {
        const float4 a =
            four_at(left + (left_place ^ (chunk << 4)) + i * 8 * kTileChunks * 16 + byte, static_cast<T*>(nullptr));
#pragma unroll
        for (int j = 0; j < kColumnsOfThread; ++j)
          sums[i][j] = fmaf(a.w, b[j].w, fmaf(a.z, b[j].z, fmaf(a.y, b[j].y, fmaf(a.x, b[j].x, sums[i][j]))));
      }
    }
  }
}

/// A thread's accumulators and where its rows and columns begin.
struct FfmaPlace {
  int row, column;
  std::uint32_t left, right;  // byte offsets of the thread's first rows in a tile

  __device__ __forceinline__ explicit FfmaPlace(int thread)
      : row(thread / 16),
        column(first_column_of(thread)),
        left(swizzled<kTileChunks>(row, 0)),
        right(swizzled<kTileChunks>(column, 0)) {}
};

/// Epilogue: stores the block's accumulators through shared memory, which nobody uses any more.
template <typename T>
__device__ __forceinline__ void store_ffma_tile(const ConvParams& p,
                                                const float (&sums)[kRowsOfThread][kColumnsOfThread],
                                                const FfmaPlace& place, float* staging, int first_pixel,
                                                int first_channel, int group) {
#pragma unroll
  for (int i = 0; i < kRowsOfThread; ++i)
#pragma unroll
    for (int j = 0; j < kColumnsOfThread; ++j)
      staging[(place.row + 8 * i) * kStagedLine + staging_index<kTileColumns>(place.column) +
              staging_index<kTileColumns>(column_offset(j))] = sums[i][j];
  __syncthreads();
  Epilogue<kTileColumns, kTileThreads, T> store;
  store.start(p, threadIdx.x, first_channel, group);
  store.template store<kTileRows, kStagedLine>(p, staging, first_pixel);
}

}  // namespace maskrt::kernels
