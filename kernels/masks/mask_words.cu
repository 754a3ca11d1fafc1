// Masks at the original size as packed bits: bit = resize(crop(resize(sigmoid(upsampled logits)))) > threshold, both
// resizes bilinear, computed from the logits without materialising the maps between. Or the same of the logits
// themselves: bit = resize(crop(resize(logits))) > 0, and the sum of the sigmoids of those that are.
//
// The two resizes with the crop between compose to one separable operator of three neighbours an axis (ComposedTap).
// Persistent: blocks divide all tiles of all instances evenly. A tile is 16 columns of one instance's box by up to 24
// words; a warp computes one word, 64 rows, of each of the 16 columns:
//   1. stage a patch of logits in shared memory, in whole sectors;
//   2. compute its probabilities;
//   3. blend vertically, two of the 64 rows a lane, for every column of the patch;
//   4. blend horizontally; a ballot of the lanes on the threshold is half a word.
// Early out: blending is convex, so where all logits or all probabilities of a patch are clearly on one side of the
// threshold, all 64 x 16 bits are equal; of blended logits, where none is positive. Words are gathered in shared memory
// and stored contiguously; a block reduces area and extents of an instance before it adds them to the record. Example:
// a box of 100 columns by 30 words (1920 rows) is 7 x 2 tiles: 30 words are more than 24, so columns are divided into
// parts of 16 and 14 words; the last column of tiles has 4 columns. Bound by arithmetic near the masks' borders: about
// 900 warp instructions for 1024 pixels. Launch: any grid, 128 threads, 48932 bytes of static shared memory.
#include "kernels/ptx/griddepcontrol.cuh"
#include "mask_space.cuh"
#include "mask_tiles.cuh"

namespace maskrt::kernels::cuda {
namespace {

/// What is blended.
enum class Blend { probabilities, logits };

constexpr int kWarps = kMaskThreads / 32;
constexpr unsigned kAllLanes = 0xffffffff;
static_assert(kMaskTileColumns <= 32, "lane i keeps the word of column i");

/// This lane's two rows of one column, sampled directly, for maps that are too large for a patch.
template <Blend blend, typename T, int Factor>
__device__ float2 blend_directly(const QueryMap<T, Factor>& map, const ComposedTap (&rows)[2],
                                 const ComposedTap& column) {
  float2 sum{0, 0};
#pragma unroll 1  // these loops are long
  for (int k = 0; k < ComposedTap::taps; ++k) {
#pragma unroll
    for (int j = 0; j < ComposedTap::taps; ++j) {
      const auto at = [&](int row) {
        if constexpr (blend == Blend::logits) return map.logit(row, column.first + k);
        return map.probability(row, column.first + k);
      };
      sum.x += at(rows[0].first + j) * rows[0].weight[j] * column.weight[k];
      sum.y += at(rows[1].first + j) * rows[1].weight[j] * column.weight[k];
    }
  }
  return sum;
}

/// Computes the taps of the columns [x, x + columns); by one warp.
__device__ void place_columns(const ImageGeometry& image, int map_width, int x, int columns, MaskSpace& space) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  __syncwarp();  // all lanes have read the previous taps
  if (lane < columns) space.taps[lane] = composed_tap(x + lane, image.x, map_width);
  __syncwarp();
}

/// Computes 64 rows from `y` on of the `columns` whose taps are in `space`. Lane i returns the word of column i; by one
/// warp. Of blended logits `inside` becomes the sum of the probabilities of this lane's positive ones.
template <Blend blend, typename T, int Factor>
__device__ unsigned long long word_of_columns(const MaskWordsParams& p, const MaskCall& call,
                                              const ImageGeometry& image, const QueryMap<T, Factor>& map, int columns,
                                              int y, MaskSpace& space, float& inside) {
  inside = 0;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const unsigned long long valid = ~0ull >> (64 - min(64, image.y.original - y));
  ComposedTap rows[2];
#pragma unroll
  for (int r = 0; r < 2; ++r)
    rows[r] = composed_tap(min(y + 32 * r + lane, image.y.original - 1), image.y, p.map_height);

  // Taps are monotonic in the position: the first lane has the first, the last lane the last.
  Patch patch;
  patch.row = __shfl_sync(kAllLanes, rows[0].first, 0);
  patch.rows = __shfl_sync(kAllLanes, rows[1].first, 31) + ComposedTap::taps - patch.row;
  patch.column = space.taps[0].first;
  patch.columns = space.taps[columns - 1].first + ComposedTap::taps - patch.column;
  const bool patched = patch.rows <= kPatchRows && patch.columns <= kPatchColumns;

  if (patched) {
    const Patch source = source_of<Factor>(patch);
    StagedRows staged{source.columns, source.column};
    Side side;
    if constexpr (blend == Blend::logits) {
      if (stage_positive(map, patch, space) == Side::below) return 0;
    } else if constexpr (Factor == 2) {
      const SectorRows<T> sectors(source, map.pitch);
      staged = sectors.staged();
      side = stage_sectors(map, source, sectors, call, space);
    } else {
      side = stage_logits(map, source, call, space);
    }
    if constexpr (blend == Blend::probabilities) {
      if (side == Side::mixed) side = stage_probabilities(map, patch, source, staged, call, space);
      if (side != Side::mixed) return side == Side::above ? valid : 0;
    }
    blend_rows(patch, rows, space);
  }

  const float threshold = blend == Blend::logits ? 0.0f : call.mask_threshold;
  const bool low_exists = y + lane < image.y.original, high_exists = y + 32 + lane < image.y.original;
  const float2* blended_rows = space.columns + lane - patch.column * 32;
  unsigned low = 0, high = 0;
  for (int i = 0; i < columns; ++i) {
    const ComposedTap tap = space.taps[i];
    float2 sum{0, 0};
    if (patched) {
      const float2* from = blended_rows + tap.first * 32;
#pragma unroll
      for (int k = 0; k < ComposedTap::taps; ++k) {
        const float2 blended = from[k * 32];
        sum.x += blended.x * tap.weight[k];
        sum.y += blended.y * tap.weight[k];
      }
    } else {
      sum = blend_directly<blend>(map, rows, space.taps[i]);
    }
    if constexpr (blend == Blend::logits) {
      if (sum.x > threshold && low_exists) inside += probability_of(sum.x * kToExponent);
      if (sum.y > threshold && high_exists) inside += probability_of(sum.y * kToExponent);
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

/// Area and inclusive extents of one instance's set pixels, as far as this block has computed them.
struct Extents {
  unsigned area;
  int left, top, right, bottom;
  unsigned long long inside;  ///< sum of probabilities, in units of 2^-32
};

/// Adds what each lane has found inside: integers, so that the order does not matter.
__device__ void add_inside(float inside, Extents& found) {
  auto sum = static_cast<unsigned long long>(inside * 0x1p32f);
  for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_xor_sync(kAllLanes, sum, distance);
  if (threadIdx.x % 32 == 0 && sum != 0) atomicAdd(&found.inside, sum);
}

/// Adds a warp's words, one in each lane, to the block's extents.
__device__ void measure(unsigned long long word, int x, int y, Extents& found) {
  const unsigned lanes = __ballot_sync(kAllLanes, word != 0);
  if (lanes == 0) return;
  unsigned area = static_cast<unsigned>(__popcll(word));
  for (int distance = 16; distance > 0; distance /= 2) {
    area += __shfl_xor_sync(kAllLanes, area, distance);
    word |= __shfl_xor_sync(kAllLanes, word, distance);
  }
  if (threadIdx.x % 32 != 0) return;
  atomicAdd(&found.area, area);
  atomicMin(&found.left, x + __ffs(static_cast<int>(lanes)) - 1);
  atomicMax(&found.right, x + 31 - __clz(static_cast<int>(lanes)));
  atomicMin(&found.top, y + __ffsll(static_cast<long long>(word)) - 1);
  atomicMax(&found.bottom, y + 63 - __clzll(static_cast<long long>(word)));
}

/// Adds the block's extents to the record, with the first two threads, and to `inside`, where it is not null.
__device__ void add_to_record(const Extents& found, InstanceRecord& record, std::uint64_t* inside) {
  const int thread = static_cast<int>(threadIdx.x);
  if (thread >= 2 || found.area == 0) return;
  if (thread == 1 && inside != nullptr) atomicAdd(reinterpret_cast<unsigned long long*>(inside), found.inside);
  if (thread == 0)
    atomicAdd(reinterpret_cast<unsigned long long*>(&record.area), static_cast<unsigned long long>(found.area));
  atomicMin(&record.left + thread, thread == 0 ? found.left : found.top);
  atomicMax(&record.right + thread, thread == 0 ? found.right : found.bottom);
}

/// The instance that `tile` belongs to: the last one whose first tile is not greater. Called by all threads of a block.
__device__ int instance_of(const std::uint32_t* first_tiles, int instances, unsigned tile) {
  __shared__ int last;
  if (threadIdx.x == 0) last = 0;
  __syncthreads();
  int mine = 0;
  for (int i = static_cast<int>(threadIdx.x); i < instances; i += kMaskThreads) {
    if (first_tiles[i] <= tile) mine = i;
  }
  atomicMax(&last, mine);
  __syncthreads();
  return last;
}

/// Persistent: the tiles are divided evenly among any number of blocks.
template <Blend blend, typename T, int Factor>
__device__ void mask_words(const MaskWordsParams& p) {
  __shared__ MaskSpace spaces[kWarps];
  __shared__ unsigned long long gathered[kMaskTileColumns * kMaskTileWords];
  __shared__ InstanceHeader header;
  __shared__ MaskCall call;
  __shared__ MaskJob job;
  __shared__ ImageGeometry image;
  __shared__ Extents found;
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  look_up(p.header, header, kSelectionWords);
  look_up(p.call, call);
  __syncthreads();
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
  const unsigned long long tiles = header.tiles;
  const bool stores = call.masks != 0;
  if (stores && header.words > call.word_capacity) return;
  const auto first = static_cast<unsigned>(tiles * blockIdx.x / gridDim.x);
  const auto end = static_cast<unsigned>(tiles * (blockIdx.x + 1) / gridDim.x);
  if (first >= end) return;

  int instance = instance_of(p.jobs.first_tiles, static_cast<int>(header.instances), first);
  for (unsigned tile = first; tile < end; ++instance) {
    __syncthreads();  // all threads have read the previous job
    look_up_job(p.jobs.jobs + instance, p.call, p.queries, job, image);
    if (thread == 0) found = {0, 0x7fffffff, 0x7fffffff, -1, -1, 0};
    __syncthreads();
    const int words = job.words, across = tiles_across(job.columns), parts = tiles_down(words);
    const int tall = parts <= 1 ? words : whole_sectors((words + parts - 1) / parts);
    const unsigned last = min(end, job.first_tile + static_cast<unsigned>(across * parts));
    const QueryMap<T, Factor> map{
        static_cast<const T*>(p.planar.data) + static_cast<std::int64_t>(job.plane) * p.planar.height * p.planar.pitch,
        p.planar.height, p.planar.width, p.planar.pitch};
    for (; tile < last; ++tile) {
      const int local = static_cast<int>(tile - job.first_tile), part = local / across;
      const int column = (local - part * across) * kMaskTileColumns, word = part * tall;
      const int columns = min(kMaskTileColumns, job.columns - column), down = min(tall, words - word);
      const int x = job.first_column + column, y = (job.first_word + word) * 64;
      if (warp < down) place_columns(image, p.map_width, x, columns, spaces[warp]);
      for (int i = warp; i < down; i += kWarps) {
        __syncwarp();  // all lanes have read the previous word's patch
        float inside;
        const unsigned long long bits =
            word_of_columns<blend>(p, call, image, map, columns, y + i * 64, spaces[warp], inside);
        if constexpr (blend == Blend::logits) add_inside(inside, found);
        measure(lane < columns ? bits : 0, x, y + i * 64, found);
        if (lane < columns) gathered[lane * down + i] = bits;
      }
      __syncthreads();
      auto* to = reinterpret_cast<unsigned long long*>(call.words) + job.first_word_of +
                 static_cast<std::int64_t>(column) * words + word;
      const int count = columns * down;
      if (!stores) {
        // Areas and sums alone.
      } else if (parts == 1) {
        // Fills the last sector: masks are padded with zeros to whole sectors.
        for (int i = thread; i < whole_sectors(count); i += kMaskThreads) to[i] = i < count ? gathered[i] : 0;
      } else {
        for (int i = thread; i < count; i += kMaskThreads)
          to[static_cast<std::int64_t>(i / down) * words + i % down] = gathered[i];
      }
      __syncthreads();
    }
    add_to_record(found, p.records[instance], blend == Blend::logits ? p.inside + instance : nullptr);
  }
}

}  // namespace

#define MASKRT_MASK_WORDS(name, T, factor)                                       \
  extern "C" __global__ void __launch_bounds__(kMaskThreads, 4)                  \
      mask_words_##name##_x##factor(const __grid_constant__ MaskWordsParams p) { \
    mask_words<Blend::probabilities, T, factor>(p);                              \
  }
MASKRT_MASK_WORDS(f32, float, 1)
MASKRT_MASK_WORDS(f32, float, 2)
MASKRT_MASK_WORDS(f16, __half, 1)
MASKRT_MASK_WORDS(f16, __half, 2)

extern "C" {
__global__ void __launch_bounds__(kMaskThreads, 4) mask_words_logits_f32(const __grid_constant__ MaskWordsParams p) {
  mask_words<Blend::logits, float, 1>(p);
}
__global__ void __launch_bounds__(kMaskThreads, 4) mask_words_logits_f16(const __grid_constant__ MaskWordsParams p) {
  mask_words<Blend::logits, __half, 1>(p);
}
}

}  // namespace maskrt::kernels::cuda
