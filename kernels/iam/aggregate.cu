// Aggregation in fp32 on the FP32 pipes, and aggregate_finish, the split-K reduction of both aggregations.
//
// aggregate_f32: products[m, c] = sum over the positions p of a split of weight(maps[p, m]) * features[p, c], and
// sums[m] = sum of the weights; tiles of 64 maps by 64 channels by sgemm.cuh. The fp32 path and the reference of
// aggregate_mma.cu; bound by shared memory.
// aggregate_finish: out[m, c] = sum of products over splits / max(sum of sums over splits, epsilon). Each of 4 rows of
// threads adds every 4th split, then the rows are added in order: reproducible. Example: 30 splits are added as 8, 8, 7
// and 7. Bound by L2: it reads the partial sums that the blocks of the first kernel wrote.
#include "aggregate_rows.cuh"
#include "iam_weights.h"
#include "kernels/cuda/activate.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/cuda/sgemm.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "map_statistics.cuh"

namespace maskrt::kernels::cuda {

extern "C" __global__ void __launch_bounds__(kSgemmThreads) aggregate_f32(const __grid_constant__ AggregateParams p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  constexpr int kSide = 64;
  __shared__ SgemmShared<kSide> shared;
  __shared__ float sums[kSgemmThreads];
  const int tile = static_cast<int>(blockIdx.x), split = static_cast<int>(blockIdx.y);
  const int map0 = tile % p.map_tiles * kSide, channel0 = tile / p.map_tiles * kSide, b = static_cast<int>(blockIdx.z);
  const int begin = split * p.split_positions, end = min(begin + p.split_positions, p.maps.height * p.maps.width);
  const int maps = p.maps.channels, channels = p.features.channels, thread = static_cast<int>(threadIdx.x);
  const auto weights = static_cast<MapWeights>(p.weights);

  const int map = map0 + thread % kSide;  // the map that this thread loads
  float most = 0, bias = 0;
  if (const int row = RowFinder().row_of(p, map); p.bias != nullptr && row >= 0) bias = p.bias[row];
  if (weights == MapWeights::softmax && map < maps)
    most = largest_of(p.statistics + static_cast<std::int64_t>(b) * p.statistics_splits * maps + map,
                      p.statistics_splits, maps);
  float sum = 0, acc[4][4] = {};
  sgemm<kSide, Contiguous::row, Contiguous::row>(
      begin, end,
      [&](int k, int) {
        if (map >= maps) return 0.0f;
        float weight = pixel_of<const float>(p.maps, b, k)[map];
        if (weights == MapWeights::sigmoid) weight = sigmoid(weight + bias);
        if (weights == MapWeights::softmax) weight = expf(weight - most);
        sum += weight;
        return weight;
      },
      [&](int k, int n) {
        return channel0 + n < channels ? pixel_of<const float>(p.features, b, k)[channel0 + n] : 0.0f;
      },
      shared, acc);

  const std::int64_t row0 = first_row(p);
  sums[thread] = sum;
  __syncthreads();
  if (const int row = RowFinder().row_of(p, map); channel0 == 0 && thread < kSide && row >= 0)
    p.sums[row0 + row] = sums[thread] + sums[thread + kSide] + sums[thread + 2 * kSide] + sums[thread + 3 * kSide];
  RowFinder finder;
  for (int i = 0; i < 4; ++i) {
    const int row = finder.row_of(p, map0 + thread / 16 * 4 + i), c = channel0 + thread % 16 * 4;
    if (row >= 0 && c < p.product_stride)
      *reinterpret_cast<float4*>(p.products + (row0 + row) * p.product_stride + c) =
          make_float4(acc[i][0], acc[i][1], acc[i][2], acc[i][3]);
  }
}

/// Blocks of 64 x 4 threads compute one map and 256 channels, four for each thread. Grid [maps, ceil(out.block / 256),
/// batch].
extern "C" __global__ void __launch_bounds__(256) aggregate_finish(const __grid_constant__ AggregateFinishParams p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  __shared__ float4 totals[4][64];
  __shared__ float divisors[4];
  const int maps = p.out.height, m = static_cast<int>(blockIdx.x), b = static_cast<int>(blockIdx.z);
  const int part = static_cast<int>(threadIdx.y), c = static_cast<int>(blockIdx.y * 256 + threadIdx.x * 4);
  const std::int64_t row = static_cast<std::int64_t>(b) * p.splits * maps + m;
  float4 total = make_float4(0, 0, 0, 0);
  float divisor = 0;
#pragma unroll 4
  for (int s = part; s < p.splits; s += 4) {
    const std::int64_t at = row + static_cast<std::int64_t>(s) * maps;
    if (threadIdx.x < 32) divisor += p.sums[at];  // one warp of each row of threads suffices
    if (c >= p.product_stride) continue;
    const float4 one = *reinterpret_cast<const float4*>(p.products + at * p.product_stride + c);
    total.x += one.x, total.y += one.y, total.z += one.z, total.w += one.w;
  }
  totals[part][threadIdx.x] = total;
  if (threadIdx.x == 0) divisors[part] = divisor;
  __syncthreads();
  if (part != 0 || c >= p.out.block) return;
  divisor = divisors[0];
  for (int i = 1; i < 4; ++i) {
    const float4 one = totals[i][threadIdx.x];
    total.x += one.x, total.y += one.y, total.z += one.z, total.w += one.w;
    divisor += divisors[i];
  }
  const float share = p.divide != 0 ? 1.0f / fmaxf(divisor, p.epsilon) : 1.0f;
  const float values[4] = {total.x * share, total.y * share, total.z * share, total.w * share};
  float* out = pixel_of<float>(p.out, b, m);
  if (p.out.aligned != 0 && c + 4 <= p.out.channels) {
    *reinterpret_cast<float4*>(out + c) = make_float4(values[0], values[1], values[2], values[3]);
    return;
  }
  for (int i = 0; i < 4; ++i)
    if (c + i < p.out.block) out[c + i] = c + i < p.out.channels ? values[i] : 0.0f;
}

}  // namespace maskrt::kernels::cuda
