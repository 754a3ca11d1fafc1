// Attention on tensor cores: out[b, n, h, :] = sum over keys k of softmax_k(scale * queries[b, n, h, :] . keys[b, k, h,
// :]) * values[b, k, h, :]; queries [B, N, heads * C], keys [B, K, heads * C], values [B, K, heads * D], out [B, N,
// heads * D]; C and D multiples of 8, at most 32, 64 or 128. Queries and out fp16 or fp32, keys and values fp16 or
// fp32, fp32 being rounded to fp16; scores, softmax and results in fp32, weights rounded to fp16.
//
// A block of 4 warps computes tiles of 128 queries (64 of wide heads) by one head. A warp has 32 queries (16) to
// itself: their fragments stay in registers while it goes over all keys, 32 at a time, so that scores never leave
// registers: the accumulators of the first product are the fragments of the second one's left operand. The softmax is
// computed online: where a step has a larger score than all before, the results so far are scaled.
// Keys and values of 64 keys are one pipeline stage in shared memory (cp.async; sm_75: synchronous copies). Few keys
// stay there while the block loops over its tiles of queries; many are loaded for each tile, stage by stage, the first
// of the next tile while the last of this one are multiplied. Chunks of 16 bytes are swizzled: neither the reads of
// keys (16 bytes a lane, the permutation of k of fragments.cuh, as queries come from global memory) nor those of values
// (ldmatrix.trans) have bank conflicts.
// Example: 160 x 216 queries, 20 x 27 keys, one head of 64 channels: 270 tiles of queries; 9 stages of keys, the last
// of which has 28: its second step is left out, and in the first 4 keys get the score -infinity. They are zeros in
// shared memory.
// Few queries on many keys, such as queries of objects on the pixels of a map, fill a chip by splits: blocks that go
// over a part of the keys each and leave their largest scores, sums and results, not divided, for attention_finish
// (attention_masks.cu). Those kernels also take masks, as words of 32 keys, one for each query and step: the scores of
// keys that are left out become -infinity. A query that would leave out all leaves out none. Example: 108 queries, 100
// of them masked, on 80 x 108 keys in 8 heads of 32 channels: 1 tile, 8 heads, 16 splits of 8 or 9 stages of keys.
// Bound by the tensor cores and the exponentials (SFU) where keys are many; with 49 keys by memory, from which each
// query is read, and to which each result is written, once.
// Launch: grid [ceil(tiles of queries / tiles) x splits, heads, B], B at most 65535; 128 threads, dynamic shared memory
// of `stages` stages, and under masks a word for each query of a tile.
#include "attention_params.h"
#include "kernels/cuda/fragments.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/approximate.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "kernels/ptx/ldmatrix.cuh"
#include "kernels/ptx/shared_address.cuh"
#include "kernels/ptx/special_registers.cuh"
#if __CUDA_ARCH__ >= 800
#include "kernels/ptx/cp_async.cuh"
#endif

namespace maskrt::kernels::cuda {
namespace {

constexpr int kStep = 32;  // keys of one step

/// Swizzles: the place, within a row of `width` channels, of a row's chunk of 16 bytes. Two neighbouring rows of keys
/// are read 64 bytes each at a time; eight neighbouring rows of values 16 bytes each.
template <int width>
__device__ constexpr int key_place(int row, int chunk) {
  return width == 32 ? chunk : chunk ^ (row % 2 * 4);
}
template <int width>
__device__ constexpr int value_place(int row, int chunk) {
  return width == 32 ? chunk ^ (row / 2 % 4) : chunk ^ (row % 8);
}

/// Loads eight neighbouring channels and rounds them to fp16.
__device__ inline Eight load_rounded(const float* from) {
  const Octet o = load_octet(from);
  return {{packed(o.v[0], o.v[1]), packed(o.v[2], o.v[3]), packed(o.v[4], o.v[5]), packed(o.v[6], o.v[7])}};
}
__device__ inline Eight load_rounded(const __half* from) { return load_eight(from); }

/// Whether keys of that type go to shared memory without passing through registers.
template <typename T>
#if __CUDA_ARCH__ >= 800
constexpr bool kDirect = sizeof(T) == 2;
#else
constexpr bool kDirect = false;
#endif
/// Blocks that a multiprocessor holds: sm_75 has shared memory for two.
template <int width, bool split>
#if __CUDA_ARCH__ >= 800
constexpr int kResident = split ? AttentionMmaTile<width>::kResidentSplit : AttentionMmaTile<width>::kResident;
#else
constexpr int kResident = 2;
#endif

/// Starts the copy of a chunk of eight channels to shared memory; zeros where it does not exist.
template <typename T>
__device__ void copy_chunk(const T* from, bool exists, std::uint32_t to) {
#if __CUDA_ARCH__ >= 800
  if constexpr (kDirect<T>) {
    ptx::cp_async_16_or_zeros(to, from, !exists);
    return;
  }
#endif
  const Eight e = exists ? load_rounded(from) : Eight{};
  ptx::store_shared(to, make_uint4(e.pair[0], e.pair[1], e.pair[2], e.pair[3]));
}

/// Starts the copies of a tile of keys or values, whose heads have `head_width` channels, to shared memory at `to`;
/// zeros beyond the last key and the head. Each thread has the same chunk of every kRows-th row. Nothing of it is kept
/// in registers across the main loop.
template <int width, typename T, typename Place>
__device__ void load_rows(const AttentionParams& p, const Map& map, int head_width, int first, std::uint32_t to,
                          Place&& place) {
  using Tile = AttentionMmaTile<width>;
  constexpr int kChunks = width / 8, kRows = Tile::kThreads / kChunks;
  static_assert(kRows % 8 == 0, "a thread's place is the same in all of its rows");
  const int thread = static_cast<int>(ptx::thread_index()), chunk = thread % kChunks, row = thread / kChunks;
  const T* from = pixel_of<const T>(map, static_cast<int>(blockIdx.z), first + row) +
                  static_cast<int>(blockIdx.y) * head_width + chunk * 8;
  to += (row * kChunks + place(row, chunk)) * 16;
  // Copies through registers: four are in flight, of fp32, which takes twice as many registers, one.
  constexpr int kInFlight = kDirect<T> ? Tile::kKeys / kRows : sizeof(T) == 2 ? 4 : 1;
#pragma unroll kInFlight
  for (int i = 0; i < Tile::kKeys / kRows; ++i) {
    copy_chunk(from, first + row + i * kRows < p.key_count && chunk * 8 < head_width, to + i * kRows * kChunks * 16);
    from += static_cast<std::int64_t>(kRows) * map.pixel_stride;
  }
}

/// Starts the copies of a tile of keys and values into the stage at `to`. Commits one cp.async group.
template <int width>
__device__ void load_stage(const AttentionParams& p, int tile, std::uint32_t to) {
  using Tile = AttentionMmaTile<width>;
  const int first = tile * Tile::kKeys;
  const std::uint32_t values = to + Tile::kStageBytes / 2;
  if (p.keys_f32 != 0) {
    load_rows<width, float>(p, p.keys, p.key_width, first, to, key_place<width>);
    load_rows<width, float>(p, p.values, p.value_width, first, values, value_place<width>);
  } else {
    load_rows<width, __half>(p, p.keys, p.key_width, first, to, key_place<width>);
    load_rows<width, __half>(p, p.values, p.value_width, first, values, value_place<width>);
  }
#if __CUDA_ARCH__ >= 800
  ptx::cp_async_commit();
#endif
}

/// The largest, or the sum, of `value` over the four lanes that share a row of accumulators.
__device__ inline float largest_of_quad(float value) {
  value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 1));
  return fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 2));
}

__device__ inline float sum_of_quad(float value) {
  value += __shfl_xor_sync(0xffffffffu, value, 1);
  return value + __shfl_xor_sync(0xffffffffu, value, 2);
}

/// A warp's tile of queries: their fragments, and softmax and results as far as keys have been seen. Rows of
/// accumulators: element 0 and 1 are row lane / 4 of an mma tile, 2 and 3 row lane / 4 + 8.
/// `split`: under masks, or as one of several splits.
template <int width, bool split>
class QueryTile {
 public:
  using Tile = AttentionMmaTile<width>;
  static constexpr int kRowTiles = Tile::kRowTiles, kSlices = width / 32, kChannelTiles = width / 8;

  /// `first`: the block's first query.
  __device__ QueryTile(const AttentionParams& p, int first) : p_(p), first_(first) {
    const int lane = lane_of();
    value_at_ = lane % 16 * kRowBytes + value_place<width>(lane % 16, lane / 16) * 16;
#pragma unroll
    for (int s = 0; s < kSlices; ++s)
      key_at_[s] = lane / 4 * kRowBytes + key_place<width>(lane / 4, s * 4 + lane % 4) * 16;
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half) largest_[m][half] = -INFINITY;
    if (p.queries_f32 != 0)
      load<float>();
    else
      load<__half>();
    if constexpr (split) {
      if (p.left_out != nullptr) find_heeded();
    }
  }

  /// Adds kStep keys from `first_key` on, of which `left` exist. `keys` and `values`: shared addresses of the step's
  /// first rows.
  __device__ void add(std::uint32_t keys, std::uint32_t values, int first_key, int left) {
    float scores[kRowTiles][kStep / 8][4] = {};
    score(keys, scores);
    if constexpr (split) {
      if (heeded_ != 0) leave_out(first_key / kStep, scores);
    }
    if (left < kStep) {
      const int quarter = lane_of() % 4;
#pragma unroll
      for (int j = 0; j < kStep / 8; ++j)
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          if (j * 8 + quarter * 2 + i < left) continue;
#pragma unroll
          for (int m = 0; m < kRowTiles; ++m) scores[m][j][i] = scores[m][j][2 + i] = -INFINITY;
        }
    }
    weigh(scores);
#pragma unroll
    for (int k = 0; k < kStep / 16; ++k) {
      std::uint32_t weights[kRowTiles][4];
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
        for (int i = 0; i < 4; ++i)
          weights[m][i] = packed(scores[m][2 * k + i / 2][i % 2 * 2], scores[m][2 * k + i / 2][i % 2 * 2 + 1]);
      }
      // ldmatrix: matrices 1 and 3 are 8 keys further, 2 and 3 are 8 channels further.
#pragma unroll
      for (int c = 0; c < kChannelTiles; c += 2) {
        std::uint32_t x[4];
        ptx::ldmatrix_x4_trans(x, ((values + value_at_) ^ (c * 16)) + k * 16 * kRowBytes);
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
          multiply_16(results_[m][c], weights[m], x[0], x[1]);
          multiply_16(results_[m][c + 1], weights[m], x[2], x[3]);
        }
      }
    }
  }

  __device__ void store() const {
    if constexpr (split) {
      if (p_.splits > 1) return store_partials();
    }
    if (p_.queries_f32 != 0)
      store_as<float>();
    else
      store_as<__half>();
  }

 private:
  static constexpr int kRowBytes = width * 2;

  // Read where they are needed instead of occupying registers across the main loop.
  __device__ static int lane_of() { return static_cast<int>(ptx::thread_index() % 32); }
  /// The query of this lane's first row of accumulators.
  __device__ int first_row() const {
    return first_ + static_cast<int>(ptx::thread_index() / 32) * 16 * kRowTiles + lane_of() / 4;
  }

  /// Loads the fragments, 16 bytes of a query at a time.
  template <typename T>
  __device__ void load() {
    const int queries = p_.out.height * p_.out.width, quarter = lane_of() % 4, row = first_row();
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int query = row + m * 16 + half * 8;
        const T* const from = pixel_of<const T>(p_.queries, static_cast<int>(blockIdx.z), query) +
                              static_cast<int>(blockIdx.y) * p_.key_width + quarter * 8;
#pragma unroll
        for (int s = 0; s < kSlices; ++s) {
          const auto exists = [&](int chunk) { return query < queries && s * 32 + chunk * 8 < p_.key_width; };
          Eight eight{};
          if constexpr (sizeof(T) == 4)
            eight = load_in_pairs(from - quarter % 2 * 8 + s * 32, exists(quarter & 2), exists(quarter | 1));
          else if (exists(quarter))
            eight = load_rounded(from + s * 32);
#pragma unroll
          for (int i = 0; i < 4; ++i) queries_[m][s][i / 2][i % 2 * 2 + half] = eight.pair[i] | p_.zero;
        }
      }
  }

  template <typename T>
  __device__ void store_as() const {
    const int queries = p_.out.height * p_.out.width, quarter = lane_of() % 4, row = first_row();
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int query = row + m * 16 + half * 8;
        const bool exists = query < queries;
        const float factor = ptx::reciprocal_approximate(sum_of_quad(sums_[m][half]));
        T* const to =
            pixel_of<T>(p_.out, static_cast<int>(blockIdx.z), query) + static_cast<int>(blockIdx.y) * p_.value_width;
#pragma unroll
        for (int c = 0; c < kChannelTiles; c += 2) {
          const auto value = [&](int tile, int i) { return results_[m][c + tile][half * 2 + i] * factor; };
          if constexpr (sizeof(T) == 4) {
            // Four lanes store a sector of each tile.
#pragma unroll
            for (int tile = 0; tile < 2; ++tile)
              if (exists && (c + tile) * 8 < p_.value_width)
                *reinterpret_cast<float2*>(to + (c + tile) * 8 + quarter * 2) =
                    make_float2(value(tile, 0), value(tile, 1));
          } else {
            // Pairs of lanes exchange two channels, so that each has four neighbours and four lanes store a sector:
            // even lanes get the first tile's, odd ones the second's.
            const std::uint32_t first = packed(value(0, 0), value(0, 1)), second = packed(value(1, 0), value(1, 1));
            const bool odd = quarter % 2 != 0;
            const std::uint32_t got = __shfl_xor_sync(0xffffffffu, odd ? first : second, 1);
            const int tile = c + (odd ? 1 : 0);
            if (exists && tile * 8 < p_.value_width)
              *reinterpret_cast<uint2*>(to + tile * 8 + quarter / 2 * 4) =
                  odd ? make_uint2(got, second) : make_uint2(first, got);
          }
        }
      }
  }

  /// Finds whose masks leave a key. The four lanes that share rows share the chunks.
  __device__ void find_heeded() {
    const int row = first_row(), quarter = lane_of() % 4;
#pragma unroll
    for (int i = 0; i < 2 * kRowTiles; ++i) {
      const int query = row + i * 8;
      std::uint32_t open = 0;
      if (query < p_.masked_queries)
        for (int chunk = quarter; chunk < p_.mask_chunks; chunk += 4)
          open |= p_.open[(static_cast<std::int64_t>(blockIdx.z) * p_.mask_chunks + chunk) * p_.mask_stride + query];
      open |= __shfl_xor_sync(0xffffffffu, open, 1);
      open |= __shfl_xor_sync(0xffffffffu, open, 2);
      if (open != 0) heeded_ |= 1u << i;
    }
  }

  /// The scores of keys that masks leave out become -infinity. `word`: 32 keys.
  __device__ void leave_out(int word, float (&scores)[kRowTiles][kStep / 8][4]) const {
    static_assert(kStep == 32);
    const std::uint32_t* const words =
        p_.left_out + (static_cast<std::int64_t>(blockIdx.z) * p_.mask_words + word) * p_.mask_stride;
    const int row = first_row(), quarter = lane_of() % 4;
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int query = row + m * 16 + half * 8;
        const std::uint32_t out = (heeded_ >> (m * 2 + half) & 1) != 0 ? words[query] >> (quarter * 2) : 0;
#pragma unroll
        for (int j = 0; j < kStep / 8; ++j)
#pragma unroll
          for (int i = 0; i < 2; ++i)
            if ((out >> (j * 8 + i) & 1) != 0) scores[m][j][half * 2 + i] = -INFINITY;
      }
  }

  /// What this split found, for attention_finish.
  __device__ void store_partials() const {
    const int queries = p_.out.height * p_.out.width, quarter = lane_of() % 4, row = first_row();
    const std::int64_t heads = gridDim.y,
                       part = ((static_cast<std::int64_t>(blockIdx.z) * heads + blockIdx.y) * p_.splits +
                               static_cast<int>(blockIdx.x) % p_.splits) *
                              queries;
    float* const statistics = p_.partials + gridDim.z * heads * p_.splits * queries * p_.value_width;
    // Heads innermost: whoever adds up has several of them.
    const std::int64_t first_statistic =
        (static_cast<std::int64_t>(blockIdx.z) * p_.splits + static_cast<int>(blockIdx.x) % p_.splits) * queries *
            heads +
        blockIdx.y;
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int query = row + m * 16 + half * 8;
        const float sum = sum_of_quad(sums_[m][half]);
        if (query >= queries) continue;
        if (quarter == 0)
          *reinterpret_cast<float2*>(statistics + (first_statistic + query * heads) * 2) =
              make_float2(largest_[m][half], sum);
        float* const to = p_.partials + (part + query) * p_.value_width + quarter * 2;
#pragma unroll
        for (int c = 0; c < kChannelTiles; ++c)
          if (c * 8 < p_.value_width)
            *reinterpret_cast<float2*>(to + c * 8) =
                make_float2(results_[m][c][half * 2], results_[m][c][half * 2 + 1]);
      }
  }

  __device__ void score(std::uint32_t keys, float (&scores)[kRowTiles][kStep / 8][4]) const {
#pragma unroll
    for (int j = 0; j < kStep / 8; ++j)
#pragma unroll
      for (int s = 0; s < kSlices; ++s) {
        std::uint32_t key[4];
        ptx::load_shared(key, keys + key_at_[s] + j * 8 * kRowBytes);
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
          multiply_16(scores[m][j], queries_[m][s][0], key[0], key[1]);
          multiply_16(scores[m][j], queries_[m][s][1], key[2], key[3]);
        }
      }
  }

  /// Scores become weights, relative to the largest score so far, to which sums and results are scaled.
  __device__ void weigh(float (&scores)[kRowTiles][kStep / 8][4]) {
    float most[kRowTiles][2];
    bool grows = false;
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float largest = largest_[m][half];
#pragma unroll
        for (int j = 0; j < kStep / 8; ++j)
          largest = fmaxf(largest, fmaxf(scores[m][j][half * 2], scores[m][j][half * 2 + 1]));
        most[m][half] = largest_of_quad(largest);
        grows = grows || most[m][half] > largest_[m][half];
      }
    // Mostly the first steps have the largest scores.
    if (__any_sync(0xffffffffu, grows)) {
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          // Before the first step the largest is -infinity: 0 of the sums, which are 0, is kept.
          const bool row_grows = most[m][half] > largest_[m][half];
          scale_row(m, half, row_grows ? ptx::exp2_approximate((largest_[m][half] - most[m][half]) * p_.scale) : 1.0f);
          largest_[m][half] = most[m][half];
        }
    }
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        // Weights of scores that are all -infinity are 0.
        const float shift = largest_[m][half] == -INFINITY ? 0.0f : -largest_[m][half] * p_.scale;
#pragma unroll
        for (int j = 0; j < kStep / 8; ++j)
#pragma unroll
          for (int i = half * 2; i < half * 2 + 2; ++i) {
            scores[m][j][i] = ptx::exp2_approximate(fmaf(scores[m][j][i], p_.scale, shift));
            sums_[m][half] += scores[m][j][i];
          }
      }
  }
  __device__ void scale_row(int m, int half, float factor) {
    sums_[m][half] *= factor;
#pragma unroll
    for (int c = 0; c < kChannelTiles; ++c) results_[m][c][half * 2] *= factor, results_[m][c][half * 2 + 1] *= factor;
  }

  const AttentionParams& p_;
  const int first_;
  std::uint32_t heeded_ = 0;  // bit m * 2 + half: whether the row of accumulators has a mask that leaves a key
  /// Offsets of this lane's chunk of each slice of a key, and of its row of values for ldmatrix, whose chunk c is at
  /// value_at_ ^ (c * 16).
  std::uint32_t key_at_[kSlices];
  std::uint32_t value_at_;
  std::uint32_t queries_[kRowTiles][kSlices][2][4];  // fragments of two products over 16 channels of a slice each
  float largest_[kRowTiles][2];
  float sums_[kRowTiles][2] = {};  // of this lane's columns
  float results_[kRowTiles][kChannelTiles][4] = {};
};

template <int width, bool split>
__device__ void attention(const AttentionParams& p) {
  using Tile = AttentionMmaTile<width>;
  extern __shared__ __align__(256) unsigned char shared[];
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int part = split ? static_cast<int>(blockIdx.x) % p.splits : 0, parts = split ? p.splits : 1;
  const int first_tile = p.key_tiles * part / parts, key_tiles = p.key_tiles * (part + 1) / parts - first_tile;
  const int begin = static_cast<int>(blockIdx.x) / parts * p.tiles * Tile::kQueries;
  const int end = min(begin + p.tiles * Tile::kQueries, p.out.height * p.out.width);
  const std::uint32_t stages = ptx::shared_address(shared);

  const auto load = [&](int tile, int stage) {
    load_stage<width>(p, first_tile + tile, stages + stage * Tile::kStageBytes);
  };
  const bool stay = key_tiles <= p.stages;
  // Where keys stay, all of them are loaded here; else as many stages as are ahead.
  const int ahead = stay ? key_tiles : p.stages - 1;
  for (int key_tile = 0; key_tile < ahead; ++key_tile) load(key_tile, key_tile);
#if __CUDA_ARCH__ >= 800
  if (stay) ptx::cp_async_wait<0>();
#endif
  if (stay) __syncthreads();
  int stage = 0;
  for (int first = begin; first < end; first += Tile::kQueries) {
    QueryTile<width, split> rows(p, first);
    for (int key_tile = 0; key_tile < key_tiles; ++key_tile) {
      if (!stay) {
#if __CUDA_ARCH__ >= 800
        if (p.stages > 2)
          ptx::cp_async_wait<1>();
        else
          ptx::cp_async_wait<0>();
#endif
        // After this barrier all warps have multiplied the stage before, which the next copies overwrite.
        __syncthreads();
        const int next = key_tile + ahead;
        if (next < key_tiles || first + Tile::kQueries < end)
          load(next < key_tiles ? next : next - key_tiles, stage == 0 ? ahead : stage - 1);
#if __CUDA_ARCH__ >= 800
        else
          ptx::cp_async_commit();
#endif
      }
      const std::uint32_t keys = stages + stage * Tile::kStageBytes, values = keys + Tile::kStageBytes / 2;
      const int first_key = (first_tile + key_tile) * Tile::kKeys, left = p.key_count - first_key;
#pragma unroll 1
      for (int step = 0; step < Tile::kKeys; step += kStep) {
        if (step >= left) break;
        rows.add(keys + step * width * 2, values + step * width * 2, first_key + step, left - step);
      }
      stage = stage + 1 == (stay ? key_tiles : p.stages) ? 0 : stage + 1;
    }
    rows.store();
  }
}

}  // namespace

#define MASKRT_ATTENTION(name, width, split)                                                    \
  __global__ void __launch_bounds__(AttentionMmaTile<width>::kThreads, kResident<width, split>) \
      name(const __grid_constant__ AttentionParams p) {                                         \
    attention<width, split>(p);                                                                 \
  }
extern "C" {
MASKRT_ATTENTION(attention_mma_32, 32, false)
MASKRT_ATTENTION(attention_mma_64, 64, false)
MASKRT_ATTENTION(attention_mma_128, 128, false)
MASKRT_ATTENTION(attention_split_32, 32, true)
MASKRT_ATTENTION(attention_split_64, 64, true)
MASKRT_ATTENTION(attention_split_128, 128, true)
}
#undef MASKRT_ATTENTION

}  // namespace maskrt::kernels::cuda
