// Convolution on the FP32 pipes (FFMA), for every chip: fp32, and fp16 whose tensors are not aligned for tensor cores.
// An implicit GEMM (conv_params.h) with fp32 accumulators, summed along the depth in ascending order.
//
// A block of 128 threads computes a tile of 64 pixels by 64 channels; 3 stages of cp.async (synchronous copies on
// sm_75).
// Example: 100 pixels by 100 channels in one group are 2 x 2 tiles; the second ones have 36 rows and columns. Rows
// beyond the pixels and columns beyond the group are loaded as zeros and not stored.
// Bound by the multiply-adds: 128 for every 12 reads of 16 bytes from shared memory.
// Launch: grid [row tiles x column tiles, groups, splits], 128 threads, 24580 bytes of static shared memory.
#include "ffma_tile.cuh"
#include "split_sum.cuh"

namespace maskrt::kernels {
namespace {

constexpr int stages = FfmaTile::kStages, kStageBytes = kLeftBytes + kRightBytes;

template <typename T>
__device__ __forceinline__ void conv(const ConvParams& p) {
  __shared__ alignas(128) unsigned char shared[stages * kStageBytes];
  static_assert(kTileRows * kStagedLine * sizeof(float) <= sizeof shared);
  __shared__ unsigned last;

  const int column_tile = static_cast<int>(blockIdx.x) % p.column_tiles;
  const int first_pixel = static_cast<int>(blockIdx.x) / p.column_tiles * kTileRows;
  const int first_channel = column_tile * kTileColumns, group = static_cast<int>(blockIdx.y);
  const int split = static_cast<int>(blockIdx.z);
  const int begin = static_cast<int>(static_cast<long long>(p.steps) * split / p.splits);
  const int steps = static_cast<int>(static_cast<long long>(p.steps) * (split + 1) / p.splits) - begin;

  PixelLoader<T, kTileRows, kTileChunks, kTileThreads, true> pixels;
  WeightLoader<T, kTileColumns, kTileChunks, kTileThreads> weights;
  pixels.start(p, first_pixel, group, begin);
  weights.start(p, first_channel, group, begin);
  const std::uint32_t base = ptx::shared_address(shared);
  const auto load = [&](int step) {
    const std::uint32_t to = base + static_cast<std::uint32_t>(step % stages * kStageBytes);
    pixels.load(p, to);
    weights.load(p, to + kLeftBytes);
  };
#pragma unroll 1
  for (int step = 0; step < stages - 1; ++step) {
    if (step < steps) load(step);
    commit_chunks();
  }

  const FfmaPlace place(static_cast<int>(threadIdx.x));
  float sums[kRowsOfThread][kColumnsOfThread] = {};
#pragma unroll 1
  for (int step = 0; step < steps; ++step) {
    wait_for_chunks<stages - 2>();
    __syncthreads();
    if (step + stages - 1 < steps) load(step + stages - 1);
    commit_chunks();
    const unsigned char* tile = shared + step % stages * kStageBytes;
    multiply_step<T>(tile, tile + kLeftBytes, place.left, place.right, sums);
  }
  if (p.splits > 1) {
    const int tile = static_cast<int>(blockIdx.y * gridDim.x + blockIdx.x);
    if (!reduce_splits<kTileThreads>(p, tile, split, sums, &last, [] { __syncthreads(); })) return;
  }

  wait_for_chunks<0>();
  __syncthreads();
  store_ffma_tile<T>(p, sums, place, reinterpret_cast<float*>(shared), first_pixel, first_channel, group);
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kTileThreads, FfmaTile::kResident)
    conv_ffma_f32(const __grid_constant__ ConvParams p) {
  conv<float>(p);
}
extern "C" __global__ void __launch_bounds__(kTileThreads, FfmaTile::kResident)
    conv_ffma_f16(const __grid_constant__ ConvParams p) {
  conv<__half>(p);
}

}  // namespace maskrt::kernels
