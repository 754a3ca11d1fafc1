// A tile of the implicit GEMM on warps' tensor-core instructions: what a block's warps hold, multiply and store. For
// sm_75 and newer; how tiles come into shared memory is the kernels' business.
#pragma once

#include <cstdint>

#include "kernels/ptx/ldmatrix.cuh"
#include "kernels/ptx/mma.cuh"
#include "kernels/ptx/special_registers.cuh"
#include "epilogue.cuh"
#include "implicit_gemm.cuh"

namespace maskrt::kernels {

/// The shape of a block's tile and of its warps'; a step of the depth is `pieces_` pieces of 16 bytes. Elements are
/// f16, or f32 that are rounded to tf32 on their way to the tensor cores.
template <typename Element_, int rows_, int columns_, int pieces_, int warp_rows_, int warp_columns_, int stages_>
struct Tile {
  using Element = Element_;
  static constexpr int rows = rows_, columns = columns_, pieces = pieces_, stages = stages_;
  static constexpr int warp_rows = warp_rows_, warp_columns = warp_columns_;
  static constexpr int warps_down = rows / warp_rows, warps_across = columns / warp_columns;
  static constexpr int threads = warps_down * warps_across * 32;
  static constexpr int row_bytes = pieces * 16;
  static constexpr int left_bytes = rows * row_bytes, stage_bytes = left_bytes + columns * row_bytes;
  static constexpr int products = pieces / 2;  // of two pieces in one step
  static constexpr int row_fragments = warp_rows / 16, column_fragments = warp_columns / 8;
  static constexpr int fragments = row_fragments * column_fragments;
  static constexpr int staged_line = columns + 8;  // keeps the fragments' stores of 8 bytes in different banks
  static_assert(warp_rows * staged_line * 4 <= stages * stage_bytes, "the sums are staged in the tiles' place");
};

/// sum += 16 rows by 8 columns, two pieces deep: 16 of f16, 8 of f32. Fragments of 16-bit and of 32-bit elements lie
/// in the same places of a piece.
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

/// Fragments as the tensor cores want them.
__device__ __forceinline__ void prepare(std::uint32_t (&)[4], const __half*) {}
#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ void prepare(std::uint32_t (&fragment)[4], const float*) {
#pragma unroll
  for (int i = 0; i < 4; ++i) fragment[i] = ptx::round_to_tf32(fragment[i]);
}
#endif

/// What one warp multiplies at a time, two pieces deep. The right side comes one product ahead; each left fragment is
/// replaced as soon as its products are under way, while the others' run.
template <typename Tile>
struct Fragments {
  std::uint32_t left[Tile::row_fragments][4], right[2][Tile::column_fragments / 2][4];

  __device__ __forceinline__ void load_left(int i, std::uint32_t at, int product) {
    ptx::ldmatrix_x4(left[i], (at ^ static_cast<std::uint32_t>(product * 32)) + i * 16 * Tile::row_bytes);
    prepare(left[i], static_cast<typename Tile::Element*>(nullptr));
  }
  __device__ __forceinline__ void load_right(int buffer, std::uint32_t at, int product) {
#pragma unroll
    for (int j = 0; j < Tile::column_fragments / 2; ++j) {
      ptx::ldmatrix_x4(right[buffer][j], (at ^ static_cast<std::uint32_t>(product * 32)) + j * 16 * Tile::row_bytes);
      prepare(right[buffer][j], static_cast<typename Tile::Element*>(nullptr));
    }
  }
  __device__ __forceinline__ void multiply(int i, int buffer, float (&sums)[Tile::fragments][4]) const {
#pragma unroll
    for (int j = 0; j < Tile::column_fragments; ++j)
      multiply_add(sums[i * Tile::column_fragments + j], left[i], right[buffer][j / 2][j % 2 * 2],
                   right[buffer][j / 2][j % 2 * 2 + 1], static_cast<typename Tile::Element*>(nullptr));
  }
};

/// A thread's warp and lane, and where in the tile its warp works.
template <typename Tile>
struct Place {
  int lane, warp;
  __device__ __forceinline__ explicit Place(unsigned thread)
      : lane(static_cast<int>(thread % 32)), warp(static_cast<int>(thread / 32)) {}
  __device__ __forceinline__ int band() const { return warp / Tile::warps_across; }
  __device__ __forceinline__ int row() const { return band() * Tile::warp_rows; }
  __device__ __forceinline__ int column() const { return warp % Tile::warps_across * Tile::warp_columns; }
};

/// The block's sums to memory, one band of warps after the other.
template <typename Tile>
__device__ __forceinline__ void store_tile(const ConvParams& p, const float (&sums)[Tile::fragments][4], float* staging,
                                           int first_pixel, int first_channel, int group) {
  constexpr int line = Tile::staged_line;
  const unsigned thread = ptx::thread_index();
  const Place<Tile> place(thread);
  SumStore<Tile::columns, Tile::threads, typename Tile::Element> store;
  store.start(p, thread, first_channel, group);
  float* const mine =
      staging + place.lane / 4 * line + staged_place<Tile::columns>(place.column() + place.lane % 4 * 2);
#pragma unroll 1
  for (int band = 0; band < Tile::warps_down; ++band) {
    if (band != 0) __syncthreads();
    if (band == place.band()) {
#pragma unroll
      for (int i = 0; i < Tile::row_fragments; ++i) {
#pragma unroll
        for (int j = 0; j < Tile::column_fragments; ++j) {
          const float(&sum)[4] = sums[i * Tile::column_fragments + j];
          float* const to = mine + i * 16 * line + j * staged_place<Tile::columns>(8);
          *reinterpret_cast<float2*>(to) = make_float2(sum[0], sum[1]);
          *reinterpret_cast<float2*>(to + 8 * line) = make_float2(sum[2], sum[3]);
        }
      }
    }
    __syncthreads();
    store.template store<Tile::warp_rows, line>(p, staging, first_pixel + band * Tile::warp_rows);
  }
}

}  // namespace maskrt::kernels
