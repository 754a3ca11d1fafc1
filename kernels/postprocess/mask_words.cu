// Masks: probabilities of the map to bits at the original size, without the maps between.
//
// The two bilinear steps with the crop between are one separable operator of three neighbours an axis. A block takes 16
// columns of one instance's box by up to 8 words of 64 rows; a warp takes one word of each column: a patch of logits,
// their probabilities, its rows blended for every column of the patch (a lane has two of the 64 rows), then the
// columns, and a vote of the lanes on the threshold makes half a word. Blending is convex: where all logits or all
// probabilities of a patch lie clearly on one side, that is the answer. Words are gathered in shared memory and written
// column by column. Bound by the arithmetic near the masks' borders: about 900 warp instructions for 1024 pixels.
#include "../ptx/griddepcontrol.cuh"
#include "mask_space.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kWarps = kMaskThreads / 32;
constexpr unsigned kAllLanes = 0xffffffff;
static_assert(kMaskTileColumns <= 32, "lane i keeps the word of column i");

/// This lane's two rows of one column from probabilities that no patch holds.
template <typename T, int Factor>
__device__ float2 blend_directly(const QueryMap<T, Factor>& map, const ComposedTap (&rows)[2],
                                 const ComposedTap& column) {
  float2 sum{0, 0};
#pragma unroll 1  // these loops are long
  for (int k = 0; k < ComposedTap::taps; ++k) {
#pragma unroll
    for (int j = 0; j < ComposedTap::taps; ++j) {
      sum.x += map.probability(rows[0].first + j, column.first + k) * rows[0].weight[j] * column.weight[k];
      sum.y += map.probability(rows[1].first + j, column.first + k) * rows[1].weight[j] * column.weight[k];
    }
  }
  return sum;
}

/// 64 rows from `y` on of the columns [x, x + columns). Lane i gets the word of column x + i; by one warp.
template <typename T, int Factor>
__device__ unsigned long long word_of_columns(const MaskWordsParams& p, const PostprocessCall& call,
                                              const ImageGeometry& image, const QueryMap<T, Factor>& map, int x,
                                              int columns, int y, MaskSpace& space) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const unsigned long long valid = ~0ull >> (64 - min(64, image.y.original - y));
  ComposedTap rows[2];
#pragma unroll
  for (int r = 0; r < 2; ++r)
    rows[r] = composed_tap(min(y + 32 * r + lane, image.y.original - 1), image.y, p.map_height);
  ComposedTap column = composed_tap(x + min(lane, columns - 1), image.x, p.map_width);

  // Taps move one way with the position: the first lane has the first, the last the last.
  Patch patch;
  patch.row = __shfl_sync(kAllLanes, rows[0].first, 0);
  patch.rows = __shfl_sync(kAllLanes, rows[1].first, 31) + ComposedTap::taps - patch.row;
  patch.column = __shfl_sync(kAllLanes, column.first, 0);
  patch.columns = __shfl_sync(kAllLanes, column.first, 31) + ComposedTap::taps - patch.column;
  const bool patched = patch.rows <= kPatchRows && patch.columns <= kPatchColumns;

  __syncwarp();  // what the warp did before has been read
  if (patched) {
    const Patch source = source_of<Factor>(patch);
    Side side = stage_logits(map, source, call, space);
    if (side == Side::mixed) side = stage_probabilities(map, patch, source, call, space);
    if (side != Side::mixed) return side == Side::above ? valid : 0;
    blend_rows(patch, rows, space);
    column.first -= patch.column;
  }
  if (lane < kMaskTileColumns) space.taps[lane] = column;
  __syncwarp();

  const float threshold = call.mask_threshold;
  unsigned low = 0, high = 0;
  for (int i = 0; i < columns; ++i) {
    const ComposedTap tap = space.taps[i];
    float2 sum{0, 0};
    if (patched) {
      const float2* from = space.columns + tap.first * 32 + lane;
#pragma unroll
      for (int k = 0; k < ComposedTap::taps; ++k) {
        const float2 blended = from[k * 32];
        sum.x += blended.x * tap.weight[k];
        sum.y += blended.y * tap.weight[k];
      }
    } else {
      sum = blend_directly(map, rows, space.taps[i]);
    }
    const unsigned low_rows = __ballot_sync(kAllLanes, sum.x > threshold);
    const unsigned high_rows = __ballot_sync(kAllLanes, sum.y > threshold);
    if (lane == i) {
      low = low_rows;
      high = high_rows;
    }
  }
  return (static_cast<unsigned long long>(high) << 32 | low) & valid;
}

/// Adds a warp's words, one a lane, to area and extents.
__device__ void measure(unsigned long long word, int x, int y, InstanceRecord& record) {
  const unsigned lanes = __ballot_sync(kAllLanes, word != 0);
  if (lanes == 0) return;
  unsigned area = static_cast<unsigned>(__popcll(word));
  for (int distance = 16; distance > 0; distance /= 2) {
    area += __shfl_xor_sync(kAllLanes, area, distance);
    word |= __shfl_xor_sync(kAllLanes, word, distance);
  }
  if (threadIdx.x % 32 != 0) return;
  atomicAdd(reinterpret_cast<unsigned long long*>(&record.area), static_cast<unsigned long long>(area));
  atomicMin(&record.left, x + __ffs(static_cast<int>(lanes)) - 1);
  atomicMax(&record.right, x + 31 - __clz(static_cast<int>(lanes)));
  atomicMin(&record.top, y + __ffsll(static_cast<long long>(word)) - 1);
  atomicMax(&record.bottom, y + 63 - __clzll(static_cast<long long>(word)));
}

/// The instance whose tiles hold `tile`: the last that begins there or before. Called by all threads of a block.
__device__ int instance_of(const InstanceRecord* records, int instances, unsigned tile) {
  __shared__ int last;
  if (threadIdx.x == 0) last = 0;
  __syncthreads();
  int mine = 0;
  for (int i = static_cast<int>(threadIdx.x); i < instances; i += kMaskThreads) {
    if (records[i].first_tile <= tile) mine = i;
  }
  atomicMax(&last, mine);
  __syncthreads();
  return last;
}

/// Grid: any number of blocks, each of which takes an equal part of the tiles.
template <typename T, int Factor>
__device__ void mask_words(const MaskWordsParams& p) {
  __shared__ MaskSpace spaces[kWarps];
  __shared__ unsigned long long gathered[kMaskTileColumns * kMaskTileWords];
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const PostprocessCall& call = *p.call;
  const ImageGeometry* images = reinterpret_cast<const ImageGeometry*>(p.call + 1);
  const int instances = static_cast<int>(p.header->instances);
  const unsigned long long tiles = p.header->tiles;
  if (p.header->words > call.word_capacity) return;
  const auto first = static_cast<unsigned>(tiles * blockIdx.x / gridDim.x);
  const auto end = static_cast<unsigned>(tiles * (blockIdx.x + 1) / gridDim.x);
  if (first >= end) return;

  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  int instance = instance_of(p.records, instances, first);
  for (unsigned tile = first; tile < end; ++tile) {
    while (instance + 1 < instances && p.records[instance + 1].first_tile <= tile) ++instance;
    InstanceRecord& record = p.records[instance];
    const int words = record.words, tiles_across = (record.columns + kMaskTileColumns - 1) / kMaskTileColumns;
    const int tiles_down = (words + kMaskTileWords - 1) / kMaskTileWords;
    const int local = static_cast<int>(tile - record.first_tile), local_down = local / tiles_across;
    const int tall = (words + tiles_down - 1) / tiles_down;  // equal parts, so that warps have equal work
    const int column = (local - local_down * tiles_across) * kMaskTileColumns, word = local_down * tall;
    const int columns = min(kMaskTileColumns, record.columns - column), down = min(tall, words - word);
    const int x = record.first_column + column, y = (record.first_word + word) * 64;
    const ImageGeometry& image = images[record.image];
    const std::int64_t plane = static_cast<std::int64_t>(record.image) * p.queries + record.query;
    const QueryMap<T, Factor> map{static_cast<const T*>(p.planar.data) + plane * p.planar.height * p.planar.pitch,
                                  p.planar.height, p.planar.width, p.planar.pitch};
    auto* to = reinterpret_cast<unsigned long long*>(call.words) + record.first_word_of +
               static_cast<std::int64_t>(column) * words + word;
    for (int i = warp; i < down; i += kWarps) {
      const unsigned long long bits = word_of_columns(p, call, image, map, x, columns, y + i * 64, spaces[warp]);
      measure(lane < columns ? bits : 0, x, y + i * 64, record);
      if (lane < columns) gathered[lane * down + i] = bits;
    }
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < columns * down; i += kMaskThreads)
      to[static_cast<std::int64_t>(i / down) * words + i % down] = gathered[i];
    __syncthreads();
  }
}

}  // namespace

#define MASKRT_MASK_WORDS(name, T, factor)                                       \
  extern "C" __global__ void __launch_bounds__(kMaskThreads, 4)                  \
      mask_words_##name##_x##factor(const __grid_constant__ MaskWordsParams p) { \
    mask_words<T, factor>(p);                                                    \
  }
MASKRT_MASK_WORDS(f32, float, 1)
MASKRT_MASK_WORDS(f32, float, 2)
MASKRT_MASK_WORDS(f16, __half, 1)
MASKRT_MASK_WORDS(f16, __half, 2)

}  // namespace maskrt::kernels::cuda
