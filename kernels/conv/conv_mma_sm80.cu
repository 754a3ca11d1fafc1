// Convolution in f16 on tensor cores, sm_80 and newer: implicit GEMM with several stages of cp.async, ldmatrix and
// mma.m16n8k16, sums in f32.
//
// A block computes a tile of `rows` pixels by `columns` channels; its warps share it out. While the tensor cores work
// on one step of the depth, the copies of the next stages are on their way, and each warp's next fragments come into
// registers one product of 16 deep ahead, across the steps' borders too, so that the only barrier a step is hidden
// behind the last product of the step.
// Bound by tensor cores where the tiles fill the chip. A warp of 64 x 64 reads 8 KiB of shared memory for 32 products
// (256 cycles on sm_80, of which the reads take 64): narrower warps wait for shared memory sooner.
#include <cuda_fp16.h>

#include "../ptx/ldmatrix.cuh"
#include "../ptx/mma.cuh"
#include "../ptx/special_registers.cuh"
#include "epilogue.cuh"
#include "implicit_gemm.cuh"
#include "split_sum.cuh"

namespace maskrt::kernels {
namespace {

template <int rows_, int columns_, int pieces_, int warp_rows_, int warp_columns_, int stages_>
struct Tile {
  static constexpr int rows = rows_, columns = columns_, pieces = pieces_, stages = stages_;
  static constexpr int warp_rows = warp_rows_, warp_columns = warp_columns_;
  static constexpr int warps_down = rows / warp_rows, warps_across = columns / warp_columns;
  static constexpr int threads = warps_down * warps_across * 32;
  static constexpr int row_bytes = pieces * 16;
  static constexpr int left_bytes = rows * row_bytes, stage_bytes = left_bytes + columns * row_bytes;
  static constexpr int products = pieces / 2;  // of 16 deep in one step
  static constexpr int row_fragments = warp_rows / 16, column_fragments = warp_columns / 8;
  static constexpr int fragments = row_fragments * column_fragments;
  static constexpr int staged_line = columns + 8;  // keeps the fragments' stores of 8 bytes in different banks
  static_assert(warp_rows * staged_line * 4 <= stages * stage_bytes, "the sums are staged in the tiles' place");
};

/// What one warp multiplies at a time, 16 deep. The right side comes one product ahead; each left fragment is replaced
/// as soon as its products are under way, while the others' run.
template <typename Tile>
struct Fragments {
  std::uint32_t left[Tile::row_fragments][4], right[2][Tile::column_fragments / 2][4];

  __device__ __forceinline__ void load_left(int i, std::uint32_t at, int product) {
    ptx::ldmatrix_x4(left[i], (at ^ static_cast<std::uint32_t>(product * 32)) + i * 16 * Tile::row_bytes);
  }
  __device__ __forceinline__ void load_right(int buffer, std::uint32_t at, int product) {
#pragma unroll
    for (int j = 0; j < Tile::column_fragments / 2; ++j)
      ptx::ldmatrix_x4(right[buffer][j], (at ^ static_cast<std::uint32_t>(product * 32)) + j * 16 * Tile::row_bytes);
  }
  __device__ __forceinline__ void multiply(int i, int buffer, float (&sums)[Tile::fragments][4]) const {
#pragma unroll
    for (int j = 0; j < Tile::column_fragments; ++j)
      ptx::mma_m16n8k16(sums[i * Tile::column_fragments + j], left[i], right[buffer][j / 2][j % 2 * 2],
                        right[buffer][j / 2][j % 2 * 2 + 1]);
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
  SumStore<Tile::columns, Tile::threads> store;
  store.start(p, thread, first_channel, group);
  float* const mine = staging + place.lane / 4 * line + place.column() + place.lane % 4 * 2;
#pragma unroll 1
  for (int band = 0; band < Tile::warps_down; ++band) {
    if (band != 0) __syncthreads();
    if (band == place.band()) {
#pragma unroll
      for (int i = 0; i < Tile::row_fragments; ++i) {
#pragma unroll
        for (int j = 0; j < Tile::column_fragments; ++j) {
          const float(&sum)[4] = sums[i * Tile::column_fragments + j];
          float* const to = mine + i * 16 * line + j * 8;
          *reinterpret_cast<float2*>(to) = make_float2(sum[0], sum[1]);
          *reinterpret_cast<float2*>(to + 8 * line) = make_float2(sum[2], sum[3]);
        }
      }
    }
    __syncthreads();
    store.template store<Tile::warp_rows, line>(p, staging, first_pixel + band * Tile::warp_rows);
  }
}

template <typename Tile>
__device__ __forceinline__ void conv(const ConvParams& p) {
  extern __shared__ __align__(128) unsigned char shared[];
  constexpr int stages = Tile::stages;

  const int column_tile = static_cast<int>(blockIdx.x) % p.column_tiles;
  const int first_pixel = static_cast<int>(blockIdx.x) / p.column_tiles * Tile::rows;
  const int first_channel = column_tile * Tile::columns, group = static_cast<int>(blockIdx.y);
  const int split = static_cast<int>(blockIdx.z);
  const int begin = static_cast<int>(static_cast<long long>(p.steps) * split / p.splits);
  const int steps = static_cast<int>(static_cast<long long>(p.steps) * (split + 1) / p.splits) - begin;

  PixelLoader<__half, Tile::rows, Tile::pieces, Tile::threads> pixels;
  WeightLoader<__half, Tile::columns, Tile::pieces, Tile::threads> weights;
  pixels.start(p, first_pixel, group, begin);
  weights.start(p, first_channel, group, begin);
  const std::uint32_t base = ptx::shared_address(shared);
  std::uint32_t written = 0;  // where the next step's tiles go
  const auto load = [&] {
    pixels.load(p, base + written);
    weights.load(p, base + written + Tile::left_bytes);
  };
  const auto next = [](std::uint32_t stage) {
    return stage == (stages - 1) * Tile::stage_bytes ? 0u : stage + Tile::stage_bytes;
  };
#pragma unroll 1
  for (int step = 0; step < stages - 1; ++step) {
    if (step < steps) load();
    commit_pieces();
    written = next(written);
  }

  const Place<Tile> place(threadIdx.x);
  const std::uint32_t left_at = base + swizzled<Tile::pieces>(place.row() + place.lane % 16, place.lane / 16);
  const std::uint32_t right_at =
      base + Tile::left_bytes +
      swizzled<Tile::pieces>(place.column() + place.lane % 8 + place.lane / 16 * 8, place.lane / 8 % 2);
  float sums[Tile::fragments][4] = {};
  Fragments<Tile> fragments;
  std::uint32_t read = 0;
  wait_for_pieces<stages - 2>();
  __syncthreads();
  fragments.load_right(0, right_at, 0);
#pragma unroll
  for (int i = 0; i < Tile::row_fragments; ++i) fragments.load_left(i, left_at, 0);
#pragma unroll 1
  for (int step = 0; step < steps; ++step) {
#pragma unroll
    for (int product = 0; product < Tile::products; ++product) {
      if (product == Tile::products - 1) {
        wait_for_pieces<stages - 2>();
        __syncthreads();
        read = next(read);
      }
      // Behind the last step this reads a stage that nobody writes, and nobody uses what it reads.
      fragments.load_right((product + 1) % 2, right_at + read, (product + 1) % Tile::products);
      if (product == 0) {
        if (step + stages - 1 < steps) load();
        commit_pieces();
        written = next(written);
      }
#pragma unroll
      for (int i = 0; i < Tile::row_fragments; ++i) {
        fragments.multiply(i, product % 2, sums);
        fragments.load_left(i, left_at + read, (product + 1) % Tile::products);
      }
    }
  }
  wait_for_pieces<0>();
  __syncthreads();

  if (p.splits > 1) {
    const int tile = static_cast<int>(blockIdx.y * gridDim.x + blockIdx.x);
    if (!sum_of_splits<Tile::threads>(p, tile, split, sums, reinterpret_cast<unsigned*>(shared),
                                      [] { __syncthreads(); }))
      return;
    __syncthreads();
  }
  store_tile<Tile>(p, sums, reinterpret_cast<float*>(shared), first_pixel, first_channel, group);
}

}  // namespace

// The tiles, each on purpose (rows x columns x depth of a step; conv_kernels.cpp repeats the figures for the host):
#define MASKRT_CONV(name, resident, ...)                                             \
  extern "C" __global__ void __launch_bounds__(Tile<__VA_ARGS__>::threads, resident) \
      name(const __grid_constant__ ConvParams p) {                                   \
    conv<Tile<__VA_ARGS__>>(p);                                                      \
  }
MASKRT_CONV(conv_sm80_128x256x32, 1, 128, 256, 4, 64, 64, 4)  // least traffic a product, for many pixels and channels
MASKRT_CONV(conv_sm80_128x128x32, 2, 128, 128, 4, 64, 64, 4)
MASKRT_CONV(conv_sm80_256x64x32, 2, 256, 64, 4, 64, 64, 3)  // 64 channels: res2
MASKRT_CONV(conv_sm80_128x64x64, 2, 128, 64, 8, 64, 32, 3)
MASKRT_CONV(conv_sm80_64x128x64, 2, 64, 128, 8, 32, 64, 3)
MASKRT_CONV(conv_sm80_64x64x64, 3, 64, 64, 8, 32, 32, 4)    // few pixels: res5
MASKRT_CONV(conv_sm80_128x32x64, 3, 128, 32, 8, 32, 32, 3)  // merged groups, narrow heads
#undef MASKRT_CONV

}  // namespace maskrt::kernels
