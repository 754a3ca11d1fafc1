// Adaptive average pooling. A block takes one cell and 32 channels. Bound by memory: the map is read once for each size
// of the pyramid, from the caches after the first.
#include "average_pool_params.h"
#include "kernels/cuda/cell_range.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kThreads = 256;
/// Channels of one call.
constexpr int kChannels = 32;

/// Means of channels c0 .. c0 + 31 over the cell, into means[0 .. 31] in shared memory; beyond the map's channels, 0.
/// All 256 threads take part: those that share a few channels each add every so many'th position, then lanes and warps
/// are added in a fixed order.
/// `partial` is shared memory for 8 x 32 numbers. Ends with a barrier.
template <typename T>
__device__ void mean(const Map& in, int b, CellRange rows, CellRange columns, int c0, float (*partial)[32],
                     float* means) {
  constexpr int each = kChannelsOfThread<T>, parts = kChannels / each, sharers = kThreads / parts;
  const int thread = static_cast<int>(threadIdx.x), part = thread % parts, lane = thread % 32, warp = thread / 32;
  const int c = c0 + part * each, positions = rows.count * columns.count;
  Channels<each> sum{};
  if (c < in.channels) {
    int y = thread / parts / columns.count, x = thread / parts % columns.count;
    const int row_step = sharers / columns.count, column_step = sharers % columns.count;
    for (int i = thread / parts; i < positions; i += sharers) {
      const int position = (rows.first + y) * in.width + columns.first + x;
      const Channels<each> o = load_channels<each>(in, pixel_of<T>(in, b, position), c);
#pragma unroll
      for (int k = 0; k < each; ++k) sum.v[k] += o.v[k];
      x += column_step;
      y += row_step;
      if (x >= columns.count) {
        x -= columns.count;
        ++y;
      }
    }
  }
#pragma unroll
  for (int k = 0; k < each; ++k) {
#pragma unroll
    for (int step = 16; step >= parts; step /= 2) sum.v[k] += __shfl_xor_sync(0xffffffffu, sum.v[k], step);
    if (lane < parts) partial[warp][part * each + k] = sum.v[k];
  }
  __syncthreads();
  if (thread < kChannels) {
    float total = 0;
#pragma unroll
    for (int w = 0; w < kThreads / 32; ++w) total += partial[w][thread];
    means[thread] = total / static_cast<float>(positions);
  }
  __syncthreads();
}

/// Grid [cells, ceil(block / 32), batch].
template <typename T>
__device__ void average_pool(const AveragePoolParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  __shared__ float partial[kThreads / 32][32];
  __shared__ float means[kChannels];
  const int cell = static_cast<int>(blockIdx.x), c0 = static_cast<int>(blockIdx.y) * kChannels;
  const int b = static_cast<int>(blockIdx.z), channel = static_cast<int>(threadIdx.x);
  mean<T>(p.in, b, cell_range(cell / p.out.width, p.in.height, p.out.height),
          cell_range(cell % p.out.width, p.in.width, p.out.width), c0, partial, means);
  if (channel < kChannels && c0 + channel < p.out.block)
    pixel_of<T>(p.out, b, cell)[c0 + channel] = narrow<T>(means[channel]);
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(kThreads) average_pool_f32(const __grid_constant__ AveragePoolParams p) {
  average_pool<float>(p);
}
__global__ void __launch_bounds__(kThreads) average_pool_f16(const __grid_constant__ AveragePoolParams p) {
  average_pool<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
