// Scores: the best class of each query, the mean of its mask's probabilities above the threshold, and then, in the last
// block to finish, which queries are instances.
//
// A block takes 32 x 8 positions of the upsampled map, of up to all queries. It stages the logits that these blend, as
// they lie in memory: all queries of a pixel side by side, so that lanes are queries and every sector that is read is
// used. On the way it writes them transposed, a plane a query, for mask_words.cu, which looks at few queries and pieces
// of them. What blocks add up goes into integers, whose sum does not depend on the order. Bound by the exponentials'
// arithmetic: about 20 instructions for each position of the map and query.
#include "../cuda/octet.cuh"
#include "map_axis.h"
#include "probability.cuh"
#include "select_instances.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kWarps = kScoreThreads / 32;
constexpr unsigned kAllLanes = 0xffffffff;
static_assert(kWarps == kScoreTileHeight, "a warp takes one row of the tile");
static_assert(kScoreTileWidth == 32, "a warp computes the taps of a row at once");

/// What one warp found in its row of the tile for one query. Positions are relative to the tile.
struct RowTally {
  float sum;
  unsigned char count, first, last, padding;  ///< first > last: nothing there may set bits
};

/// The logits of `count` queries from `query` on in rows and columns of the map, a pixel every patch_words words.
template <typename T>
__device__ void stage_patch(const ScoreParams& p, int b, int query, int count, const AxisTile& rows,
                            const AxisTile& columns, unsigned* patch) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int across = columns.end - columns.begin, pixels = (rows.end - rows.begin) * across;
  const int words = (count * static_cast<int>(sizeof(T)) + 3) / 4;
#pragma unroll 4
  for (int pixel = warp; pixel < pixels; pixel += kWarps) {
    const int y = rows.begin + pixel / across, x = columns.begin + pixel % across;
    const T* from = pixel_of<T>(p.mask_logits, b, static_cast<std::int64_t>(y) * p.mask_logits.width + x) + query;
    unsigned* to = patch + pixel * p.patch_words;
    if (p.mask_logits.aligned != 0) {
      // The last word may hold a channel that is no query: pixels are a multiple of 16 bytes apart.
      for (int i = lane; i < words; i += 32) to[i] = __ldg(reinterpret_cast<const unsigned*>(from) + i);
    } else {
      for (int i = lane; i < count; i += 32) reinterpret_cast<T*>(to)[i] = from[i];
    }
  }
}

/// Row `y` of the map for all queries of the block.
template <typename T>
__device__ void tally_row(const ScoreParams& p, const PostprocessCall& call, int y, int positions, int count,
                          const AxisTile& rows, const AxisTile& columns, const AxisTap* taps, const unsigned* patch,
                          RowTally* tallies) {
  const int lane = static_cast<int>(threadIdx.x) % 32, across = columns.end - columns.begin;
  const AxisTap down = axis_tap(y, p.mask_logits.height, p.map_step);
  for (int q = lane; q < count; q += 32) {
    const auto logit_at = [&](int row, int column) {
      const int pixel = (row - rows.begin) * across + column - columns.begin;
      return widen(reinterpret_cast<const T*>(patch + pixel * p.patch_words)[q]);
    };
    const auto blended = [&](int column) {
      return between(logit_at(down.low, column), logit_at(down.high, column), down.weight);
    };
    RowTally tally{0, 0, 255, 0, 0};
    int low = taps[0].low, high = taps[0].high;
    float left = blended(low), right = blended(high);
    for (int x = 0; x < positions; ++x) {
      const AxisTap tap = taps[x];
      if (tap.low != low) {
        left = tap.low == high ? right : blended(tap.low);
        right = blended(tap.high);
        low = tap.low;
        high = tap.high;
      }
      const float probability = probability_of(between(left, right, tap.weight));
      if (probability > call.mask_threshold) {
        tally.sum += probability;
        ++tally.count;
      }
      if (probability > call.lowest_inside) {
        tally.first = static_cast<unsigned char>(min(static_cast<int>(tally.first), x));
        tally.last = static_cast<unsigned char>(x);
      }
    }
    tallies[q] = tally;
  }
}

/// The rows' tallies to the queries'.
__device__ void add_tile(const ScoreParams& p, int b, int query, int count, int tile_x, int tile_y,
                         const RowTally* tallies) {
  const int rows = min(kScoreTileHeight, p.map_height - tile_y);
  for (int q = static_cast<int>(threadIdx.x); q < count; q += kScoreThreads) {
    double sum = 0;
    unsigned above = 0;
    int first = 255, last = -1, top = rows, bottom = -1;
    for (int row = 0; row < rows; ++row) {
      const RowTally t = tallies[row * p.chunk + q];
      sum += t.sum;
      above += t.count;
      if (t.first > t.last) continue;
      first = min(first, static_cast<int>(t.first));
      last = max(last, static_cast<int>(t.last));
      top = min(top, row);
      bottom = row;
    }
    QueryTally& total = p.tallies[b * p.class_logits.height + query + q];
    if (above != 0) {
      atomicAdd(reinterpret_cast<unsigned long long*>(&total.sum), __double2ull_rn(sum * 0x1p32));
      atomicAdd(&total.count, above);
    }
    if (last >= 0) {
      atomicMax(&total.from_right, static_cast<unsigned>(p.map_width - tile_x - first));
      atomicMax(&total.right, static_cast<unsigned>(tile_x + last + 1));
      atomicMax(&total.from_bottom, static_cast<unsigned>(p.map_height - tile_y - top));
      atomicMax(&total.bottom, static_cast<unsigned>(tile_y + bottom + 1));
    }
  }
}

/// The part of the patch that is this block's, a plane a query.
template <typename T>
__device__ void transpose_patch(const ScoreParams& p, int b, int query, int count, const AxisTile& rows,
                                const AxisTile& columns, const unsigned* patch) {
  const int across = columns.end - columns.begin;
  const int plane = static_cast<int>(p.own_columns.divisor * p.own_rows.divisor);
  for (int i = static_cast<int>(threadIdx.x); i < count * plane; i += kScoreThreads) {
    const int line = p.own_columns.quotient(i), q = p.own_rows.quotient(line);
    const int x = columns.own_begin + p.own_columns.remainder(i, line),
              y = rows.own_begin + p.own_rows.remainder(line, q);
    if (x >= columns.own_end || y >= rows.own_end) continue;
    const int pixel = (y - rows.begin) * across + x - columns.begin;
    T* to = static_cast<T*>(p.planar.data) +
            ((static_cast<std::int64_t>(b) * p.class_logits.height + query + q) * p.planar.height + y) * p.planar.pitch;
    to[x] = reinterpret_cast<const T*>(patch + pixel * p.patch_words)[q];
  }
}

__device__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

/// sqrt(class * objectness) of the first best class, by one warp.
__device__ void score_query(const ScoreParams& p, int b, int query) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const float objectness = sigmoid(*pixel_of<float>(p.objectness, b, query));
  const float* logits = pixel_of<float>(p.class_logits, b, query);
  float best = -INFINITY, first = 0;
  int best_class = 0x7fffffff;
  for (int c = lane; c < p.class_logits.channels; c += 32) {
    const float score = sqrtf(sigmoid(logits[c]) * objectness);
    if (c == 0) first = score;
    if (score > best) {
      best = score;
      best_class = c;
    }
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    const float other = __shfl_xor_sync(kAllLanes, best, distance);
    const int other_class = __shfl_xor_sync(kAllLanes, best_class, distance);
    if (other > best || (other == best && other_class < best_class)) {
      best = other;
      best_class = other_class;
    }
  }
  if (lane != 0) return;
  QueryTally& tally = p.tallies[b * p.class_logits.height + query];
  tally.score = isnan(first) ? first : best;  // nothing is better than what cannot be compared
  tally.class_id = best_class;
}

/// Grid: tiles of the map, chunks of queries, images.
template <typename T>
__device__ void score_queries(const ScoreParams& p) {
  extern __shared__ unsigned patch[];
  __shared__ AxisTap taps[kScoreTileWidth];
  __shared__ bool last;
  RowTally* tallies = reinterpret_cast<RowTally*>(patch + p.patch_rows * p.patch_columns * p.patch_words);
  const PostprocessCall& call = *p.call;
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
  const int tile = static_cast<int>(blockIdx.x), b = static_cast<int>(blockIdx.z);
  const int query = static_cast<int>(blockIdx.y) * p.chunk, queries = p.class_logits.height;
  const int count = min(p.chunk, queries - query);
  const int tile_x = tile % p.tiles_across * kScoreTileWidth, tile_y = tile / p.tiles_across * kScoreTileHeight;
  const AxisTile rows = axis_tile(tile_y, kScoreTileHeight, p.map_height, p.mask_logits.height, p.map_step);
  const AxisTile columns = axis_tile(tile_x, kScoreTileWidth, p.map_width, p.mask_logits.width, p.map_step);

  stage_patch<T>(p, b, query, count, rows, columns, patch);
  if (thread < kScoreTileWidth) taps[thread] = axis_tap(tile_x + thread, p.mask_logits.width, p.map_step);
  if (query == 0) {
    for (int q = tile * kWarps + warp; q < queries; q += p.tiles * kWarps) score_query(p, b, q);
  }
  __syncthreads();
  if (tile_y + warp < p.map_height) {
    tally_row<T>(p, call, tile_y + warp, min(kScoreTileWidth, p.map_width - tile_x), count, rows, columns, taps, patch,
                 tallies + warp * p.chunk);
  }
  transpose_patch<T>(p, b, query, count, rows, columns, patch);
  __syncthreads();
  add_tile(p, b, query, count, tile_x, tile_y, tallies);

  // The last block of the grid sees what all have added (CUDA C++ Programming Guide, "Memory Fence Functions").
  __threadfence();
  __syncthreads();
  if (thread == 0) last = atomicAdd(p.blocks_done, 1u) == gridDim.x * gridDim.y * gridDim.z - 1;
  __syncthreads();
  if (!last) return;
  __threadfence();
  select_instances<kScoreThreads>(p);
  if (thread == 0) *p.blocks_done = 0;
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(kScoreThreads) score_queries_f32(const __grid_constant__ ScoreParams p) {
  score_queries<float>(p);
}
__global__ void __launch_bounds__(kScoreThreads) score_queries_f16(const __grid_constant__ ScoreParams p) {
  score_queries<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
