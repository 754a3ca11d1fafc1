// Aggregation on tensor cores: products^T of maps and features over positions, 112 maps by 256 channels a block, 32
// positions at a time. Logits become weights on their way from global into shared memory; features travel
// asynchronously, two stages ahead. Both operands have positions outermost, so fragments are read transposed. The sum
// of the weights is one more column of the product, whose feature is the constant 1: each warp has one of its seven
// tiles. Bound: for one image the second-level cache, which serves the features once for every 112 maps and carries the
// sums of stretches; for many, tensor cores and the exponentials of the weights, which take about as long.
#include "../cuda/fragments.cuh"
#include "../cuda/octet.cuh"
#include "../ptx/approximate.cuh"
#include "../ptx/griddepcontrol.cuh"
#include "../ptx/ldmatrix.cuh"
#include "../ptx/shared_address.cuh"
#include "aggregate_params.h"
#include "iam_weights.h"
#include "map_statistics.cuh"
#if __CUDA_ARCH__ >= 800
#include "../ptx/cp_async.cuh"
#endif

namespace maskrt::kernels::cuda {
namespace {

using Tile = AggregateTile;
constexpr int kMapTiles = Tile::maps / 16;             // of each warp
constexpr int kChannelTiles = Tile::channels / 8 / 8;  // of each of 8 warps
constexpr std::uint32_t kOnes = 0x3c003c00;            // two fp16 numbers 1

/// A logit as a weight. `shift` is what the exponent needs: softmax's largest logit, else 0.
template <MapWeights weights>
__device__ float weigh(float logit, float shift) {
  constexpr float kLog2E = 1.44269504f;
  if constexpr (weights == MapWeights::plain) return logit;
  // kAggregateScale / (1 + e^-x) = 1 / (2^(-x log2 e - 14) + 2^-14)
  if constexpr (weights == MapWeights::sigmoid)
    return ptx::reciprocal_approximate(ptx::exp2_approximate(logit * -kLog2E - kAggregateScaleLog2) +
                                       1 / kAggregateScale);
  return ptx::exp2_approximate((logit - shift) * kLog2E + kAggregateScaleLog2);
}

template <MapWeights weights>
__device__ uint4 weigh(const uint4& logits, const Octet& shift) {
  const auto pair = [&](std::uint32_t word, int i) {
    const float2 two = __half22float2(*reinterpret_cast<const __half2*>(&word));
    return packed(weigh<weights>(two.x, shift.v[i]), weigh<weights>(two.y, shift.v[i + 1]));
  };
  if constexpr (weights == MapWeights::plain) return logits;
  return make_uint4(pair(logits.x, 0), pair(logits.y, 2), pair(logits.z, 4), pair(logits.w, 6));
}

/// Channels c .. c + 7 of a pixel, zeros beyond the map's. `vectors`: they are aligned, or none of them is the map's.
template <bool vectors>
__device__ uint4 load_bits(const Map& map, const __half* pixel, int c) {
  if (c >= map.channels) return make_uint4(0, 0, 0, 0);
  if constexpr (vectors) return *reinterpret_cast<const uint4*>(pixel + c);
  const Eight e = load_some(pixel + c, map.channels - c);
  return make_uint4(e.pair[0], e.pair[1], e.pair[2], e.pair[3]);
}

template <MapWeights weights, bool vectors>
__device__ void aggregate(const AggregateParams& p) {
  extern __shared__ __align__(16) unsigned char shared[];
  using MapStage = __half[Tile::positions][Tile::map_stride];
  using ChannelStage = __half[Tile::positions][Tile::channel_stride];
  MapStage* map_stages = reinterpret_cast<MapStage*>(shared);
  ChannelStage* channel_stages = reinterpret_cast<ChannelStage*>(shared + 2 * sizeof(MapStage));
#if __CUDA_ARCH__ >= 800
  constexpr int kStages = Tile::stages;
#else
  constexpr int kStages = 2;
#endif

  const int tile = static_cast<int>(blockIdx.x), stretch = static_cast<int>(blockIdx.y);
  const int map0 = tile % p.map_tiles * Tile::maps, channel0 = tile / p.map_tiles * Tile::channels;
  const int b = static_cast<int>(blockIdx.z), maps = p.maps.channels;
  const int begin = stretch * p.stretch, end = min(begin + p.stretch, p.maps.height * p.maps.width);
  const int thread = static_cast<int>(threadIdx.x), lane = thread % 32;
  const int warp = __shfl_sync(0xffffffffu, thread / 32, 0);  // the same in all lanes, as the compiler now sees

  // The thread's eight maps, at two positions of a stage. A row of 112 maps leaves two of sixteen lanes idle.
  const int my_map = thread % 16 * 8, map_row = thread / 16;
  const bool weighs = my_map < Tile::maps;
  const __half* map_pixel = pixel_of<const __half>(p.maps, b, begin + map_row);
  const std::int64_t map_step = std::int64_t{16} * p.maps.pixel_stride;
  Octet most{};
  if constexpr (weights == MapWeights::softmax) {
    __shared__ float largest[Tile::maps];
    if (thread < Tile::maps && map0 + thread < maps)
      largest[thread] =
          largest_of(p.statistics + static_cast<std::int64_t>(b) * p.statistics_stretches * maps + map0 + thread,
                     p.statistics_stretches, maps);
    __syncthreads();
    for (int i = 0; weighs && i < 8; ++i)
      if (map0 + my_map + i < maps) most.v[i] = largest[my_map + i];
  }
  uint4 logits[2];
  const auto load_logits = [&](int position0) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      if (weighs && position0 + map_row + 16 * i < end)
        logits[i] = load_bits<vectors>(p.maps, map_pixel, map0 + my_map);
      map_pixel += map_step;
    }
  };
  const auto store_weights = [&](int position0, MapStage& to) {
    if (!weighs) return;
#pragma unroll
    for (int i = 0; i < 2; ++i)
      *reinterpret_cast<uint4*>(&to[map_row + 16 * i][my_map]) =
          position0 + map_row + 16 * i < end ? weigh<weights>(logits[i], most) : make_uint4(0, 0, 0, 0);
  };

  // The thread's eight channels, at four positions of a stage.
  const int my_channel = lane * 8, channel_row = thread / 32;
  const __half* channel_pixel = pixel_of<const __half>(p.features, b, begin + channel_row);
  const std::int64_t channel_step = std::int64_t{8} * p.features.pixel_stride;
  std::uint32_t to_stage = ptx::shared_address(&channel_stages[0][channel_row][my_channel]);
  const std::uint32_t last_stage = to_stage + (kStages - 1) * sizeof(ChannelStage);
  const bool has_channels = channel0 + my_channel < p.features.channels;
  const auto start_features = [&](int position0) {
    if (position0 < end) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const std::uint32_t to = to_stage + i * 8 * sizeof(channel_stages[0][0]);
        const bool reads = has_channels && position0 + channel_row + 8 * i < end;
#if __CUDA_ARCH__ >= 800
        if constexpr (vectors)
          ptx::cp_async_16(to, reads ? channel_pixel + channel0 + my_channel : p.features.data, reads ? 16 : 0);
        else
#endif
          ptx::store_shared(to, reads ? load_bits<vectors>(p.features, channel_pixel, channel0 + my_channel)
                                      : make_uint4(0, 0, 0, 0));
        channel_pixel += channel_step;
      }
    }
    to_stage =
        to_stage == last_stage ? to_stage - (kStages - 1) * sizeof(ChannelStage) : to_stage + sizeof(ChannelStage);
#if __CUDA_ARCH__ >= 800
    ptx::cp_async_commit();
#endif
  };

  float acc[kMapTiles][kChannelTiles][4] = {}, sums[4] = {};
  for (int stage = 0; stage + 1 < kStages; ++stage) start_features(begin + stage * Tile::positions);
  load_logits(begin);

  // Lane i gives the address of row i % 8 of matrix i / 8. Matrices 1 and 3 of features are 8 positions further, 2 and
  // 3 8 channels; of maps it is the other way round. The last warp adds up what the one before it does.
  const std::uint32_t channels_at =
      ptx::shared_address(&channel_stages[0][lane % 16][warp * kChannelTiles * 8 + lane / 16 * 8]);
  const std::uint32_t maps_at = ptx::shared_address(&map_stages[0][lane / 16 * 8 + lane % 8][lane / 8 % 2 * 8]);
  const std::uint32_t sums_at = maps_at + min(warp, kMapTiles - 1) * 16 * sizeof(__half);
  std::uint32_t channel_offset = 0, map_offset = 0;
  for (int position0 = begin; position0 < end; position0 += Tile::positions) {
    store_weights(position0, map_stages[map_offset == 0 ? 0 : 1]);
    load_logits(position0 + Tile::positions);
#if __CUDA_ARCH__ >= 800
    ptx::cp_async_wait<kStages - 2>();
#endif
    // Whoever is here has multiplied the stage before, which the next features overwrite.
    __syncthreads();
    start_features(position0 + (kStages - 1) * Tile::positions);

#pragma unroll
    for (int k = 0; k < Tile::positions; k += 16) {
      const std::uint32_t channel_row0 = channels_at + channel_offset + k * sizeof(channel_stages[0][0]);
      const std::uint32_t map_row0 = map_offset + k * sizeof(map_stages[0][0]);
      std::uint32_t x[kChannelTiles / 2][4], a[4];
#pragma unroll
      for (int j = 0; j < kChannelTiles / 2; ++j) ptx::ldmatrix_x4_trans(x[j], channel_row0 + j * 16 * sizeof(__half));
#pragma unroll
      for (int i = 0; i < kMapTiles; ++i) {
        ptx::ldmatrix_x4_trans(a, maps_at + map_row0 + i * 16 * sizeof(__half));
#pragma unroll
        for (int j = 0; j < kChannelTiles; ++j) multiply_16(acc[i][j], a, x[j / 2][j % 2 * 2], x[j / 2][j % 2 * 2 + 1]);
      }
      ptx::ldmatrix_x4_trans(a, sums_at + map_row0);
      multiply_16(sums, a, kOnes, kOnes);
    }
    channel_offset = channel_offset == (kStages - 1) * sizeof(ChannelStage) ? 0 : channel_offset + sizeof(ChannelStage);
    map_offset ^= sizeof(MapStage);
  }
#if __CUDA_ARCH__ >= 800
  ptx::cp_async_wait<0>();
#endif

  const std::int64_t row0 = (static_cast<std::int64_t>(b) * gridDim.y + stretch) * maps;
#pragma unroll
  for (int i = 0; i < kMapTiles; ++i) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int m = map0 + i * 16 + half * 8 + lane / 4;
      if (m >= maps) continue;
      if (channel0 == 0 && i == warp && lane % 4 == 0) p.sums[row0 + m] = sums[half * 2];
#pragma unroll
      for (int j = 0; j < kChannelTiles; ++j) {
        const int c = channel0 + (warp * kChannelTiles + j) * 8 + lane % 4 * 2;
        if (c < p.product_stride)
          *reinterpret_cast<float2*>(p.products + (row0 + m) * p.product_stride + c) =
              make_float2(acc[i][j][half * 2], acc[i][j][half * 2 + 1]);
      }
    }
  }
}

template <MapWeights weights>
__device__ void aggregate(const AggregateParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  if (p.vectors != 0)
    aggregate<weights, true>(p);
  else
    aggregate<weights, false>(p);
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(Tile::threads) aggregate_plain_f16(const __grid_constant__ AggregateParams p) {
  aggregate<MapWeights::plain>(p);
}
__global__ void __launch_bounds__(Tile::threads) aggregate_sigmoid_f16(const __grid_constant__ AggregateParams p) {
  aggregate<MapWeights::sigmoid>(p);
}
__global__ void __launch_bounds__(Tile::threads) aggregate_softmax_f16(const __grid_constant__ AggregateParams p) {
  aggregate<MapWeights::softmax>(p);
}
}

}  // namespace maskrt::kernels::cuda
