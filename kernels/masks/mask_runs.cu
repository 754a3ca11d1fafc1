// COCO run lengths (uncompressed RLE) of the masks: the distances between changes of value in column-major order,
// starting with a run of zeros.
//
// Persistent: blocks loop over instances with a grid stride. Within a block each warp has a contiguous range of the
// words of the instance's box, 32 words at a time, one for each lane. Bits change where a word differs from itself
// shifted by one, with the previous pixel shifted in; where a column of the box ends inside of the image, the pixel
// after it may be one more change. Two passes: the first counts the changes, which reserves the instance's range of the
// output by an atomic; the second finds them again, gathers them in order in shared memory and writes whole sectors.
// Example: a mask with pixels 3..5 of a column-major image of 10 pixels has changes at 3 and 6; its runs are 3, 3, 4:
// two changes, and the run to the end of the image.
// Bound by latency: the words come from L2, where mask_words.cu has just written them.
// Launch: any grid, 256 threads, 8456 bytes of static shared memory.
#include "kernels/ptx/griddepcontrol.cuh"
#include "mask_tiles.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kWarps = kRunThreads / 32;
constexpr unsigned kAllLanes = 0xffffffff;

/// One instance's box in an image. Pixels are numbered column by column.
struct MaskBox {
  const unsigned long long* words;
  int first_column, columns, first_row, box_words;
  int width, height;
  int last_bit;        ///< bit of the last pixel in a column's last word
  bool whole_columns;  ///< the box covers whole columns: consecutive columns are adjacent in column-major order

  __device__ MaskBox(const MaskJob& job, const ImageGeometry& image, const std::uint64_t* all_words)
      : words(reinterpret_cast<const unsigned long long*>(all_words) + job.first_word_of),
        first_column(job.first_column),
        columns(job.columns),
        first_row(job.first_word * 64),
        box_words(job.words),
        width(image.x.original),
        height(image.y.original),
        last_bit(min(height - first_row - 64 * (box_words - 1), 64) - 1),
        whole_columns(first_row == 0 && 64 * box_words >= height) {}
  __device__ int count() const { return columns * box_words; }
};

/// The changes that one lane finds in a word, and possibly at the pixel after its column.
struct Changes {
  unsigned long long bits;
  unsigned start;   ///< column-major number of bit 0's pixel
  unsigned behind;  ///< column-major number of the pixel after the column; 0: no change there

  __device__ unsigned count() const { return static_cast<unsigned>(__popcll(bits)) + (behind != 0 ? 1 : 0); }
  /// The last change; 0: there is none, or only at pixel 0.
  __device__ unsigned last() const {
    if (behind != 0 || bits == 0) return behind;
    return start + 63 - static_cast<unsigned>(__clzll(static_cast<long long>(bits)));
  }
};

/// The changes in word i, whose bits are `word`; `before` are the bits of word i - 1.
__device__ Changes changes_of(const MaskBox& box, int i, unsigned long long word, unsigned long long before) {
  const int column = i / box.box_words, w = i - column * box.box_words;
  const bool last = w == box.box_words - 1;
  const int last_bit = last ? box.last_bit : 63;
  const int bit_before = w > 0 ? 63 : box.last_bit;
  const unsigned long long carried = w > 0 || (box.whole_columns && column > 0) ? before >> bit_before & 1 : 0;
  const auto height = static_cast<unsigned>(box.height);
  const unsigned top = static_cast<unsigned>(box.first_column + column) * height;
  Changes changes;
  changes.bits = (word ^ (word << 1 | carried)) & ~0ull >> (63 - last_bit);
  changes.start = top + static_cast<unsigned>(box.first_row + 64 * w);
  changes.behind = 0;
  if (last && (word >> last_bit & 1) != 0 && (!box.whole_columns || column == box.columns - 1)) {
    const unsigned behind = changes.start + static_cast<unsigned>(last_bit) + 1;
    if (behind < static_cast<unsigned>(box.width) * height) changes.behind = behind;
  }
  return changes;
}

/// Calls take(changes of this lane's word) for the words [first, end), 32 at a time; by one warp. `first` is a multiple
/// of 32. Lanes beyond the end have no changes.
template <typename Take>
__device__ void for_each_word(const MaskBox& box, int first, int end, Take&& take) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  // Loads the word before the first, with the whole sector that contains it.
  unsigned long long before = 0;
  if (first > 0 && first < end && lane >= 32 - kMaskWordsPerSector) before = box.words[first - 32 + lane];
#pragma unroll 2
  for (int i = first + lane; i - lane < end; i += 32) {
    const unsigned long long word = i < end ? box.words[i] : 0;
    const unsigned long long shifted = __shfl_up_sync(kAllLanes, word, 1);
    const unsigned long long carried = __shfl_sync(kAllLanes, before, 31);
    take(i < end ? changes_of(box, i, word, lane == 0 ? carried : shifted) : Changes{0, 0, 0});
    before = word;
  }
}

/// A warp's output buffer: the positions of changes in order; its first entry corresponds to the start of a sector of
/// run lengths.
struct RunWindow {
  static constexpr int kSize = 256;
  unsigned places[kSize];
};

/// Writes run lengths in order. By one warp.
class RunWriter {
 public:
  /// Writes run lengths from index `begin` on; the change before the first one is at `last`.
  __device__ RunWriter(std::uint32_t* runs, unsigned long long begin, unsigned last, RunWindow& window)
      : window_(window.places),
        begin_(static_cast<int>(begin % 8)),
        end_(begin_),
        last_(last),
        to_(runs + (begin - begin % 8)) {}

  /// Appends `count` changes of this lane, which successive calls of place() return in ascending order.
  template <typename Place>
  __device__ void add(unsigned count, Place&& place) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    unsigned up_to = count;
    for (int distance = 1; distance < 32; distance *= 2) {
      const unsigned other = __shfl_up_sync(kAllLanes, up_to, distance);
      if (lane >= distance) up_to += other;
    }
    int at = end_ + static_cast<int>(up_to - count), left = static_cast<int>(count);
    end_ += static_cast<int>(__shfl_sync(kAllLanes, up_to, 31));
    while (true) {
      for (; left > 0 && at < RunWindow::kSize; --left) window_[at++] = place();
      if (end_ < RunWindow::kSize) break;
      write(RunWindow::kSize);
      begin_ = 0;
      end_ -= RunWindow::kSize;
      at -= RunWindow::kSize;
      to_ += RunWindow::kSize;
    }
  }
  __device__ void finish() { write(end_); }

 private:
  __device__ void write(int end) {
    __syncwarp();
    const int lane = static_cast<int>(threadIdx.x) % 32;
    for (int first = 0; first < end; first += 32) {
      const int i = first + lane;
      const unsigned place = window_[min(i, end - 1)];
      unsigned before = __shfl_up_sync(kAllLanes, place, 1);
      if (lane == 0 || i == begin_) before = last_;
      if (i >= begin_ && i < end) to_[i] = place - before;
      last_ = __shfl_sync(kAllLanes, place, 31);
    }
    __syncwarp();
  }

  unsigned* window_;
  int begin_, end_;  // range of valid entries in the window
  unsigned last_;    // position of the preceding change
  std::uint32_t* to_;
};

}  // namespace

/// Persistent: any number of blocks loop over the instances with a grid stride.
extern "C" __global__ void __launch_bounds__(kRunThreads) mask_runs(const __grid_constant__ MaskRunsParams p) {
  __shared__ InstanceHeader header;
  __shared__ MaskCall call;
  __shared__ MaskJob job;
  __shared__ ImageGeometry image;
  __shared__ unsigned counts[kWarps], lasts[kWarps];
  __shared__ unsigned long long place;
  __shared__ RunWindow windows[kWarps];
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  look_up(p.header, header, kSelectionWords);
  look_up(p.call, call);
  __syncthreads();
  if (call.runs == nullptr || call.masks == 0 || header.words > call.word_capacity) return;
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
  for (unsigned instance = blockIdx.x; instance < header.instances; instance += gridDim.x) {
    look_up_job(p.jobs + instance, p.call, p.queries, job, image);
    __syncthreads();
    const MaskBox box(job, image, call.words);
    // Each warp has a contiguous range of words, a multiple of 32.
    const int stretch = (box.count() + kRunThreads - 1) / kRunThreads * 32;
    const int first = min(warp * stretch, box.count()), end = min(first + stretch, box.count());

    unsigned count = 0, last = 0;
    for_each_word(box, first, end, [&](const Changes& changes) {
      count += changes.count();
      last = max(last, changes.last());
    });
    for (int distance = 16; distance > 0; distance /= 2) {
      count += __shfl_xor_sync(kAllLanes, count, distance);
      last = max(last, __shfl_xor_sync(kAllLanes, last, distance));
    }
    if (lane == 0) counts[warp] = count, lasts[warp] = last;
    __syncthreads();
    unsigned runs = 1, before = 0;  // the last run ends where the image ends
    last = 0;
    for (int w = 0; w < kWarps; ++w) {
      if (w == warp) before = runs - 1;
      if (w < warp) last = max(last, lasts[w]);
      runs += counts[w];
    }
    if (thread == 0) {
      place = atomicAdd(reinterpret_cast<unsigned long long*>(&p.header->runs), static_cast<unsigned long long>(runs));
      InstanceRecord& record = p.records[instance];
      record.first_run = place;
      record.runs = runs;
    }
    __syncthreads();
    if (place + runs <= call.run_capacity) {
      RunWriter writer(call.runs, place + before, last, windows[warp]);
      for_each_word(box, first, end, [&](Changes changes) {
        writer.add(changes.count(), [&] {
          if (changes.bits == 0) return changes.behind;
          const unsigned found =
              changes.start + static_cast<unsigned>(__ffsll(static_cast<long long>(changes.bits))) - 1;
          changes.bits &= changes.bits - 1;
          return found;
        });
      });
      if (warp == kWarps - 1) {
        const unsigned pixels = static_cast<unsigned>(box.width) * static_cast<unsigned>(box.height);
        writer.add(lane == 0 ? 1 : 0, [&] { return pixels; });
      }
      writer.finish();
    }
    __syncthreads();  // all threads have read the instance's shared data
  }
}

}  // namespace maskrt::kernels::cuda
