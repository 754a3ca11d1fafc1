// Deformable convolution in fp16 on Turing's tensor cores (sm_75), which has no cp.async: as deform_mma_sm80.cu, but
// for the weights, which pass through registers as the samples do; mma.m16n8k8 with fp32 accumulators, split-K through
// global memory.
//
// Example: tiles of 64 x 256 on 2052 pixels by 256 channels: 33 tiles, the last of 4 pixels.
// Bound by tensor cores, or by the loads of weights where there are few tiles. 64 KiB of shared memory hold one block
// of the largest tile. Launch: grid [row tiles x column tiles, groups, splits], 128 or 256 threads, dynamic shared
// memory of deform_shared_bytes().
#include <cuda_fp16.h>

#include "kernels/conv/cuda/device/mma_tile.cuh"
#include "sampler.cuh"

namespace maskrt::kernels {
namespace {

template <MmaTile tile>
struct DeformTile : Tile<__half, tile> {
  static constexpr int kSamplesBytes = deform_samples_bytes(tile), kWeightsBytes = deform_weights_bytes(tile);
  static constexpr int kWeightsAt = 2 * kSamplesBytes, kTableAt = kWeightsAt + 2 * kWeightsBytes;
  static_assert(tile.stages == 2);
};

template <typename Tile>
__device__ __forceinline__ void deform(const DeformParams& p) {
  extern __shared__ __align__(128) unsigned char shared[];

  const BlockWork<Tile> work(p.conv);

  using Samples = Sampler<__half, Tile::kRows, Tile::kChunks, Tile::kThreads>;
  using Weights = WeightLoader<__half, Tile::kColumns, Tile::kChunks, Tile::kThreads>;
  Samples sampler(shared + Tile::kTableAt);
  Weights weights;
  uint4 held_weights[Weights::kPasses];
  const std::uint32_t samples_at = ptx::shared_address(shared), weights_at = samples_at + Tile::kWeightsAt;
  sampler.start(p, work.first_pixel, work.group, work.begin);
  weights.start(p.conv, work.first_channel, work.group, work.begin);
  weights.fetch(p.conv, held_weights);
  sampler.template begin<Samples::kAllInFlight>(p);
  const auto fetch = [&] {
#pragma unroll
    for (int i = 0; i < Samples::kPasses; ++i) sampler.fetch(p, i);
  };
  std::uint32_t samples_written = 0, weights_written = 0, samples_read = 0, weights_read = 0;
  const auto put = [&] {
#pragma unroll
    for (int i = 0; i < Samples::kPasses; ++i) sampler.put(p, samples_at + samples_written, i);
    weights.put(weights_at + weights_written, held_weights);
    samples_written ^= Tile::kSamplesBytes;
    weights_written ^= Tile::kWeightsBytes;
  };
  fetch();
  put();
  __syncthreads();

  const Place<Tile> place(threadIdx.x);
  const std::uint32_t left_at = samples_at + place.left_in_tile(), right_at = weights_at + place.right_in_tile();
  float sums[Tile::kFragments][4] = {};
  Fragments<Tile> fragments;
  fragments.load_first(left_at, right_at);
#pragma unroll 1
  for (int step = 0; step < work.steps; ++step) {
    const bool more = step + 1 < work.steps;
#pragma unroll
    for (int product = 0; product < Tile::kProducts; ++product) {
      if (product == 0 && more) {
        sampler.template begin<Samples::kOneInFlight>(p);
        fetch();
        weights.fetch(p.conv, held_weights);
      }
      if (product == Tile::kProducts - 1) {
        if (more) put();
        __syncthreads();
        samples_read ^= more ? Tile::kSamplesBytes : 0;
        weights_read ^= more ? Tile::kWeightsBytes : 0;
      }
      // After the last step this loads stale data, which is not used.
      fragments.load_right((product + 1) % 2, right_at + weights_read, (product + 1) % Tile::kProducts);
#pragma unroll
      for (int i = 0; i < Tile::kRowFragments; ++i) {
        fragments.multiply(i, product % 2, sums);
        fragments.load_left(i, left_at + samples_read, (product + 1) % Tile::kProducts);
      }
    }
  }
  __syncthreads();

  finish_tile<Tile>(p.conv, work, sums, shared);
}

}  // namespace

#define MASKRT_DEFORM(name, ...)                                                                                    \
  extern "C" __global__ void __launch_bounds__(MmaTile{2, __VA_ARGS__}.threads(), MmaTile{2, __VA_ARGS__}.resident) \
      name(const __grid_constant__ DeformParams p) {                                                                \
    deform<DeformTile<MmaTile{2, __VA_ARGS__}>>(p);                                                                 \
  }
MASKRT_DEFORM_SM75_TILES(MASKRT_DEFORM)
#undef MASKRT_DEFORM

}  // namespace maskrt::kernels
