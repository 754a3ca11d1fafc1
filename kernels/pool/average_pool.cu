// Adaptive average pooling: out[b, i, j, c] = mean of in over rows [floor(i H / h), ceil((i + 1) H / h)) and columns
// likewise (cell_range.cuh), in [B, H, W, C], out [B, h, w, C], NHWC.
//
// One block of 256 threads computes 32 channels of one cell. Threads with the same channels (64 of them in fp16, 32 in
// fp32) stride over the cell's positions; then lanes are summed by shuffles and the 8 warps in ascending order, so that
// the result does not depend on scheduling.
// Example: 20 x 27 positions pooled to 3 x 3. The middle cell has rows 6..13 and columns 9..17, 72 positions; in fp16
// the first 8 of the 64 threads sum two positions each, the others one.
// Bound by memory: the map is read once for each size of a pyramid, from L2 after the first. A small map is bound by
// the latency of the block with the largest cell.
// Launch: grid [h * w, ceil(out.block / 32), B], B at most 65535.
#include "average_pool_params.h"
#include "kernels/cuda/cell_range.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kThreads = 256;
/// Channels of one block.
constexpr int kChannels = 32;

/// Writes the means of channels c0 .. c0 + 31 over the cell to means[0 .. 31] in shared memory; zeros from in.channels
/// on. Called by all 256 threads. `partial` is shared memory for the sums of the 8 warps. Ends with a barrier.
template <typename T>
__device__ void mean(const Map& in, int b, CellRange rows, CellRange columns, int c0, float (*partial)[32],
                     float* means) {
  constexpr int each = kChannelsOfThread<T>, parts = kChannels / each, threads_of_channel = kThreads / parts;
  const int thread = static_cast<int>(threadIdx.x), part = thread % parts, lane = thread % 32, warp = thread / 32;
  const int c = c0 + part * each, positions = rows.count * columns.count;
  Channels<each> sum{};
  if (c < in.channels) {
    int y = thread / parts / columns.count, x = thread / parts % columns.count;
    const int row_step = threads_of_channel / columns.count, column_step = threads_of_channel % columns.count;
    for (int i = thread / parts; i < positions; i += threads_of_channel) {
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

/// Grid [cells, ceil(out.block / 32), batch].
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
