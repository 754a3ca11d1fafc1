// Convolution in fp16, or fp32 in tf32, on tensor cores, sm_80 and newer: implicit GEMM (conv_params.h) with a
// multistage cp.async pipeline, ldmatrix and mma.m16n8k16 (tf32: m16n8k8), fp32 accumulators.
//
// A block computes a tile of `rows` pixels by `columns` channels, divided among its warps. While one step of the depth
// is multiplied, the copies of the next stages - 1 steps are in flight, and each warp loads its fragments one product
// (16 elements of depth) ahead, also across steps, so that the only __syncthreads of a step is hidden behind its last
// product.
// Example: tiles of 64 x 64 x 64 on the pyramid's 540 pixels (20 x 27) by 256 channels: 9 x 4 = 36 blocks, of which the
// last row has 28 pixels; pixels beyond are loaded as zeros and not stored.
// Bound by tensor cores where the tiles fill the chip. A warp with 64 x 64 reads 8 KiB of shared memory for 32 mma (256
// cycles on sm_80, of which the reads take 64); narrower warp tiles are bound by shared memory sooner.
// Split-K: through global memory (split_sum.cuh); on sm_90 within a cluster where p.in_cluster (cluster_rows.cuh).
// Launch: grid [row tiles x column tiles, groups, splits], dynamic shared memory of stages * kStageBytes, clusters of
// [1, 1, splits] where p.in_cluster, programmatic dependent launch on sm_90.
#include <cuda_fp16.h>

#include "kernels/ptx/griddepcontrol.cuh"
#include "mma_tile.cuh"
#include "next_weights.cuh"

namespace maskrt::kernels {
namespace {

template <typename Tile>
__device__ __forceinline__ void conv(const ConvParams& p) {
  extern __shared__ __align__(128) unsigned char shared[];
  constexpr int stages = Tile::kStages;
  ptx::let_next_grid_start();

  const BlockWork<Tile> work(p);

  PixelLoader<typename Tile::Element, Tile::kRows, Tile::kChunks, Tile::kThreads> pixels;
  WeightLoader<typename Tile::Element, Tile::kColumns, Tile::kChunks, Tile::kThreads> weights;
  pixels.start(p, work.first_pixel, work.group, work.begin);
  weights.start(p, work.first_channel, work.group, work.begin);
  const std::uint32_t base = ptx::shared_address(shared);
  std::uint32_t written = 0;  // byte offset of the stage that the next step's tiles are copied to
  const auto load = [&] {
    pixels.load(p, base + written);
    weights.load(p, base + written + Tile::kLeftBytes);
  };
  const auto next = [](std::uint32_t stage) {
    return stage == (stages - 1) * Tile::kStageBytes ? 0u : stage + Tile::kStageBytes;
  };
  // Prologue before griddepcontrol.wait: the first step's weights are constants, whereas the preceding kernel may still
  // be writing the pixels.
  weights.load(p, base + Tile::kLeftBytes);
  ptx::wait_for_previous_grid();
  pixels.load(p, base);
  commit_chunks();
  written = next(written);
#pragma unroll 1
  for (int step = 1; step < stages - 1; ++step) {
    if (step < work.steps) load();
    commit_chunks();
    written = next(written);
  }
  if (threadIdx.x == 0)
    prefetch_next_weights(p, (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x,
                          gridDim.x * gridDim.y * gridDim.z);

  const Place<Tile> place(threadIdx.x);
  const std::uint32_t left_at = base + place.left_in_tile();
  const std::uint32_t right_at = base + Tile::kLeftBytes + place.right_in_tile();
  float sums[Tile::kFragments][4] = {};
  Fragments<Tile> fragments;
  std::uint32_t read = 0;
  wait_for_chunks<stages - 2>();
  __syncthreads();
  fragments.load_first(left_at, right_at);
#pragma unroll 1
  for (int step = 0; step < work.steps; ++step) {
#pragma unroll
    for (int product = 0; product < Tile::kProducts; ++product) {
      if (product == Tile::kProducts - 1) {
        wait_for_chunks<stages - 2>();
        __syncthreads();
        read = next(read);
      }
      // After the last step this loads from a stage that is not being written; the fragments are not used.
      fragments.load_right((product + 1) % 2, right_at + read, (product + 1) % Tile::kProducts);
      if (product == 0) {
        if (step + stages - 1 < work.steps) load();
        commit_chunks();
        written = next(written);
      }
#pragma unroll
      for (int i = 0; i < Tile::kRowFragments; ++i) {
        fragments.multiply(i, product % 2, sums);
        fragments.load_left(i, left_at + read, (product + 1) % Tile::kProducts);
      }
    }
  }
  wait_for_chunks<0>();
  __syncthreads();

  finish_tile<Tile>(p, work, sums, shared);
}

}  // namespace

#define MASKRT_CONV(Element, name, ...)                                                         \
  extern "C" __global__ void __launch_bounds__(MmaTile{sizeof(Element), __VA_ARGS__}.threads(), \
                                               MmaTile{sizeof(Element), __VA_ARGS__}.resident)  \
      name(const __grid_constant__ ConvParams p) {                                              \
    conv<Tile<Element, MmaTile{sizeof(Element), __VA_ARGS__}>>(p);                              \
  }
#define MASKRT_CONV_F16(...) MASKRT_CONV(__half, __VA_ARGS__)
#define MASKRT_CONV_TF32(...) MASKRT_CONV(float, __VA_ARGS__)
MASKRT_CONV_SM80_F16_TILES(MASKRT_CONV_F16)
MASKRT_CONV_SM80_TF32_TILES(MASKRT_CONV_TF32)
#undef MASKRT_CONV_TF32
#undef MASKRT_CONV_F16
#undef MASKRT_CONV

}  // namespace maskrt::kernels
