// Aggregation on tensor cores: products^T of maps and features over positions, 112 maps by 256 channels a block, 32
// positions at a time. Logits become weights on their way from global into shared memory; features travel
// asynchronously, two stages ahead. Both operands have positions outermost, so fragments are read transposed. The sum
// of the weights is one more column of the product, whose feature is the constant 1: each warp has one of its seven
// tiles. Bound: for one image the second-level cache, which serves the features once for every 112 maps and carries the
// sums of stretches; for many, tensor cores and the exponentials of the weights, which take about as long.
#include "../cuda/fragments.cuh"
#include "../cuda/octet.cuh"
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

/// Eight maps of a thread, at two positions of each stage: where its logits go.
struct MapLane {
  int map;       ///< first of eight
  int position;  ///< in the stage; the other is 16 further
  bool idle;     ///< a row of 112 maps leaves two of sixteen lanes without work
};

template <MapWeights weights>
__device__ Eight weigh(const Octet& logits, const Octet& most) {
  Octet w;
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    if constexpr (weights == MapWeights::plain) w.v[i] = logits.v[i];
    if constexpr (weights == MapWeights::sigmoid) w.v[i] = __fdividef(kAggregateScale, 1.0f + __expf(-logits.v[i]));
    if constexpr (weights == MapWeights::softmax) w.v[i] = kAggregateScale * __expf(logits.v[i] - most.v[i]);
  }
  return {{packed(w.v[0], w.v[1]), packed(w.v[2], w.v[3]), packed(w.v[4], w.v[5]), packed(w.v[6], w.v[7])}};
}

/// Eight channels of a position into shared memory, zeros where there are none.
__device__ void stage_features(const Map& features, int b, int position, int end, int c, __half* to) {
#if __CUDA_ARCH__ >= 800
  if (features.aligned != 0 && (c + 8 <= features.block || c >= features.channels)) {
    const bool there = position < end && c < features.channels;
    ptx::cp_async_16(ptx::shared_address(to), there ? pixel_of<const __half>(features, b, position) + c : features.data,
                     there ? 16 : 0);
    return;
  }
#endif
  Eight e{};
  if (position < end && c < features.channels) {
    const __half* from = pixel_of<const __half>(features, b, position) + c;
    e = features.aligned != 0 && c + 8 <= features.block ? load_eight(from) : load_some(from, features.channels - c);
  }
  *reinterpret_cast<uint4*>(to) = make_uint4(e.pair[0], e.pair[1], e.pair[2], e.pair[3]);
}

template <MapWeights weights>
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
  const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, warp = thread / 32;

  const MapLane mine{map0 + thread % 16 * 8, thread / 16, thread % 16 * 8 >= Tile::maps};
  Octet most{};
  if (weights == MapWeights::softmax && !mine.idle) {
    const MapStatistics* statistics = p.statistics + static_cast<std::int64_t>(b) * p.statistics_stretches * maps;
    for (int i = 0; i < 8; ++i)
      if (mine.map + i < maps) most.v[i] = combined(statistics, p.statistics_stretches, maps, mine.map + i).most;
  }
  Octet logits[2];
  const auto load_logits = [&](int position0) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int position = position0 + mine.position + 16 * i;
      if (!mine.idle && mine.map < maps && position < end)
        logits[i] = load_channels(p.maps, pixel_of<const __half>(p.maps, b, position), mine.map);
    }
  };
  const auto store_weights = [&](int position0, MapStage& to) {
    if (mine.idle) return;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const bool there = mine.map < maps && position0 + mine.position + 16 * i < end;
      const Eight e = there ? weigh<weights>(logits[i], most) : Eight{};
      *reinterpret_cast<uint4*>(&to[mine.position + 16 * i][mine.map - map0]) =
          make_uint4(e.pair[0], e.pair[1], e.pair[2], e.pair[3]);
    }
  };
  const auto start_features = [&](int position0, int stage) {
    if (position0 < end) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int position = thread / 32 + 8 * i, c = lane * 8;
        stage_features(p.features, b, position0 + position, end, channel0 + c, &channel_stages[stage][position][c]);
      }
    }
#if __CUDA_ARCH__ >= 800
    ptx::cp_async_commit();
#endif
  };

  float acc[kMapTiles][kChannelTiles][4] = {}, sums[4] = {};
  for (int stage = 0; stage + 1 < kStages; ++stage) start_features(begin + stage * Tile::positions, stage);
  load_logits(begin);
  int iteration = 0, stage = 0;
  for (int position0 = begin; position0 < end; position0 += Tile::positions, ++iteration) {
    MapStage& map_stage = map_stages[iteration % 2];
    store_weights(position0, map_stage);
    load_logits(position0 + Tile::positions);
#if __CUDA_ARCH__ >= 800
    ptx::cp_async_wait<kStages - 2>();
#endif
    // Whoever is here has multiplied the stage before, which the next features overwrite.
    __syncthreads();
    start_features(position0 + (kStages - 1) * Tile::positions, (stage + kStages - 1) % kStages);

    const ChannelStage& channel_stage = channel_stages[stage];
    stage = stage + 1 == kStages ? 0 : stage + 1;
#pragma unroll
    for (int k = 0; k < Tile::positions; k += 16) {
      // Lane i gives the address of row i % 8 of matrix i / 8.
      std::uint32_t x[kChannelTiles / 2][4];
#pragma unroll
      for (int j = 0; j < kChannelTiles / 2; ++j)
        ptx::ldmatrix_x4_trans(
            x[j],
            ptx::shared_address(&channel_stage[k + lane % 16][warp * kChannelTiles * 8 + j * 16 + lane / 16 * 8]));
#pragma unroll
      for (int i = 0; i < kMapTiles; ++i) {
        std::uint32_t a[4];
        ptx::ldmatrix_x4_trans(
            a, ptx::shared_address(&map_stage[k + lane / 16 * 8 + lane % 8][i * 16 + lane / 8 % 2 * 8]));
#pragma unroll
        for (int j = 0; j < kChannelTiles; ++j) multiply_16(acc[i][j], a, x[j / 2][j % 2 * 2], x[j / 2][j % 2 * 2 + 1]);
        if (i == warp) multiply_16(sums, a, kOnes, kOnes);
      }
    }
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
