// Segments of a picture: queries whose class is sure compete for its pixels, each with its class's probability times
// the probability of its mask, sigmoid(resize(crop(resize(logits)))); what a winner has inside of its mask (logit not
// negative) is its segment, unless others took more than the rest of its mask.
//
// compete_for_pixels writes each pixel's winner, as twice the candidate's number and one more inside of its mask, and
// counts; its last block decides which candidates have a segment and numbers these. paint_segments writes the numbers
// and measures the segments. masks [B, h, w, Q] of fp16 or fp32, numbers int32 [H, W] of each image.
// Persistent: blocks loop over tiles of 32 columns by 8 rows of all pictures; a warp has a row, a lane a pixel, whose
// nine neighbours in the map are mostly those of its neighbours. Counts are of warps (ballots), then of blocks in
// shared memory, then integers in global memory: the order does not matter. Example: 100 queries of which 12 are
// candidates, a picture of 640 x 480: 20 x 60 tiles, 12 x 9 logits a pixel. Bound by instructions: some 60 a pixel and
// candidate. Launch: any grid, 256 threads, dynamic shared memory of segment_map_bytes().
#include "kernels/ptx/griddepcontrol.cuh"
#include "picture_tiles.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr unsigned kAllLanes = 0xffffffff;

/// The candidates of an image, in shared memory.
struct Candidates {
  int* query;
  float* probability;
  CandidateCounts* counts;

  __device__ Candidates(float* shared, int queries)
      : query(reinterpret_cast<int*>(shared)),
        probability(shared + queries),
        counts(reinterpret_cast<CandidateCounts*>(shared + 2 * queries)) {}
};

/// Lists the candidates in the order of queries; gives how many. By one whole warp.
__device__ int list_candidates(const SegmentMapParams& p, int image, const Candidates& list) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  int count = 0;
  for (int base = 0; base < p.queries; base += 32) {
    const int query = base + lane;
    BestShare best{0, p.classes};
    if (query < p.queries) best = p.best[image * p.queries + query];
    const bool competes = best.class_id < p.classes && best.probability > p.object_mask_threshold;
    const unsigned all = __ballot_sync(kAllLanes, competes);
    if (competes) {
      const int place = count + __popc(all & ((1u << lane) - 1));
      list.query[place] = query;
      list.probability[place] = best.probability;
    }
    count += __popc(all);
  }
  return count;
}

/// Adds a block's counts of an image to those of all blocks and clears them. By all threads of a block, which have
/// passed a barrier since the last count.
__device__ void hand_over(const SegmentMapParams& p, int image, int count, CandidateCounts* own) {
  for (int i = static_cast<int>(threadIdx.x); i < count * 3; i += kSegmentThreads) {
    unsigned& number = reinterpret_cast<unsigned*>(own)[i];
    if (number != 0) atomicAdd(reinterpret_cast<unsigned*>(p.counts + image * p.queries) + i, number);
    number = 0;
  }
}

/// Numbers the segments of all images. By the last block alone.
__device__ void name_segments(const SegmentMapParams& p, const Candidates& list) {
  __shared__ int candidates;
  const int thread = static_cast<int>(threadIdx.x);
  for (int image = 0; image < p.batch; ++image) {
    if (thread < 32) {
      const int count = list_candidates(p, image, list);
      if (thread == 0) candidates = count;
    }
    __syncthreads();
    for (int i = thread; i < candidates * 3; i += kSegmentThreads) {
      unsigned* const from = reinterpret_cast<unsigned*>(p.counts + image * p.queries) + i;
      reinterpret_cast<unsigned*>(list.counts)[i] = __ldcg(from);
      *from = 0;
    }
    __syncthreads();
    // In the place of its `inside` each candidate's class, where it has a segment, or -1.
    for (int i = thread; i < candidates; i += kSegmentThreads) {
      const CandidateCounts counts = list.counts[i];
      const bool stays = counts.area != 0 && !(static_cast<double>(counts.won) / static_cast<double>(counts.inside) <
                                               static_cast<double>(p.overlap_threshold));
      list.counts[i].inside = stays ? static_cast<unsigned>(p.best[image * p.queries + list.query[i]].class_id) : ~0u;
    }
    __syncthreads();
    if (thread == 0) {
      int segments = 0;
      for (int i = 0; i < candidates; ++i) {
        const int class_id = static_cast<int>(list.counts[i].inside);
        int number = 0;
        if (class_id >= 0) {
          const bool is_thing = p.things == nullptr || p.things[class_id] != 0;
          // Stuff joins the first of its class.
          for (int j = 0; !is_thing && number == 0 && j < i; ++j)
            if (static_cast<int>(list.counts[j].inside) == class_id) number = static_cast<int>(list.counts[j].won);
          if (number == 0) {
            p.records[image * p.queries + segments] = {
                list.query[i], class_id, list.probability[i], is_thing ? 1 : 0, 0, 0x7fffffff, 0x7fffffff, -1, -1, {}};
            number = ++segments;
          }
        }
        list.counts[i].won = static_cast<unsigned>(number);
      }
      p.segments[image] = segments;
    }
    __syncthreads();
    for (int i = thread; i < p.queries; i += kSegmentThreads)
      p.id_of[image * p.queries + i] = i < candidates ? static_cast<int>(list.counts[i].won) : 0;
    __syncthreads();
  }
}

/// Calls f(number, lanes that have it) for the distinct numbers of a warp's lanes, of which those below 0 are none.
template <typename F>
__device__ void for_each_number(int number, F&& f) {
  unsigned left = __ballot_sync(kAllLanes, number >= 0);
  while (left != 0) {
    const int current = __shfl_sync(kAllLanes, number, __ffs(static_cast<int>(left)) - 1);
    const unsigned same = __ballot_sync(kAllLanes, number == current);
    f(current, same);
    left &= ~same;
  }
}

__device__ std::uint64_t place_of(const PictureOfCall& picture, int x, int y) {
  return picture.first_number + static_cast<std::uint64_t>(y) * static_cast<unsigned>(picture.geometry.x.original) +
         static_cast<unsigned>(x);
}

template <typename T>
__device__ void compete(const SegmentMapParams& p) {
  extern __shared__ float shared[];
  __shared__ int listed;
  __shared__ bool last;
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const Candidates list(shared, p.queries);
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
  const PictureCall call = *p.call;
  const Pictures pictures(p.call);
  for (int i = thread; i < p.queries * 3; i += kSegmentThreads) reinterpret_cast<unsigned*>(list.counts)[i] = 0;
  int image = -1, count = 0;
  for (int number = static_cast<int>(blockIdx.x); number < call.tiles; number += static_cast<int>(gridDim.x)) {
    const PictureTile tile = pictures.tile(number, max(image, 0), p.batch, kSegmentColumns, kSegmentRows);
    if (tile.image != image) {
      __syncthreads();
      if (image >= 0) hand_over(p, image, count, list.counts);
      image = tile.image;
      if (thread < 32) {
        const int found = list_candidates(p, image, list);
        if (thread == 0) listed = found;
      }
      __syncthreads();
      count = listed;
    }
    const PictureOfCall& picture = pictures[image];
    const ImageGeometry g = picture.geometry;
    const int x = tile.x + lane, y = tile.y + warp;
    if (y >= g.y.original) continue;  // whole warps
    const bool exists = x < g.x.original;
    const ComposedTap rows = composed_tap(y, g.y, p.masks.height);
    const ComposedTap columns = composed_tap(min(x, g.x.original - 1), g.x, p.masks.width);
    float most = 0;
    int winner = -1;
    for (int k = 0; k < count; ++k) {
      const QueryLogits<T> logits(p.masks, image, list.query[k]);
      float logit = 0;
#pragma unroll
      for (int i = 0; i < ComposedTap::taps; ++i) logit += logits.column(rows, columns.first + i) * columns.weight[i];
      const float here = list.probability[k] * probability_of_logit(logit);
      const bool inside = exists && logit >= 0;
      const unsigned all = __ballot_sync(kAllLanes, inside);
      if (lane == 0 && all != 0) atomicAdd(&list.counts[k].inside, static_cast<unsigned>(__popc(all)));
      if (k == 0 || here > most) {
        most = here;
        winner = 2 * k + (inside ? 1 : 0);
      }
    }
    for_each_number(exists && winner >= 0 ? winner / 2 : -1, [&](int k, unsigned same) {
      const unsigned inside = __ballot_sync(kAllLanes, winner % 2 == 1) & same;
      if (lane != 0) return;
      atomicAdd(&list.counts[k].won, static_cast<unsigned>(__popc(same)));
      if (inside != 0) atomicAdd(&list.counts[k].area, static_cast<unsigned>(__popc(inside)));
    });
    if (exists) call.numbers[place_of(picture, x, y)] = winner;
  }
  __syncthreads();
  if (image >= 0) hand_over(p, image, count, list.counts);

  // The last block of the grid sees the counts of all (CUDA C++ Programming Guide, "Memory Fence Functions").
  __threadfence();
  __syncthreads();
  if (thread == 0) last = atomicAdd(p.blocks_done, 1u) == gridDim.x - 1;
  __syncthreads();
  if (!last) return;
  __threadfence();
  name_segments(p, list);
  if (thread == 0) atomicExch(p.blocks_done, 0u);
}

/// What a block has seen of a segment.
struct Seen {
  unsigned area;
  int left, top, right, bottom;
};

__device__ void clear(Seen& seen) { seen = {0, 0x7fffffff, 0x7fffffff, -1, -1}; }

}  // namespace

extern "C" {
__global__ void __launch_bounds__(kSegmentThreads) compete_for_pixels_f32(const __grid_constant__ SegmentMapParams p) {
  compete<float>(p);
}
__global__ void __launch_bounds__(kSegmentThreads) compete_for_pixels_f16(const __grid_constant__ SegmentMapParams p) {
  compete<__half>(p);
}

__global__ void __launch_bounds__(kSegmentThreads) paint_segments(const __grid_constant__ SegmentMapParams p) {
  extern __shared__ float shared[];
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  int* const id_of = reinterpret_cast<int*>(shared);
  Seen* const seen = reinterpret_cast<Seen*>(shared + p.queries);
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
  const PictureCall call = *p.call;
  const Pictures pictures(p.call);
  int image = -1;
  // By all threads of a block, between barriers.
  const auto hand_over = [&] {
    for (int i = thread; i < p.segments[image]; i += kSegmentThreads) {
      if (seen[i].area == 0) continue;
      SegmentRecord& record = p.records[image * p.queries + i];
      atomicAdd(&record.area, seen[i].area);
      atomicMin(&record.left, seen[i].left);
      atomicMin(&record.top, seen[i].top);
      atomicMax(&record.right, seen[i].right);
      atomicMax(&record.bottom, seen[i].bottom);
    }
  };
  for (int number = static_cast<int>(blockIdx.x); number < call.tiles; number += static_cast<int>(gridDim.x)) {
    const PictureTile tile = pictures.tile(number, max(image, 0), p.batch, kSegmentColumns, kSegmentRows);
    if (tile.image != image) {
      __syncthreads();
      if (image >= 0) hand_over();
      __syncthreads();
      image = tile.image;
      for (int i = thread; i < p.queries; i += kSegmentThreads) {
        id_of[i] = p.id_of[image * p.queries + i];
        clear(seen[i]);
      }
      __syncthreads();
    }
    const PictureOfCall& picture = pictures[image];
    const int x = tile.x + lane, y = tile.y + warp;
    if (y >= picture.geometry.y.original) continue;  // whole warps
    const bool exists = x < picture.geometry.x.original;
    int id = 0;
    if (exists) {
      std::int32_t* const place = call.numbers + place_of(picture, x, y);
      const int winner = *place;
      id = winner >= 0 && winner % 2 == 1 ? id_of[winner / 2] : 0;
      *place = id;
    }
    for_each_number(id - 1, [&](int segment, unsigned same) {
      if (lane != 0) return;
      Seen& to = seen[segment];
      atomicAdd(&to.area, static_cast<unsigned>(__popc(same)));
      atomicMin(&to.left, tile.x + __ffs(static_cast<int>(same)) - 1);
      atomicMax(&to.right, tile.x + 31 - __clz(static_cast<int>(same)));
      atomicMin(&to.top, y);
      atomicMax(&to.bottom, y);
    });
  }
  __syncthreads();
  if (image >= 0) hand_over();
}
}

}  // namespace maskrt::kernels::cuda
