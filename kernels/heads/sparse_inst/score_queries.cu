// Scores of all queries in one launch. For each query: the first best class with score sqrt(sigmoid(class) *
// sigmoid(objectness)); over its mask probabilities (sigmoid of the mask logits, upsampled bilinearly by a factor of 1
// or 2) the sum and the number of those above the mask threshold and their bounding box. The last block to finish
// selects the instances (select_instances.cuh). class_logits [B, N, classes] and objectness [B, N, 1] are fp32 lists,
// mask_logits [B, h, w, N] is NHWC, fp16 or fp32.
//
// A block of 512 threads computes a tile of 32 x 8 positions of the upsampled map for a chunk of up to 64 queries:
//   1. stage the logits of the tile with their halo in shared memory as they are in memory, queries innermost: lanes
//      are queries, and every sector that is read is used;
//   2. tally: a warp has 32 queries of one row, each lane blends the 32 positions of its query;
//   3. write the tile's own logits transposed, one plane a query, for mask_words.cu, which reads parts of few queries;
//   4. add the tallies to global memory by integer atomics (sums in units of 2^-32), so that the result does not depend
//      on the order.
// Example: mask logits of 80 x 108 for 100 queries, factor 2, fp16: a map of 160 x 216 is 20 x 7 tiles, of which the
// last column has 24 positions; chunks of 64 and 36 queries; 280 blocks an image.
// Bound by arithmetic: about 12 instructions for each position and query, two of them on the SFU.
// Launch: grid [tiles, chunks, B], 512 threads, dynamic shared memory for patch and tallies (18352 bytes in the
// example).
#include "kernels/cuda/octet.cuh"
#include "kernels/masks/probability.cuh"
#include "kernels/masks/upsampled.h"
#include "kernels/ptx/griddepcontrol.cuh"
#include "select_instances.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kWarps = kScoreThreads / 32;
constexpr unsigned kAllLanes = 0xffffffff;
static_assert(kWarps == kScoreTileHeight * kScoreQueries / 32, "a warp takes 32 queries of one row of the tile");
static_assert(kScoreQueries * 4 <= 16 * 32, "a warp loads a whole pixel in one access");
static_assert(kScoreTileWidth == 32, "a row's positions are the bits of a word");

/// The patch of logits of a tile: its own, and the halo that it shares with neighbouring tiles.
template <int Factor>
struct Patch {
  static constexpr int kHalo = Upsampled<Factor>::kHalo;
  static constexpr int kOwnColumns = kScoreTileWidth / Factor, kOwnRows = kScoreTileHeight / Factor;
  static constexpr int kColumns = kOwnColumns + 2 * kHalo, kRows = kOwnRows + 2 * kHalo;
  static_assert(kColumns * kRows == score_patch_pixels(Factor));
  int x, y;  ///< position of its first own logit
};

/// Tally of one query over one row of the tile: the probabilities above the threshold.
struct RowTally {
  float sum;
  unsigned packed;  ///< their number, the first and the last position, one byte each; first > last: none

  __device__ RowTally(float sum_above, unsigned above) : sum(sum_above), packed(0x00ff00u) {
    if (above != 0)
      packed = static_cast<unsigned>(__popc(above)) | static_cast<unsigned>(__ffs(static_cast<int>(above)) - 1) << 8 |
               static_cast<unsigned>(31 - __clz(static_cast<int>(above))) << 16;
  }
  __device__ unsigned count() const { return packed & 0xff; }
  __device__ int first() const { return static_cast<int>(packed >> 8 & 0xff); }
  __device__ int last() const { return static_cast<int>(packed >> 16); }
};

/// Loads the logits of `count` queries from `query` on into the patch, patch_words words a pixel. Pixels beyond the
/// map's edges repeat the edge.
template <typename T, int Factor>
__device__ void stage_patch(const ScoreParams& p, int b, int query, int count, const Patch<Factor>& at,
                            unsigned* patch) {
  constexpr int kBytes = sizeof(T);
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const auto pixel_at = [&](int pixel) {
    const int y = at.y - at.kHalo + pixel / at.kColumns, x = at.x - at.kHalo + pixel % at.kColumns;
    const int inside_y = min(max(y, 0), p.mask_logits.height - 1), inside_x = min(max(x, 0), p.mask_logits.width - 1);
    return pixel_of<T>(p.mask_logits, b, inside_y * p.mask_logits.width + inside_x) + query;
  };
  if (p.mask_logits.aligned != 0) {
    // 16 bytes a lane, in whole sectors where the map's block has them: the last bytes may be padding channels. The
    // pixel stride is a multiple of 16 bytes.
    const int needed = (count * kBytes + 15) / 16, owned = (p.mask_logits.block - query) * kBytes / 16;
    const int vectors = max(needed, min((needed + 1) / 2 * 2, owned));
    // The patch's pixel stride is an odd number of words, so that four pixels are stored without bank conflicts. With
    // more than 8 vectors a pixel only two pixels are; vectors 8..15 would hit the banks of 0..7 and store their words
    // in another order.
    const int group = vectors > 8 ? 2 : min(32 / vectors, 4);
    const int which = lane / vectors, vector = lane - which * vectors;
    if (which >= group) return;
    const int turn = vector < 8 ? 0 : 2;
#pragma unroll 2
    for (int pixel = warp * group + which; pixel < at.kRows * at.kColumns; pixel += kWarps * group) {
      const uint4 words = reinterpret_cast<const uint4*>(pixel_at(pixel))[vector];
      unsigned* to = patch + pixel * p.patch_words + vector * 4;  // an odd number of words apart: not aligned
      to[turn] = turn == 0 ? words.x : words.z;
      to[turn + 1] = turn == 0 ? words.y : words.w;
      to[turn ^ 2] = turn == 0 ? words.z : words.x;
      to[(turn ^ 2) + 1] = turn == 0 ? words.w : words.y;
    }
  } else {
    for (int pixel = warp; pixel < at.kRows * at.kColumns; pixel += kWarps) {
      const T* from = pixel_at(pixel);
      for (int i = lane; i < count; i += 32) reinterpret_cast<T*>(patch + pixel * p.patch_words)[i] = from[i];
    }
  }
}

/// Tallies the first `positions` positions of row `row` of the tile for query q of the chunk.
template <typename T, int Factor>
__device__ RowTally tally_row(const ScoreParams& p, float threshold, int row, int positions, int q,
                              const unsigned* patch) {
  // First patch row that this row blends; tiles start at multiples of the factor.
  const int low = Upsampled<Factor>::low(row) + Patch<Factor>::kHalo;
  const float weight = Upsampled<Factor>::weight(row) * kToExponent, rest = kToExponent - weight;
  const int stride = p.patch_words * 4 / static_cast<int>(sizeof(T));
  const T* from = reinterpret_cast<const T*>(patch + low * Patch<Factor>::kColumns * p.patch_words) + q;
  const auto blended = [&](int column) {
    const T* logit = from + column * stride;
    if (Factor == 1) return widen(*logit) * rest;
    return widen(*logit) * rest + widen(logit[Patch<Factor>::kColumns * stride]) * weight;
  };
  float sum = 0;
  unsigned above = 0;
  const auto tally = [&](float exponent, int x) {
    const float probability = probability_of(exponent);
    if (probability > threshold) {
      sum += probability;
      above |= 1u << x;
    }
  };
  if constexpr (Factor == 1) {
#pragma unroll
    for (int x = 0; x < kScoreTileWidth; ++x) {
      if (x >= positions) break;
      tally(blended(x), x);
    }
  } else {
    float left = blended(0), here = blended(1);
#pragma unroll
    for (int x = 0; x < kScoreTileWidth; x += 2) {
      if (x >= positions) break;
      const float right = blended(x / 2 + 2);
      tally(0.75f * here + 0.25f * left, x);
      tally(0.75f * here + 0.25f * right, x + 1);
      left = here;
      here = right;
    }
  }
  return RowTally(sum, above);
}

/// Adds the tallies of the tile's rows to those of the queries in global memory. Eight neighbouring queries, a sector
/// of each array, are updated together where any of them has a position above the threshold.
__device__ void add_tile(const ScoreParams& p, int b, int query, int count, int tile_x, int tile_y,
                         const RowTally* tallies) {
  const int rows = min(kScoreTileHeight, p.map_height - tile_y), q = static_cast<int>(threadIdx.x);
  if (q >= kScoreQueries) return;
  double sum = 0;
  unsigned above = 0;
  int first = p.map_width - tile_x, last = -tile_x - 1, top = p.map_height - tile_y, bottom = -tile_y - 1;
  for (int row = 0; row < (q < count ? rows : 0); ++row) {
    const RowTally t = tallies[row * p.chunk + q];
    if (t.first() > t.last()) continue;
    sum += t.sum;
    above += t.count();
    first = min(first, t.first());
    last = max(last, t.last());
    top = min(top, row);
    bottom = row;
  }
  constexpr unsigned kEight = (1u << kQueriesPerSector) - 1;
  const unsigned some = __ballot_sync(kAllLanes, above != 0);
  if ((some >> (q % 32 / kQueriesPerSector * kQueriesPerSector) & kEight) == 0) return;
  const QueryTallies& total = p.tallies;
  const int at = b * total.stride + query + q;  // the stride is whole sectors: beyond the queries this adds 0 to zeros
  atomicAdd(reinterpret_cast<unsigned long long*>(total.sum) + at, __double2ull_rn(sum * 0x1p32));
  atomicAdd(total.count + at, above);
  atomicMax(total.from_right + at, static_cast<unsigned>(p.map_width - tile_x - first));
  atomicMax(total.right + at, static_cast<unsigned>(tile_x + last + 1));
  atomicMax(total.from_bottom + at, static_cast<unsigned>(p.map_height - tile_y - top));
  atomicMax(total.bottom + at, static_cast<unsigned>(tile_y + bottom + 1));
}
static_assert(kScoreQueries <= kScoreThreads && kScoreQueries % 32 == 0, "a thread a query, whole warps");

/// Writes the tile's own logits transposed, one plane a query. A warp writes row segments of one to four queries at a
/// time, one word a lane; planes are padded so that a row may end inside of a word. The queries of a warp are chosen so
/// that its reads of shared memory, at a stride of pixels for each query, have no bank conflicts.
template <typename T, int Factor>
__device__ void transpose_patch(const ScoreParams& p, int b, int query, int count, const Patch<Factor>& at,
                                const unsigned* patch) {
  constexpr int in_word = 4 / sizeof(T), across = at.kOwnColumns / in_word, together = 32 / across;
  static_assert(32 % across == 0 && (in_word == 2 || together <= 2) && together <= 4);
  struct alignas(4) Word {
    T values[in_word];
  };
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int column = lane % across * in_word, which = lane / across;
  if (at.x + column >= p.planar.pitch) return;  // columns from width to pitch repeat the edge: whole sectors
  const int stride = p.patch_words * in_word, rows = min(at.kOwnRows, p.planar.height - at.y);
  const int plane = p.planar.height * p.planar.pitch;
  const std::int64_t first_plane = static_cast<std::int64_t>(b) * p.class_logits.height + query;
  for (int i = warp; i < at.kOwnRows * kScoreQueries / together; i += kWarps) {
    const int row = i % at.kOwnRows, turn = i / at.kOwnRows;
    // One word further, or 16.
    const int q = in_word == 2 ? turn / 2 * 4 + turn % 2 + which % 2 * 2 + which / 2 * 32
                               : turn / 16 * 16 * together + turn % 16 + which * 16;
    if (row >= rows || q >= count) continue;
    const T* from =
        reinterpret_cast<const T*>(patch) + ((row + at.kHalo) * at.kColumns + column + at.kHalo) * stride + q;
    Word word;
#pragma unroll
    for (int k = 0; k < in_word; ++k) word.values[k] = from[k * stride];
    T* to = static_cast<T*>(p.planar.data) + (first_plane + q) * plane + (at.y + row) * p.planar.pitch + at.x + column;
    *reinterpret_cast<Word*>(to) = word;
  }
}

__device__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

/// Score and class of one query: the first class with the largest sqrt(sigmoid(class) * sigmoid(objectness)). By one
/// warp.
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
  const int at = b * p.tallies.stride + query;
  p.tallies.score[at] = isnan(first) ? first : best;  // no score compares greater than a NaN in class 0
  p.tallies.class_id[at] = best_class;
}

/// Grid [tiles of the map, chunks of queries, images].
template <typename T, int Factor>
__device__ void score_queries(const ScoreParams& p) {
  extern __shared__ unsigned patch[];
  __shared__ bool last;
  __shared__ float threshold;
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  RowTally* tallies = reinterpret_cast<RowTally*>(patch + (score_patch_pixels(Factor) * p.patch_words + 1) / 2 * 2);
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
  const int tile = static_cast<int>(blockIdx.x), b = static_cast<int>(blockIdx.z);
  const int query = static_cast<int>(blockIdx.y) * p.chunk, queries = p.class_logits.height;
  const int count = min(p.chunk, queries - query);
  const int tile_x = tile % p.tiles_across * kScoreTileWidth, tile_y = tile / p.tiles_across * kScoreTileHeight;
  const Patch<Factor> at{tile_x / Factor, tile_y / Factor};

  if (thread == 0) threshold = p.call->mask_threshold;
  stage_patch<T>(p, b, query, count, at, patch);
  if (query == 0) {
    for (int q = tile * kWarps + warp; q < queries; q += p.tiles * kWarps) score_query(p, b, q);
  }
  __syncthreads();
  const int row = warp % kScoreTileHeight, q = warp / kScoreTileHeight * 32 + thread % 32;
  if (tile_y + row < p.map_height && q < count)
    tallies[row * p.chunk + q] =
        tally_row<T, Factor>(p, threshold, row, min(kScoreTileWidth, p.map_width - tile_x), q, patch);
  transpose_patch<T>(p, b, query, count, at, patch);
  __syncthreads();
  add_tile(p, b, query, count, tile_x, tile_y, tallies);

  // The last block of the grid sees the sums of all blocks (CUDA C++ Programming Guide, "Memory Fence Functions").
  __threadfence();
  __syncthreads();
  if (thread == 0) last = atomicAdd(p.blocks_done, 1u) == gridDim.x * gridDim.y * gridDim.z - 1;
  __syncthreads();
  if (!last) return;
  __threadfence();
  select_instances<kScoreThreads>(p);
  if (thread == 0) atomicExch(p.blocks_done, 0u);
}

}  // namespace

// fp32 is not performance critical: one block a multiprocessor rather than spilled registers.
#define MASKRT_SCORE_QUERIES(name, T, factor, blocks)                           \
  extern "C" __global__ void __launch_bounds__(kScoreThreads, blocks)           \
      score_queries_##name##_x##factor(const __grid_constant__ ScoreParams p) { \
    score_queries<T, factor>(p);                                                \
  }
MASKRT_SCORE_QUERIES(f32, float, 1, 1)
MASKRT_SCORE_QUERIES(f32, float, 2, 1)
MASKRT_SCORE_QUERIES(f16, __half, 1, 2)
MASKRT_SCORE_QUERIES(f16, __half, 2, 2)

}  // namespace maskrt::kernels::cuda
