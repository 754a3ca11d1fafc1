// Aggregation on tensor cores: products[m, c] = sum over positions p of weight(maps[p, m]) * features[p, c] and sums[m]
// = sum over p of weight(maps[p, m]); maps [B, P, M] and features [B, P, C] fp16, NHWC; weights rounded to fp16 at
// scale 2^14, fp32 accumulators. Split-K over positions; aggregate_finish (aggregate.cu) adds the splits and divides.
//
// A block of 8 warps computes a tile of 112 maps by 256 channels over one split, 32 positions a step. Maps: loaded one
// step ahead into registers, turned into weights (sigmoid, exp) and stored to a double buffer in shared memory.
// Features: cp.async, 3 stages, two steps ahead. Both operands have positions outermost, so fragments are loaded with
// ldmatrix.trans. The sum of the weights is an extra column of the product, whose feature is the constant 1: warps 0..6
// each compute it for one of the seven mma tiles of 16 maps.
// Example: 400 maps in 4 groups of 100, 112 channels apart, by 256 channels on 50 x 100 positions: 4 map tiles x 1
// channel tile. On 132 multiprocessors positions are split by 32 into splits of 160, of which the last has 40: a step
// of 32 and one of 8, the rest of which is filled with zero weights. Channels 100..111 of a tile lie between groups and
// are not stored.
// Bound: at batch 1 by L2, which serves the features once for every 112 maps and carries the partial sums; at larger
// batches by tensor cores and the exponentials (SFU), which take about as long.
// Launch: grid [map tiles x channel tiles, splits, B], B at most 65535; 256 threads, 66048 bytes of dynamic shared
// memory (sm_75: 49152), 1 block a multiprocessor.
#include "aggregate_rows.cuh"
#include "iam_weights.h"
#include "kernels/cuda/fragments.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/approximate.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "kernels/ptx/ldmatrix.cuh"
#include "kernels/ptx/shared_address.cuh"
#include "map_statistics.cuh"
#if __CUDA_ARCH__ >= 800
#include "kernels/ptx/cp_async.cuh"
#endif

namespace maskrt::kernels::cuda {
namespace {

using Tile = AggregateTile;
constexpr int kMapTiles = Tile::kMaps / 16;             // mma tiles of 16 maps; every warp has all
constexpr int kChannelTiles = Tile::kChannels / 8 / 8;  // mma tiles of 8 channels of each of the 8 warps
constexpr std::uint32_t kOnes = 0x3c003c00;             // half2{1, 1}
#if __CUDA_ARCH__ >= 800
constexpr int kStages = Tile::kStages;  // pipeline stages of features
#else
constexpr int kStages = 2;
#endif

constexpr float kLog2E = 1.44269504f;

/// The weight of a logit, times kAggregateScale. `exponent`: sigmoid -b log2 e - 14, where b is the map's bias; softmax
/// 14 - m log2 e, where m is the largest logit of the map.
template <MapWeights weights>
__device__ float weigh(float logit, float exponent) {
  if constexpr (weights == MapWeights::plain) return logit;
  // kAggregateScale / (1 + e^-x) = 1 / (2^(-x log2 e - 14) + 2^-14)
  if constexpr (weights == MapWeights::sigmoid)
    return ptx::reciprocal_approximate(ptx::exp2_approximate(logit * -kLog2E + exponent) + 1 / kAggregateScale);
  return ptx::exp2_approximate(logit * kLog2E + exponent);
}

template <MapWeights weights>
__device__ uint4 weigh(const uint4& logits, const Octet& exponents) {
  const auto pair = [&](std::uint32_t word, int i) {
    const float2 two = __half22float2(*reinterpret_cast<const __half2*>(&word));
    return packed(weigh<weights>(two.x, exponents.v[i]), weigh<weights>(two.y, exponents.v[i + 1]));
  };
  if constexpr (weights == MapWeights::plain) return logits;
  return make_uint4(pair(logits.x, 0), pair(logits.y, 2), pair(logits.z, 4), pair(logits.w, 6));
}

/// Loads channels c .. c + 7 of a pixel; zeros from map.channels on. `vectors`: one 16-byte load (AggregateParams).
template <bool vectors>
__device__ uint4 load_bits(const Map& map, const __half* pixel, int c) {
  if (c >= map.channels) return make_uint4(0, 0, 0, 0);
  if constexpr (vectors) return *reinterpret_cast<const uint4*>(pixel + c);
  const Eight e = load_some(pixel + c, map.channels - c);
  return make_uint4(e.pair[0], e.pair[1], e.pair[2], e.pair[3]);
}

using MapStage = __half[Tile::kPositions][Tile::kMapStride];
using ChannelStage = __half[Tile::kPositions][Tile::kChannelStride];

/// A block's work: a tile of maps and channels of one image over the positions [begin, end) of one split.
struct Work {
  int b, map0, channel0, begin, end;
};
__device__ Work work_of(const AggregateParams& p) {
  const int tile = static_cast<int>(blockIdx.x), begin = static_cast<int>(blockIdx.y) * p.split_positions;
  return {static_cast<int>(blockIdx.z), tile % p.map_tiles * Tile::kMaps, tile / p.map_tiles * Tile::kChannels, begin,
          min(begin + p.split_positions, p.maps.height * p.maps.width)};
}

/// Loads maps into shared memory as weights. Each thread has eight maps at two positions of a step; the logits of the
/// next step are held in registers. A row of 112 maps leaves two of sixteen threads idle.
template <MapWeights weights, bool vectors>
class MapLoader {
 public:
  /// It loads the maps' largest logits (softmax) or biases (sigmoid) and then contains a barrier.
  __device__ MapLoader(const AggregateParams& p, const Work& work)
      : maps_(p.maps),
        end_(work.end),
        first_(work.map0 + column_),
        pixel_(pixel_of<const __half>(p.maps, work.b, work.begin + row_)),
        step_(std::int64_t{kApart} * p.maps.pixel_stride) {
    if constexpr (weights == MapWeights::softmax) {
      __shared__ float largest[Tile::kMaps];
      const int map = work.map0 + static_cast<int>(threadIdx.x);
      if (threadIdx.x < Tile::kMaps && map < p.maps.channels)
        largest[threadIdx.x] =
            largest_of(p.statistics + std::int64_t{work.b} * p.statistics_splits * p.maps.channels + map,
                       p.statistics_splits, p.maps.channels);
      __syncthreads();
      for (int i = 0; works() && i < 8; ++i)
        if (first_ + i < p.maps.channels) exponents_.v[i] = kAggregateScaleLog2 - largest[column_ + i] * kLog2E;
    }
    if constexpr (weights == MapWeights::sigmoid) {
#pragma unroll
      for (float& exponent : exponents_.v) exponent = -kAggregateScaleLog2;
      if (p.bias == nullptr) return;
      __shared__ float biases[Tile::kMaps];
      if (threadIdx.x < Tile::kMaps) {
        const int row = RowFinder().row_of(p, work.map0 + static_cast<int>(threadIdx.x));
        biases[threadIdx.x] = row >= 0 ? p.bias[row] : 0.0f;
      }
      __syncthreads();
#pragma unroll
      for (int i = 0; i < 8; ++i)
        if (works()) exponents_.v[i] -= biases[column_ + i] * kLog2E;
    }
  }

  /// Loads the logits of the next step, whose first position is `position0`, into registers.
  __device__ void load(int position0) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      if (works() && position0 + row_ + kApart * i < end_) logits_[i] = load_bits<vectors>(maps_, pixel_, first_);
      pixel_ += step_;
    }
  }
  /// Stores the weights of the logits that load() has loaded; zeros beyond the split.
  __device__ void store(int position0, MapStage& to) const {
    if (!works()) return;
#pragma unroll
    for (int i = 0; i < 2; ++i)
      *reinterpret_cast<uint4*>(&to[row_ + kApart * i][column_]) =
          position0 + row_ + kApart * i < end_ ? weigh<weights>(logits_[i], exponents_) : make_uint4(0, 0, 0, 0);
  }

 private:
  static constexpr int kApart = Tile::kPositions / 2;
  __device__ bool works() const { return column_ < Tile::kMaps; }

  const Map& maps_;
  const int end_;
  const int column_ = static_cast<int>(threadIdx.x) % 16 * 8, row_ = static_cast<int>(threadIdx.x) / 16;
  const int first_;
  const __half* pixel_;
  const std::int64_t step_;
  Octet exponents_{};
  uint4 logits_[2];
};

/// Loads features into the pipeline's stages. Each thread has eight channels at four positions of a step.
template <bool vectors>
class FeatureLoader {
 public:
  __device__ FeatureLoader(const AggregateParams& p, const Work& work, ChannelStage* stages)
      : features_(p.features),
        end_(work.end),
        channel_(work.channel0 + static_cast<int>(threadIdx.x) % 32 * 8),
        pixel_(pixel_of<const __half>(p.features, work.b, work.begin + row_)),
        step_(std::int64_t{8} * p.features.pixel_stride),
        to_(ptx::shared_address(&stages[0][row_][threadIdx.x % 32 * 8])),
        last_(to_ + (kStages - 1) * sizeof(ChannelStage)) {}

  /// Starts the copies of the next step, whose first position is `position0`; zeros beyond the split. Commits one
  /// cp.async group, which is empty after the last step.
  __device__ void start(int position0) {
    if (position0 < end_) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const std::uint32_t to = to_ + i * 8 * sizeof(ChannelStage) / Tile::kPositions;
        const bool reads = channel_ < features_.channels && position0 + row_ + 8 * i < end_;
#if __CUDA_ARCH__ >= 800
        if constexpr (vectors)
          ptx::cp_async_16(to, reads ? pixel_ + channel_ : features_.data, reads ? 16 : 0);
        else
#endif
          ptx::store_shared(to, reads ? load_bits<vectors>(features_, pixel_, channel_) : make_uint4(0, 0, 0, 0));
        pixel_ += step_;
      }
    }
    to_ = to_ == last_ ? to_ - (kStages - 1) * sizeof(ChannelStage) : to_ + sizeof(ChannelStage);
#if __CUDA_ARCH__ >= 800
    ptx::cp_async_commit();
#endif
  }

 private:
  const Map& features_;
  const int end_;
  const int row_ = static_cast<int>(threadIdx.x) / 32;
  const int channel_;
  const __half* pixel_;
  const std::int64_t step_;
  std::uint32_t to_;
  const std::uint32_t last_;
};

/// A warp's accumulators: all maps of the tile by an eighth of its channels, and the sums of the weights of 16 maps.
struct Products {
  float maps[kMapTiles][kChannelTiles][4] = {};
  float weights[4] = {};

  /// Adds the products of one step. Addresses are those of this lane for ldmatrix: row i % 8 of matrix i / 8 for lane
  /// i.
  __device__ void add(std::uint32_t map_stage, std::uint32_t own_maps, std::uint32_t channel_stage) {
    constexpr int kTile = 16 * sizeof(__half);
#pragma unroll
    for (int k = 0; k < Tile::kPositions; k += 16) {
      const std::uint32_t map_row = k * sizeof(MapStage) / Tile::kPositions;
      const std::uint32_t channel_row = channel_stage + k * sizeof(ChannelStage) / Tile::kPositions;
      std::uint32_t x[kChannelTiles / 2][4], a[4];
#pragma unroll
      for (int j = 0; j < kChannelTiles / 2; ++j) ptx::ldmatrix_x4_trans(x[j], channel_row + j * kTile);
#pragma unroll
      for (int i = 0; i < kMapTiles; ++i) {
        ptx::ldmatrix_x4_trans(a, map_stage + map_row + i * kTile);
#pragma unroll
        for (int j = 0; j < kChannelTiles; ++j)
          multiply_16(maps[i][j], a, x[j / 2][j % 2 * 2], x[j / 2][j % 2 * 2 + 1]);
      }
      ptx::ldmatrix_x4_trans(a, own_maps + map_row);
      multiply_16(weights, a, kOnes, kOnes);
    }
  }

  __device__ void store(const AggregateParams& p, const Work& work, int warp) const {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const std::int64_t row0 = first_row(p);
    RowFinder finder;
#pragma unroll
    for (int i = 0; i < kMapTiles; ++i) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int row = finder.row_of(p, work.map0 + i * 16 + half * 8 + lane / 4);
        if (row < 0) continue;
        if (work.channel0 == 0 && i == warp && lane % 4 == 0) p.sums[row0 + row] = weights[half * 2];
#pragma unroll
        for (int j = 0; j < kChannelTiles; ++j) {
          const int c = work.channel0 + (warp * kChannelTiles + j) * 8 + lane % 4 * 2;
          if (c < p.product_stride)
            *reinterpret_cast<float2*>(p.products + (row0 + row) * p.product_stride + c) =
                make_float2(maps[i][j][half * 2], maps[i][j][half * 2 + 1]);
        }
      }
    }
  }
};

template <MapWeights weights, bool vectors>
__device__ void aggregate(const AggregateParams& p) {
  extern __shared__ __align__(16) unsigned char shared[];
  MapStage* map_stages = reinterpret_cast<MapStage*>(shared);
  ChannelStage* channel_stages = reinterpret_cast<ChannelStage*>(shared + 2 * sizeof(MapStage));
  const Work work = work_of(p);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  // The shuffle tells the compiler that the warp index is uniform.
  const int warp = __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x) / 32, 0);

  FeatureLoader<vectors> features(p, work, channel_stages);
  for (int stage = 0; stage + 1 < kStages; ++stage) features.start(work.begin + stage * Tile::kPositions);
  MapLoader<weights, vectors> maps(p, work);
  maps.load(work.begin);

  // ldmatrix of features: matrices 1 and 3 are 8 positions further, 2 and 3 are 8 channels further; of maps the other
  // way round. Warp 7 has no tile of weights to sum: it repeats warp 6's and does not store it.
  const std::uint32_t channels_at =
      ptx::shared_address(&channel_stages[0][lane % 16][warp * kChannelTiles * 8 + lane / 16 * 8]);
  const std::uint32_t maps_at = ptx::shared_address(&map_stages[0][lane / 16 * 8 + lane % 8][lane / 8 % 2 * 8]);
  const std::uint32_t own_maps_at = maps_at + min(warp, kMapTiles - 1) * 16 * sizeof(__half);
  std::uint32_t channel_stage = 0, map_stage = 0;  // offsets in bytes
  Products products;
  for (int position0 = work.begin; position0 < work.end; position0 += Tile::kPositions) {
    maps.store(position0, map_stages[map_stage == 0 ? 0 : 1]);
    maps.load(position0 + Tile::kPositions);
#if __CUDA_ARCH__ >= 800
    ptx::cp_async_wait<kStages - 2>();
#endif
    // After this barrier all warps have multiplied the previous step, whose stage the next copies overwrite.
    __syncthreads();
    features.start(position0 + (kStages - 1) * Tile::kPositions);
    products.add(maps_at + map_stage, own_maps_at + map_stage, channels_at + channel_stage);
    channel_stage = channel_stage == (kStages - 1) * sizeof(ChannelStage) ? 0 : channel_stage + sizeof(ChannelStage);
    map_stage ^= sizeof(MapStage);
  }
#if __CUDA_ARCH__ >= 800
  ptx::cp_async_wait<0>();
#endif
  products.store(p, work, warp);
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
__global__ void __launch_bounds__(Tile::kThreads) aggregate_plain_f16(const __grid_constant__ AggregateParams p) {
  aggregate<MapWeights::plain>(p);
}
__global__ void __launch_bounds__(Tile::kThreads) aggregate_sigmoid_f16(const __grid_constant__ AggregateParams p) {
  aggregate<MapWeights::sigmoid>(p);
}
__global__ void __launch_bounds__(Tile::kThreads) aggregate_softmax_f16(const __grid_constant__ AggregateParams p) {
  aggregate<MapWeights::softmax>(p);
}
}

}  // namespace maskrt::kernels::cuda
