// Normaliser and softmax of activation maps over their positions, [B, h, w, M], NHWC: out = maps / max(sum, epsilon),
// or out = e^(maps - max) / sum of e^(maps - max), where max and sum run over all positions of a map. Two kernels:
// statistics of each split of the positions, then a normalisation that first combines the splits.
//
// statistics: one block of 256 threads for 32 maps of one split; 64 threads share an octet of maps and are reduced by
// shuffles and through shared memory in a fixed order.
// divide: each thread has eight maps, combines their statistics once and then loops over positions with a grid stride.
// Example: 100 maps on 80 x 108 positions are 4 blocks of maps, of which the last has 4; on 132 multiprocessors
// positions are split by 45 into splits of 192.
// Bound by memory: the maps are read twice (softmax three times, of which one from L2) and written once.
// Launch: statistics [ceil(M / 32), splits, B]; divide [ceil(positions / 256), ceil(out.block / 64), B] with 8 x 32
// threads; B at most 65535.
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "map_statistics.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kThreads = 256;

/// Reduces v over the 64 threads that share an octet of maps, in a fixed order; every thread receives the result of its
/// octet. `partial` is shared memory. Starts with a barrier, so that it may be called twice in a row.
template <typename F>
__device__ void reduce(Octet& v, float (*partial)[32], F&& combine) {
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32, octet = lane % 4;
  __syncthreads();
#pragma unroll
  for (int k = 0; k < 8; ++k) {
#pragma unroll
    for (int step = 16; step >= 4; step /= 2) v.v[k] = combine(v.v[k], __shfl_xor_sync(0xffffffffu, v.v[k], step));
    if (lane < 4) partial[warp][octet * 8 + k] = v.v[k];
  }
  __syncthreads();
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    v.v[k] = partial[0][octet * 8 + k];
#pragma unroll
    for (int w = 1; w < kThreads / 32; ++w) v.v[k] = combine(v.v[k], partial[w][octet * 8 + k]);
  }
}

template <typename T, bool softmax>
__device__ void statistics(const MapStatisticsParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  __shared__ float partial[kThreads / 32][32];
  const int thread = static_cast<int>(threadIdx.x), c = static_cast<int>(blockIdx.x) * 32 + thread % 4 * 8;
  const int split = static_cast<int>(blockIdx.y), b = static_cast<int>(blockIdx.z);
  const int first = split * p.split_positions, end = min(first + p.split_positions, p.maps.height * p.maps.width);
  const auto for_positions = [&](auto&& f) {
    if (c >= p.maps.channels) return;
    for (int i = first + thread / 4; i < end; i += kThreads / 4) f(load_channels(p.maps, pixel_of<T>(p.maps, b, i), c));
  };
  Octet most{};
  if constexpr (softmax) {
#pragma unroll
    for (float& v : most.v) v = -INFINITY;
    for_positions([&](const Octet& o) {
#pragma unroll
      for (int k = 0; k < 8; ++k) most.v[k] = fmaxf(most.v[k], o.v[k]);
    });
    reduce(most, partial, [](float x, float y) { return fmaxf(x, y); });
  }
  Octet sum{};
  for_positions([&](const Octet& o) {
#pragma unroll
    for (int k = 0; k < 8; ++k) sum.v[k] += softmax ? expf(o.v[k] - most.v[k]) : o.v[k];
  });
  reduce(sum, partial, [](float x, float y) { return x + y; });
  if (thread >= 4) return;
  MapStatistics* out =
      p.statistics + (static_cast<std::int64_t>(b) * gridDim.y + static_cast<unsigned>(split)) * p.maps.channels;
#pragma unroll
  for (int k = 0; k < 8; ++k)
    if (c + k < p.maps.channels) out[c + k] = {most.v[k], sum.v[k]};
}

/// Each thread has eight maps and loops over positions with a grid stride.
template <typename T, bool softmax>
__device__ void divide(const DivideMapsParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int c = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x) * 8, b = static_cast<int>(blockIdx.z);
  if (c >= p.out.block) return;
  const MapStatistics* statistics = p.statistics + static_cast<std::int64_t>(b) * p.splits * p.maps.channels;
  Octet most{}, share{};
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    if (c + k >= p.maps.channels) continue;
    const MapStatistics all = combined(statistics, p.splits, p.maps.channels, c + k);
    most.v[k] = all.most;
    share.v[k] = 1.0f / fmaxf(all.sum, p.epsilon);
  }
  const int positions = p.maps.height * p.maps.width, step = static_cast<int>(gridDim.x * blockDim.y);
  for (int i = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y); i < positions; i += step) {
    Octet o = load_channels(p.maps, pixel_of<T>(p.maps, b, i), c);
#pragma unroll
    for (int k = 0; k < 8; ++k) o.v[k] = (softmax ? expf(o.v[k] - most.v[k]) : o.v[k]) * share.v[k];
    store_channels(p.out, pixel_of<T>(p.out, b, i), c, o);
  }
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(kThreads) map_sums_f32(const __grid_constant__ MapStatisticsParams p) {
  statistics<float, false>(p);
}
__global__ void __launch_bounds__(kThreads) map_sums_f16(const __grid_constant__ MapStatisticsParams p) {
  statistics<__half, false>(p);
}
__global__ void __launch_bounds__(kThreads) map_softmax_f32(const __grid_constant__ MapStatisticsParams p) {
  statistics<float, true>(p);
}
__global__ void __launch_bounds__(kThreads) map_softmax_f16(const __grid_constant__ MapStatisticsParams p) {
  statistics<__half, true>(p);
}
__global__ void __launch_bounds__(kThreads) normalise_maps_f32(const __grid_constant__ DivideMapsParams p) {
  divide<float, false>(p);
}
__global__ void __launch_bounds__(kThreads) normalise_maps_f16(const __grid_constant__ DivideMapsParams p) {
  divide<__half, false>(p);
}
__global__ void __launch_bounds__(kThreads) softmax_maps_f32(const __grid_constant__ DivideMapsParams p) {
  divide<float, true>(p);
}
__global__ void __launch_bounds__(kThreads) softmax_maps_f16(const __grid_constant__ DivideMapsParams p) {
  divide<__half, true>(p);
}
}

}  // namespace maskrt::kernels::cuda
