// COCO's run lengths of the masks: how far apart the changes of colour lie along the columns, one below the other.
//
// A block takes an instance at a time, of its box the words of each column from top to bottom, and one column more,
// where the last run may end. Bits change where a word differs from itself shifted by one, the row before shifted in.
// The changes are counted first, which reserves the instance's place, then found again and written in order. Bound by
// latency: the words come from the second-level cache, where mask_words.cu has just put them.
#include "../ptx/griddepcontrol.cuh"
#include "postprocess_params.h"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kWarps = kRunThreads / 32;
constexpr unsigned kAllLanes = 0xffffffff;

/// The bits of one instance, all of the image's words; those outside of the box are 0.
struct MaskColumns {
  const unsigned long long* words;
  int first_column, columns, first_word, box_words;  ///< the box
  int height, words_per_column;

  __device__ unsigned long long word(int x, int w) const {
    const int column = x - first_column, row = w - first_word;
    const bool inside = column >= 0 && column < columns && row >= 0 && row < box_words;
    return inside ? words[static_cast<std::int64_t>(column) * box_words + row] : 0;
  }
  /// Bit y: whether row 64 w + y of column x differs from the pixel before it; the pixel before the first is 0.
  __device__ unsigned long long changes(int x, int w) const {
    unsigned long long before = 0;
    if (w > 0) {
      before = word(x, w - 1) >> 63;
    } else if (x > 0) {
      before = word(x - 1, words_per_column - 1) >> (height - 1) % 64 & 1;
    }
    const unsigned long long bits = word(x, w);
    return (bits ^ (bits << 1 | before)) & ~0ull >> (64 - min(64, height - 64 * w));
  }
};

/// What the threads before this one have found, in the order of the pixels.
struct Found {
  unsigned changes, last;  ///< how many, and the position of the last; 0: none
};

__device__ Found operator+(const Found& a, const Found& b) { return {a.changes + b.changes, max(a.last, b.last)}; }

/// `total` gets what all threads have found. Called by all threads of a block.
__device__ Found scan_exclusive(const Found& mine, Found& total) {
  __shared__ Found of_warps[kWarps];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  Found up_to = mine, before{};
  for (int distance = 1; distance < 32; distance *= 2) {
    const Found other{__shfl_up_sync(kAllLanes, up_to.changes, distance),
                      __shfl_up_sync(kAllLanes, up_to.last, distance)};
    if (lane >= distance) up_to = up_to + other;
  }
  const Found left{__shfl_up_sync(kAllLanes, up_to.changes, 1), __shfl_up_sync(kAllLanes, up_to.last, 1)};
  if (lane > 0) before = left;
  __syncthreads();  // the warps' findings of an earlier call have been read
  if (lane == 31) of_warps[warp] = up_to;
  __syncthreads();
  total = {};
  for (int w = 0; w < kWarps; ++w) {
    if (w < warp) before = before + of_warps[w];
    total = total + of_warps[w];
  }
  return before;
}

}  // namespace

/// Grid: any number of blocks, which take turns with the instances.
extern "C" __global__ void __launch_bounds__(kRunThreads) mask_runs(const __grid_constant__ MaskRunsParams p) {
  __shared__ unsigned long long place;
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const PostprocessCall& call = *p.call;
  const ImageGeometry* images = reinterpret_cast<const ImageGeometry*>(p.call + 1);
  if (call.runs == nullptr || call.masks == 0 || p.header->words > call.word_capacity) return;
  const int thread = static_cast<int>(threadIdx.x);
  for (unsigned instance = blockIdx.x; instance < p.header->instances; instance += gridDim.x) {
    InstanceRecord& record = p.records[instance];
    const int width = images[record.image].x.original, height = images[record.image].y.original;
    const MaskColumns mask{reinterpret_cast<const unsigned long long*>(call.words) + record.first_word_of,
                           record.first_column,
                           record.columns,
                           record.first_word,
                           record.words,
                           height,
                           (height + 63) / 64};
    const int columns = record.columns == 0 ? 0 : min(record.columns + 1, width - record.first_column);
    const int words = columns * mask.words_per_column;
    const auto changes_of = [&](int i) {
      const int column = i / mask.words_per_column;
      return mask.changes(record.first_column + column, i - column * mask.words_per_column);
    };

    Found mine{}, all{};
    for (int i = thread; i < words; i += kRunThreads) mine.changes += static_cast<unsigned>(__popcll(changes_of(i)));
    scan_exclusive(mine, all);
    const unsigned runs = all.changes + 1;
    if (thread == 0) {
      place = atomicAdd(reinterpret_cast<unsigned long long*>(&p.header->runs), static_cast<unsigned long long>(runs));
      record.first_run = place;
      record.runs = runs;
    }
    __syncthreads();
    if (place + runs <= call.run_capacity) {
      unsigned* to = call.runs + place;
      Found before{};
      for (int first = 0; first < words; first += kRunThreads) {
        const int i = first + thread, column = i / mask.words_per_column;
        unsigned long long changes = i < words ? changes_of(i) : 0;
        const unsigned start = static_cast<unsigned>(record.first_column + column) * static_cast<unsigned>(height) +
                               static_cast<unsigned>(i - column * mask.words_per_column) * 64;
        Found total;
        const unsigned last =
            changes == 0 ? 0 : start + 63 - static_cast<unsigned>(__clzll(static_cast<long long>(changes)));
        Found here = before + scan_exclusive({static_cast<unsigned>(__popcll(changes)), last}, total);
        for (; changes != 0; changes &= changes - 1) {
          const unsigned position = start + static_cast<unsigned>(__ffsll(static_cast<long long>(changes))) - 1;
          to[here.changes++] = position - here.last;
          here.last = position;
        }
        before = before + total;
      }
      if (thread == 0) to[before.changes] = static_cast<unsigned>(width) * static_cast<unsigned>(height) - before.last;
    }
    __syncthreads();  // `place` has been read
  }
}

}  // namespace maskrt::kernels::cuda
