// Deformable convolution on the FP32 pipes (FFMA), for every chip: fp32, and fp16 whose tensors are not aligned for
// tensor cores. An implicit GEMM (deform_params.h) whose left operand is sampled into shared memory (sampler.cuh), with
// fp32 accumulators, summed along the depth in ascending order.
//
// A block of 128 threads computes a tile of 64 pixels by 64 channels. While one step is multiplied, the next one's
// corners and weights are loaded: the corners into registers, the weights by cp.async (synchronous copies on sm_75).
// Example: 100 pixels by 100 channels in one group are 2 x 2 tiles; the second ones have 36 rows and columns. Samples
// of rows beyond the pixels are zeros, columns beyond the group are loaded as zeros, and neither are stored. Bound by
// the multiply-adds: 128 for every 12 reads of 16 bytes from shared memory. Launch: grid [row tiles x column tiles,
// groups, splits], 128 threads, kDeformFfmaSharedBytes of dynamic shared memory; programmatic dependent launch on
// sm_90.
#include "kernels/conv/cuda/device/ffma_tile.cuh"
#include "kernels/conv/cuda/device/split_sum.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "sampler.cuh"

namespace maskrt::kernels {
namespace {

template <typename T>
__device__ __forceinline__ void deform(const DeformParams& p) {
  extern __shared__ __align__(128) unsigned char shared[];
  static_assert(kDeformFfmaTableAt == 2 * (kLeftBytes + kRightBytes));
  static_assert(kTileRows * kStagedLine * sizeof(float) <= kDeformFfmaSharedBytes);
  ptx::let_next_grid_start();

  const int column_tile = static_cast<int>(blockIdx.x) % p.conv.column_tiles;
  const int first_pixel = static_cast<int>(blockIdx.x) / p.conv.column_tiles * kTileRows;
  const int first_channel = column_tile * kTileColumns, group = static_cast<int>(blockIdx.y);
  const int split = static_cast<int>(blockIdx.z);
  const int begin = static_cast<int>(static_cast<long long>(p.conv.steps) * split / p.conv.splits);
  const int steps = static_cast<int>(static_cast<long long>(p.conv.steps) * (split + 1) / p.conv.splits) - begin;

  using Samples = Sampler<T, kTileRows, kTileChunks, kTileThreads, true>;
  Samples sampler(shared + kDeformFfmaTableAt);
  WeightLoader<T, kTileColumns, kTileChunks, kTileThreads> weights;
  sampler.start(p, first_pixel, group, begin);
  weights.start(p.conv, first_channel, group, begin);
  const std::uint32_t base = ptx::shared_address(shared);
  std::uint32_t stage =
      0;  // of the step that is multiplied: byte offset of its samples; its weights lie 2 kLeftBytes on
  const auto fetch = [&] {
#pragma unroll
    for (int i = 0; i < Samples::kPasses; ++i) sampler.fetch(p, i);
  };
  const auto put = [&](std::uint32_t to) {
#pragma unroll
    for (int i = 0; i < Samples::kPasses; ++i) sampler.put(p, base + to, i);
  };
  static_assert(kLeftBytes == kRightBytes, "one offset for both operands");
  weights.load(p.conv, base + 2 * kLeftBytes);
  commit_chunks();
  ptx::wait_for_previous_grid();
  sampler.template begin<Samples::kAllInFlight>(p);
  fetch();
  put(0);

  const FfmaPlace place(static_cast<int>(threadIdx.x));
  float sums[kRowsOfThread][kColumnsOfThread] = {};
#pragma unroll 1
  for (int step = 0; step < steps; ++step) {
    wait_for_chunks<0>();
    __syncthreads();
    const bool more = step + 1 < steps;
    if (more) {
      sampler.template begin<Samples::kOneInFlight>(p);
      fetch();
      weights.load(p.conv, base + 2 * kLeftBytes + (stage ^ kLeftBytes));
      commit_chunks();
    }
    multiply_step<T>(shared + stage, shared + 2 * kLeftBytes + stage, place.left, place.right, sums);
    stage ^= kLeftBytes;
    if (more) put(stage);
  }
  __syncthreads();
  if (p.conv.splits > 1) {
    const int tile = static_cast<int>(blockIdx.y * gridDim.x + blockIdx.x);
    if (!reduce_splits<kTileThreads>(p.conv, tile, split, sums, reinterpret_cast<unsigned*>(shared),
                                     [] { __syncthreads(); }))
      return;
    __syncthreads();
  }
  store_ffma_tile<T>(p.conv, sums, place, reinterpret_cast<float*>(shared), first_pixel, first_channel, group);
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kTileThreads, kDeformFfmaResident)
    deform_ffma_f32(const __grid_constant__ DeformParams p) {
  deform<float>(p);
}
extern "C" __global__ void __launch_bounds__(kTileThreads, kDeformFfmaResident)
    deform_ffma_f16(const __grid_constant__ DeformParams p) {
  deform<__half>(p);
}

}  // namespace maskrt::kernels
