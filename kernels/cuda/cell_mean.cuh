// The mean of a map over one cell of an adaptive average pool, by one block.
#pragma once

#include "octet.cuh"

namespace maskrt::kernels::cuda {

/// Rows (or columns) of cell i of `size` over n of them: floor(i n / size) .. ceil((i + 1) n / size).
struct CellRange {
  int first, count;
};
__device__ inline CellRange cell_range(int i, int n, int size) {
  const auto at = [&](int k, int round) { return static_cast<int>((static_cast<std::int64_t>(k) * n + round) / size); };
  const int first = at(i, 0);
  return {first, at(i + 1, size - 1) - first};
}

constexpr int kCellThreads = 256;
/// Channels of one call: four octets, which 64 threads each gather over positions.
constexpr int kCellChannels = 32;

/// Means of channels c0 .. c0 + 31 over the cell, into means[0 .. 31] in shared memory; beyond the map's channels, 0.
/// All 256 threads take part. Each adds every 64th position, then lanes and warps are added in a fixed order.
/// `partial` is shared memory for 8 x 32 numbers. Ends with a barrier.
template <typename T>
__device__ void cell_mean(const Map& in, int b, CellRange rows, CellRange columns, int c0, float (*partial)[32],
                          float* means) {
  const int thread = static_cast<int>(threadIdx.x), octet = thread % 4, lane = thread % 32, warp = thread / 32;
  const int c = c0 + octet * 8, positions = rows.count * columns.count;
  Octet sum{};
  if (c < in.channels) {
    int y = thread / 4 / columns.count, x = thread / 4 % columns.count;
    const int row_step = 64 / columns.count, column_step = 64 % columns.count;
    for (int i = thread / 4; i < positions; i += 64) {
      const std::int64_t position = static_cast<std::int64_t>(rows.first + y) * in.width + columns.first + x;
      const Octet o = load_channels(in, pixel_of<T>(in, b, position), c);
#pragma unroll
      for (int k = 0; k < 8; ++k) sum.v[k] += o.v[k];
      x += column_step;
      y += row_step;
      if (x >= columns.count) {
        x -= columns.count;
        ++y;
      }
    }
  }
#pragma unroll
  for (int k = 0; k < 8; ++k) {
#pragma unroll
    for (int step = 16; step >= 4; step /= 2) sum.v[k] += __shfl_xor_sync(0xffffffffu, sum.v[k], step);
    if (lane < 4) partial[warp][octet * 8 + k] = sum.v[k];
  }
  __syncthreads();
  if (thread < kCellChannels) {
    float total = 0;
#pragma unroll
    for (int w = 0; w < kCellThreads / 32; ++w) total += partial[w][thread];
    means[thread] = total / static_cast<float>(positions);
  }
  __syncthreads();
}

}  // namespace maskrt::kernels::cuda
