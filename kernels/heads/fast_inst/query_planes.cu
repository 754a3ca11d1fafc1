// Mask logits [B, h, w, Q] of fp16 or fp32 to one plane for each query, as mask_words.cu reads them; where each query's
// logits are positive; and the jobs of the queries whose masks are wanted.
//
// A block of 8 warps has 32 columns by 8 rows and 32 queries: a warp stages a row's logits in shared memory with lanes
// as queries, and writes them with lanes as columns; a ballot of the positive ones is the row's part of the query's
// box, which blocks put together by maxima of integers. The last block to finish makes the jobs, in the order of images
// and queries, and sets the boxes to zero again.
// Example: 76 x 108 logits of 100 queries are 4 x 10 tiles and 4 chunks of queries, 160 blocks an image; the last tile
// of a row has 12 columns, the last chunk 4 queries.
// Bound by memory: logits are read and written once.
// Launch: grid [tiles, chunks of queries, B], 256 threads, 34 KB of static shared memory.
#include "kernels/cuda/octet.cuh"
#include "kernels/masks/place_masks.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "pairs.cuh"

namespace maskrt::kernels::cuda {
namespace {

/// Reads a number that other blocks have changed and sets it to 0. Bypasses L1, which may hold a stale value.
__device__ unsigned take(std::uint32_t* number) {
  const unsigned found = __ldcg(number);
  *number = 0;
  return found;
}

/// By the last block alone.
__device__ void make_jobs(const QueryPlanesParams& p) {
  const MaskCall& call = *p.call;
  const QueryMasks& masks = p.queries;
  const auto* const images = reinterpret_cast<const ImageGeometry*>(p.call + 1);
  const int thread = static_cast<int>(threadIdx.x), queries = p.masks.channels, entries = p.batch * queries;
  for (int i = thread; i < entries; i += kPlaneThreads) masks.has_a_pair[i] = 0;
  __syncthreads();
  for (int i = thread; i < p.batch * p.pairs.count; i += kPlaneThreads) {
    const QueryClassPair pair = pair_of(p.pairs, i);
    if (may_be_instance(p.pairs, pair, call.minimum_score))
      masks.has_a_pair[i / p.pairs.count * queries + pair.query] = 1;
  }
  __syncthreads();
  InstanceCounts before{};
  for (int base = 0; base < entries; base += kPlaneThreads) {
    const int entry = base + thread;
    InstanceRecord record{};
    InstanceCounts mine{};
    if (entry < entries) {
      record.image = entry / queries;
      record.query = entry - record.image * queries;
      const int at = record.image * p.reach.stride + record.query;
      const Reach reach{take(p.reach.from_right + at), take(p.reach.right + at), take(p.reach.from_bottom + at),
                        take(p.reach.bottom + at)};
      record.left = record.top = 0x7fffffff;
      record.right = record.bottom = -1;
      if (masks.has_a_pair[entry] != 0) {
        if (reach.right != 0) place_box(reach, p.masks.width, p.masks.height, images[record.image], record);
        mine = {1, tiles_of(record.columns, record.words), words_of(record)};
      }
    }
    InstanceCounts total;
    const InstanceCounts place = before + scan_exclusive<kPlaneThreads>(mine, total);
    if (mine.instances != 0) {
      record.first_word_of = place.words;
      masks.records[place.instances] = record;
      masks.inside[place.instances] = 0;
      masks.jobs.jobs[place.instances] = {place.words,  record.first_column, record.columns, record.first_word,
                                          record.words, place.tiles,         entry};
      masks.jobs.first_tiles[place.instances] = place.tiles;
    }
    if (entry < entries) masks.job_of[entry] = mine.instances != 0 ? static_cast<int>(place.instances) : -1;
    before = before + total;
  }
  if (thread == 0)
    *masks.header = {before.instances,
                     before.tiles,
                     call.masks != 0 ? before.words : 0,
                     0,
                     static_cast<std::uint32_t>(call.masks),
                     {}};
}

template <typename T>
__device__ void query_planes(const QueryPlanesParams& p) {
  __shared__ float staged[kPlaneRows][kPlaneColumns][kPlaneQueries + 1];
  __shared__ unsigned reach[4][kPlaneQueries];
  __shared__ bool last;
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
  const int b = static_cast<int>(blockIdx.z), first = static_cast<int>(blockIdx.y) * kPlaneQueries;
  const int tile = static_cast<int>(blockIdx.x), down = tile / p.tiles_across;
  const int x = (tile - down * p.tiles_across) * kPlaneColumns, y = down * kPlaneRows + warp;
  const int queries = p.masks.channels, width = p.masks.width;
  if (thread < 4 * kPlaneQueries) reach[thread / kPlaneQueries][thread % kPlaneQueries] = 0;
  __syncthreads();
  if (y < p.masks.height) {
    const T* const row = pixel_of<const T>(p.masks, b, y * width + x) + first + lane;
    // Padding channels fill the last sector.
    const bool exists = first + lane < p.masks.block;
#pragma unroll 8
    for (int i = 0; i < kPlaneColumns; ++i)
      staged[warp][i][lane] =
          exists && x + i < width ? widen(row[static_cast<std::int64_t>(i) * p.masks.pixel_stride]) : 0.0f;
    __syncwarp();
    unsigned positive = 0;  // of the query that is this lane's, by columns
    T* to = static_cast<T*>(p.planar.data) +
            ((static_cast<std::int64_t>(b) * queries + first) * p.planar.height + y) * p.planar.pitch + x + lane;
    const std::int64_t plane = static_cast<std::int64_t>(p.planar.height) * p.planar.pitch;
#pragma unroll 8
    for (int q = 0; q < kPlaneQueries; ++q, to += plane) {
      const float value = staged[warp][lane][q];
      if (first + q < queries && x + lane < p.planar.pitch) *to = narrow<T>(value);
      const unsigned columns = __ballot_sync(0xffffffffu, value > 0);
      if (lane == q) positive = columns;
    }
    if (positive != 0) {
      const int low = x + __ffs(static_cast<int>(positive)) - 1, high = x + 31 - __clz(static_cast<int>(positive));
      atomicMax(&reach[0][lane], static_cast<unsigned>(width - low));
      atomicMax(&reach[1][lane], static_cast<unsigned>(high + 1));
      atomicMax(&reach[2][lane], static_cast<unsigned>(p.masks.height - y));
      atomicMax(&reach[3][lane], static_cast<unsigned>(y + 1));
    }
  }
  __syncthreads();
  if (thread < kPlaneQueries && first + thread < queries && reach[1][thread] != 0) {
    const int at = b * p.reach.stride + first + thread;
    atomicMax(p.reach.from_right + at, reach[0][thread]);
    atomicMax(p.reach.right + at, reach[1][thread]);
    atomicMax(p.reach.from_bottom + at, reach[2][thread]);
    atomicMax(p.reach.bottom + at, reach[3][thread]);
  }

  // The last block of the grid sees what all have done (CUDA C++ Programming Guide, "Memory Fence Functions").
  __threadfence();
  __syncthreads();
  if (thread == 0) last = atomicAdd(p.blocks_done, 1u) == gridDim.x * gridDim.y * gridDim.z - 1;
  __syncthreads();
  if (!last) return;
  __threadfence();
  make_jobs(p);
  if (thread == 0) atomicExch(p.blocks_done, 0u);
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(kPlaneThreads) query_planes_f32(const __grid_constant__ QueryPlanesParams p) {
  query_planes<float>(p);
}
__global__ void __launch_bounds__(kPlaneThreads) query_planes_f16(const __grid_constant__ QueryPlanesParams p) {
  query_planes<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
