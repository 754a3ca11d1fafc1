// Deformable convolution in fp16, or fp32 in tf32, on tensor cores, sm_80 and newer: out = activation(conv(samples
// of in) * scale + bias) as an implicit GEMM (deform_params.h) whose left operand is sampled straight into shared
// memory (sampler.cuh); mma.m16n8k16 (tf32: m16n8k8) with fp32 accumulators.
//
// A block computes a tile of `rows` pixels by `columns` channels. First it finds the corners and weights of all taps of
// its pixels (corner_table.cuh). Then, software pipelining: while one step of the depth is multiplied, each thread has
// the four corners of its chunks of the next step in flight in registers, and cp.async copies the next step's weights;
// chunks are blended and stored between two products. As many channels as possible share a block's samples: a tile has
// all of 256 channels.
// Example: 2052 pixels (38 x 54) by 256 channels of 256, 3 x 3, in tiles of 96 x 256 x 64: 22 tiles, the last of 36
// pixels; the depth is 36 steps, 4 blocks of 64 channels by 9 taps. On 132 multiprocessors 5 splits of 7 or 8 steps
// each make 110 blocks; on sm_90 the 5 are a cluster and add their sums through distributed shared memory
// (cluster_rows.cuh), elsewhere through global memory (split_sum.cuh).
// Bound by shared memory and the L1 cache, which is the same memory: of a step of 96 x 256 x 64, 112 KiB of
// fragments are read, 44 KiB of operands stored and 48 KiB of corners loaded, 1630 cycles at 128 bytes each, for 1200
// cycles of mma.sync on an H200. A warp executes some 590 instructions a step for its 96 mma (SASS of sm_90a), 95 of
// them for each of its three samples: 36 conversions, 32 multiply-adds, 4 loads, their addresses, a store.
// Launch: grid [row tiles x column tiles, groups, splits], dynamic shared memory of deform_shared_bytes(); clusters of
// [1, 1, splits] where in_cluster; programmatic dependent launch on sm_90.
#include <cuda_fp16.h>

#include "kernels/conv/cuda/device/mma_tile.cuh"
#include "kernels/conv/cuda/device/next_weights.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "sampler.cuh"

namespace maskrt::kernels {
namespace {

template <typename Element_, MmaTile tile>
struct DeformTile : Tile<Element_, tile> {
  static constexpr int kSamplesBytes = deform_samples_bytes(tile), kWeightsBytes = deform_weights_bytes(tile);
  static constexpr int kWeightsAt = 2 * kSamplesBytes, kTableAt = kWeightsAt + tile.stages * kWeightsBytes;
  static constexpr int kSharedBytes = deform_shared_bytes(tile);
  static_assert(tile.stages == 2);
  static_assert(tile.stages_whole_tile(kSharedBytes), "split-K within a cluster");
};

template <typename Tile>
__device__ __forceinline__ void deform(const DeformParams& p) {
  extern __shared__ __align__(128) unsigned char shared[];
  ptx::let_next_grid_start();

  const BlockWork<Tile> work(p.conv);

  WeightLoader<typename Tile::Element, Tile::kColumns, Tile::kChunks, Tile::kThreads> weights;
  weights.start(p.conv, work.first_channel, work.group, work.begin);
  const std::uint32_t samples_at = ptx::shared_address(shared), weights_at = samples_at + Tile::kWeightsAt;
  // Byte offsets of a step's stages. Computed instead of kept: registers are scarce.
  const auto samples_stage = [](int step) { return static_cast<std::uint32_t>(step % 2) * Tile::kSamplesBytes; };
  const auto weights_stage = [](int step) { return static_cast<std::uint32_t>(step % 2) * Tile::kWeightsBytes; };
  // Prologue before griddepcontrol.wait: weights are constants, whereas the preceding kernel may still be writing the
  // offsets.
  weights.load(p.conv, weights_at);
  commit_chunks();
  if (threadIdx.x == 0)
    prefetch_next_weights(p.conv, (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x,
                          gridDim.x * gridDim.y * gridDim.z);
  using Samples = Sampler<typename Tile::Element, Tile::kRows, Tile::kChunks, Tile::kThreads>;
  Samples sampler(shared + Tile::kTableAt);
  sampler.start(p, work.first_pixel, work.group, work.begin);
  ptx::wait_for_previous_grid();
  constexpr int passes = Samples::kPasses, products = Tile::kProducts;
  // The product of a step after which a pass is stored; its loads start one product earlier, those of passes that are
  // stored after the first product in the preceding step's last one.
  const auto product_of = [](int pass) { return pass * (products - 1) / passes; };
  const auto fetch = [&](int product) {
#pragma unroll
    for (int i = 0; i < passes; ++i)
      if (product_of(i) == product) sampler.fetch(p, i);
  };
  sampler.template begin<Samples::kAllInFlight>(p);
#pragma unroll
  for (int i = 0; i < passes; ++i) sampler.fetch(p, i);
#pragma unroll
  for (int i = 0; i < passes; ++i) sampler.put(p, samples_at, i);

  const Place<Tile> place(threadIdx.x);
  const std::uint32_t left_at = samples_at + place.left_in_tile(), right_at = weights_at + place.right_in_tile();
  float sums[Tile::kFragments][4] = {};
  Fragments<Tile> fragments;
  wait_for_chunks<0>();
  __syncthreads();
  fragments.load_first(left_at, right_at);
  if (work.steps > 1) {
    sampler.template begin<Samples::kOneInFlight>(p);
    fetch(0);
  }
#pragma unroll 1
  for (int step = 0; step < work.steps; ++step) {
    const bool more = step + 1 < work.steps;
#pragma unroll
    for (int product = 0; product < products; ++product) {
      // Of the step whose fragments are loaded, one product ahead. After the last step these are stages that are not
      // being written; the fragments are not used.
      const int loaded = product == products - 1 ? step + 1 : step;
      if (product == products - 1) {
        wait_for_chunks<0>();
        __syncthreads();
      }
      fragments.load_right((product + 1) % 2, right_at + weights_stage(loaded), (product + 1) % products);
      if (product == 0) {
        if (more) weights.load(p.conv, weights_at + weights_stage(step + 1));
        commit_chunks();
      }
      if (product < products - 1) {
        if (more) fetch(product + 1);
      } else if (step + 2 < work.steps) {
        sampler.template begin<Samples::kOneInFlight>(p);
        fetch(0);
      }
#pragma unroll
      for (int i = 0; i < Tile::kRowFragments; ++i) {
        fragments.multiply(i, product % 2, sums);
        fragments.load_left(i, left_at + samples_stage(loaded), (product + 1) % products);
      }
#pragma unroll
      for (int i = 0; i < passes; ++i)
        if (more && product_of(i) == product) sampler.put(p, samples_at + samples_stage(step + 1), i);
    }
  }
  wait_for_chunks<0>();
  __syncthreads();

  finish_tile<Tile, Tile::kSharedBytes>(p.conv, work, sums, shared);
}

}  // namespace

#define MASKRT_DEFORM(Element, name, ...)                                                       \
  extern "C" __global__ void __launch_bounds__(MmaTile{sizeof(Element), __VA_ARGS__}.threads(), \
                                               MmaTile{sizeof(Element), __VA_ARGS__}.resident)  \
      name(const __grid_constant__ DeformParams p) {                                            \
    deform<DeformTile<Element, MmaTile{sizeof(Element), __VA_ARGS__}>>(p);                      \
  }
#define MASKRT_DEFORM_F16(...) MASKRT_DEFORM(__half, __VA_ARGS__)
#define MASKRT_DEFORM_TF32(...) MASKRT_DEFORM(float, __VA_ARGS__)
MASKRT_DEFORM_SM80_F16_TILES(MASKRT_DEFORM_F16)
MASKRT_DEFORM_SM80_TF32_TILES(MASKRT_DEFORM_TF32)
#undef MASKRT_DEFORM_TF32
#undef MASKRT_DEFORM_F16
#undef MASKRT_DEFORM

}  // namespace maskrt::kernels
