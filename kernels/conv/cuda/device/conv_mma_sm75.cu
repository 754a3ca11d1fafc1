// Convolution in fp16 on Turing's tensor cores (sm_75), which has no cp.async: implicit GEMM (conv_params.h), tiles
// double-buffered in shared memory, mma.m16n8k8 with fp32 accumulators.
//
// Software pipelining through registers: while one step of the depth is multiplied, the next step's chunks are loaded
// from global memory into registers; they are stored to shared memory before the step's last product.
// Example: tiles of 128 x 64 on 200 pixels by 96 channels: 2 x 2 tiles, of which the last has 72 rows and 32 columns;
// rows and columns beyond are loaded as zeros and not stored.
// Bound by tensor cores where there are enough tiles. 64 KiB of shared memory hold one block of the largest tile.
// Launch: grid [row tiles x column tiles, groups, splits], 128 or 256 threads, static shared memory.
#include <cuda_fp16.h>

#include "mma_tile.cuh"

namespace maskrt::kernels {
namespace {

template <typename Tile>
__device__ __forceinline__ void conv(const ConvParams& p) {
  static_assert(Tile::kStages == 2);
  __shared__ __align__(128) unsigned char shared[2 * Tile::kStageBytes];

  const BlockWork<Tile> work(p);

  using Pixels = PixelLoader<__half, Tile::kRows, Tile::kChunks, Tile::kThreads>;
  using Weights = WeightLoader<__half, Tile::kColumns, Tile::kChunks, Tile::kThreads>;
  Pixels pixels;
  Weights weights;
  pixels.start(p, work.first_pixel, work.group, work.begin);
  weights.start(p, work.first_channel, work.group, work.begin);
  uint4 held_pixels[Pixels::passes], held_weights[Weights::kPasses];
  const std::uint32_t base = ptx::shared_address(shared);
  std::uint32_t written = 0, read = 0;
  const auto fetch = [&] {
    pixels.fetch(p, held_pixels);
    weights.fetch(p, held_weights);
  };
  const auto put = [&] {
    pixels.put(base + written, held_pixels);
    weights.put(base + written + Tile::kLeftBytes, held_weights);
    written ^= Tile::kStageBytes;
  };
  fetch();
  put();
  __syncthreads();

  const Place<Tile> place(threadIdx.x);
  const std::uint32_t left_at = base + place.left_in_tile();
  const std::uint32_t right_at = base + Tile::kLeftBytes + place.right_in_tile();
  float sums[Tile::kFragments][4] = {};
  Fragments<Tile> fragments;
  fragments.load_first(left_at, right_at);
#pragma unroll 1
  for (int step = 0; step < work.steps; ++step) {
    const bool more = step + 1 < work.steps;
#pragma unroll
    for (int product = 0; product < Tile::kProducts; ++product) {
      if (product == 0 && more) fetch();
      if (product == Tile::kProducts - 1) {
        if (more) put();
        __syncthreads();
        if (more) read ^= Tile::kStageBytes;
      }
      // After the last step this loads stale data, which is not used.
      fragments.load_right((product + 1) % 2, right_at + read, (product + 1) % Tile::kProducts);
#pragma unroll
      for (int i = 0; i < Tile::kRowFragments; ++i) {
        fragments.multiply(i, product % 2, sums);
        fragments.load_left(i, left_at + read, (product + 1) % Tile::kProducts);
      }
    }
  }
  __syncthreads();

  finish_tile<Tile>(p, work, sums, shared);
}

}  // namespace

#define MASKRT_CONV(name, ...)                                                                                      \
  extern "C" __global__ void __launch_bounds__(MmaTile{2, __VA_ARGS__}.threads(), MmaTile{2, __VA_ARGS__}.resident) \
      name(const __grid_constant__ ConvParams p) {                                                                  \
    conv<Tile<__half, MmaTile{2, __VA_ARGS__}>>(p);                                                                 \
  }
MASKRT_CONV_SM75_TILES(MASKRT_CONV)
#undef MASKRT_CONV

}  // namespace maskrt::kernels
