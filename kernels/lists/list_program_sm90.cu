// A list program: linear layers, norms, sums, copies and attention on lists of a few rows, one after the other in one
// launch (sm_90). What queries go through between two looks at a map are some twenty steps of a microsecond of work
// each: as launches of their own they would wait for one another longer than they compute.
//
// A cluster of 8 blocks has an image. Lists are in global memory, that is in L2, in fp32, or in fp16 where linear
// layers alone read them, which round their rows to fp16 in any case; a cluster barrier stands between a step and those
// that read what other blocks have written, and nothing else is exchanged. Of a linear layer out = activation(a
// weight^T + bias) each block computes an eighth of the columns for all rows: a warp has 16 rows, whose fragments it
// loads once, rounded to fp16, and keeps in registers for all columns, those of further layers with the same input
// among them; products on tensor cores with fp32 accumulators. The weights of all linear layers are one stream of
// pieces of 32 columns by 256 elements, which runs ahead of the steps through a ring of 4 stages in shared memory
// (cp.async): the first pieces travel before the preceding grid has completed, later ones during barriers, norms and
// attention. Sums, norms, copies, the rows of a map at given positions and the sum over the splits of attention to a
// map (attention_mma.cu) take a warp for a row, the warps of all blocks in turn: a row stays with its warp, and where
// it can in registers, from one to the next. Attention takes a block for a head: keys and values are staged in shared
// memory as fp16, a warp has 16 queries and all their scores in registers. Example: 108 rows of 256 channels, 8 heads.
// A layer of 256 columns is 4 tiles of 8 columns for each block, one piece; the first 6 warps have 16 rows each, the
// seventh 12, the eighth none: it takes part in loads and barriers. A layer of 1024 inputs is 4 pieces, between which
// the accumulators stay; one of 257 columns is 33 tiles, 5 for each of 6 blocks, 3 for the seventh. Attention: 14 tiles
// of 8 keys, of which the last has 4; their scores are -infinity. Bound by latency: L2's at the start of each step, the
// barriers, and the weights' way from memory into 8 multiprocessors. Launch: grid [8, B], clusters of [8, 1], 256
// threads, 92672 bytes of dynamic shared memory, programmatic dependent launch.
#include "kernels/cuda/activate.cuh"
#include "kernels/cuda/fragments.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/approximate.cuh"
#include "kernels/ptx/cluster.cuh"
#include "kernels/ptx/cp_async.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "kernels/ptx/ldmatrix.cuh"
#include "kernels/ptx/shared_address.cuh"
#include "list_program_params.h"

namespace maskrt::kernels::cuda {
namespace {

using Tile = ListTile;
constexpr int kPieceTiles = Tile::kColumns / 8;  // mma tiles of 8 columns

__device__ __forceinline__ int block_rank() { return static_cast<int>(blockIdx.x); }
__device__ __forceinline__ int warp_index() { return __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x) / 32, 0); }
template <typename T = float>
__device__ __forceinline__ T* row_of(const ListView& list, int row) {
  return static_cast<T*>(list.data) + static_cast<std::int64_t>(blockIdx.y) * list.batch_stride +
         static_cast<std::int64_t>(row) * list.row_stride;
}

/// This block's tiles of 8 columns of a linear layer: [first, end).
struct OwnTiles {
  int first, end;
  __device__ __forceinline__ explicit OwnTiles(const ListStep& step) {
    const int all = (step.block + 7) / 8, each = (all + Tile::kBlocks - 1) / Tile::kBlocks;
    first = min(block_rank() * each, all);
    end = min(first + each, all);
  }
};

/// The stream of this block's pieces of weights: in the order of linear layers, passes over the rows, tiles, depth.
/// All threads call its functions alike.
class WeightStream {
 public:
  __device__ __forceinline__ WeightStream(const ListProgramParams& p, unsigned char* shared)
      : p_(p), stages_(reinterpret_cast<__half*>(shared)) {
    find();
    for (int stage = 0; stage + 1 < Tile::kStages; ++stage) load(stage);
  }

  /// Waits for the next piece, [column of the piece][depth], Tile::kWeightStride apart, and starts the copy of the one
  /// three further on. The piece stays until the call after.
  __device__ __forceinline__ const __half* next() {
    ptx::cp_async_wait<Tile::kStages - 2>();
    __syncthreads();  // and all warps have read the piece before, whose stage is filled next
    const int stage = stage_;
    stage_ = (stage_ + 1) % Tile::kStages;
    load((stage + Tile::kStages - 1) % Tile::kStages);
    return stages_ + stage * (Tile::kStageBytes / 2);
  }

 private:
  /// Goes on to the next layer of which this block has columns, from step_ on.
  __device__ __forceinline__ void find() {
    for (; step_ < p_.count; ++step_) {
      if (p_.steps[step_].kind != ListKind::linear) continue;
      const OwnTiles own(p_.steps[step_]);
      if (own.first == own.end) continue;
      tile_ = own.first;
      return;
    }
  }

  __device__ __forceinline__ void load(int stage) {
    if (step_ < p_.count) {
      const ListStep& step = p_.steps[step_];
      const int column = static_cast<int>(threadIdx.x) / 8, end = min(tile_ + kPieceTiles, OwnTiles(step).end);
      const int from_column = tile_ * 8 + column;
      const std::uint32_t to =
          ptx::shared_address(stages_ + stage * (Tile::kStageBytes / 2) + column * Tile::kWeightStride);
      const auto* const from = static_cast<const __half*>(step.weight);
      if (from_column < end * 8) {
        const bool exists = from_column < step.out_channels;
        const __half* const row = from + (exists ? static_cast<std::int64_t>(from_column) * step.weight_stride : 0);
        const int depth = min(step.channels - depth_, Tile::kDepth);
        for (int k = static_cast<int>(threadIdx.x) % 8 * 8; k < depth; k += 64)
          ptx::cp_async_16(to + k * sizeof(__half), row + depth_ + k, exists ? 16 : 0);
      }
      // Behind them the columns' biases.
      if (threadIdx.x < Tile::kColumns) {
        const int of_thread = tile_ * 8 + static_cast<int>(threadIdx.x);
        auto* const biases =
            reinterpret_cast<float*>(stages_ + stage * (Tile::kStageBytes / 2) + Tile::kColumns * Tile::kWeightStride);
        biases[threadIdx.x] = step.bias != nullptr && of_thread < step.out_channels ? step.bias[of_thread] : 0.0f;
      }
      advance(step);
    }
    ptx::cp_async_commit();
  }

  __device__ __forceinline__ void advance(const ListStep& step) {
    if ((depth_ += Tile::kDepth) < step.channels) return;
    depth_ = 0;
    const OwnTiles own(step);
    if ((tile_ += kPieceTiles) < own.end) return;
    tile_ = own.first;
    if ((row_ += Tile::kRows) < step.rows) return;
    row_ = 0;
    ++step_;
    find();
  }

  const ListProgramParams& p_;
  __half* const stages_;
  int stage_ = 0;                                  // of the next piece
  int step_ = 0, row_ = 0, tile_ = 0, depth_ = 0;  // of the next copy
};

/// Eight neighbouring numbers of a row, rounded to fp16; zeros where the row does not exist.
__device__ __forceinline__ Eight load_rounded(const ListView& list, bool f16, int row, bool exists, int k) {
  if (!exists) return Eight{};
  if (f16) return load_eight(row_of<const __half>(list, row) + k);
  const Octet o = load_octet(row_of<const float>(list, row) + k);
  return {{packed(o.v[0], o.v[1]), packed(o.v[2], o.v[3]), packed(o.v[4], o.v[5]), packed(o.v[6], o.v[7])}};
}

/// Stores what a lane has of a row's tiles from `tile` on: in fp16 eight neighbouring columns, in fp32 two of each
/// tile. `sums`: of tile t, its columns 2 * (lane % 4) and the next. `biases`: of the piece's columns.
__device__ __forceinline__ void store_row(const ListStep& step, int row, int tile, int end, const float* biases,
                                          const float (&sums)[kPieceTiles][2]) {
  const int quarter = static_cast<int>(threadIdx.x) % 4;
  const auto value = [&](int column, float sum) {
    return column < step.out_channels ? activated(step.activation, sum + biases[column - tile * 8]) : 0.0f;
  };
  if (step.out_f16 != 0) {
    const int column = tile * 8 + quarter * 8;
    if (column >= end * 8) return;
    __half* const to = row_of<__half>(step.out, row) + column;
    std::uint32_t pairs[kPieceTiles];
#pragma unroll
    for (int t = 0; t < kPieceTiles; ++t)
      pairs[t] = packed(value(column + t * 2, sums[t][0]), value(column + t * 2 + 1, sums[t][1]));
    if (column + 8 <= step.block && step.out.row_stride % 8 == 0) {
      *reinterpret_cast<uint4*>(to) = make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
      return;
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const __half2 pair = *reinterpret_cast<const __half2*>(&pairs[i / 2]);
      if (column + i < step.block) to[i] = i % 2 == 0 ? pair.x : pair.y;
    }
    return;
  }
#pragma unroll
  for (int t = 0; t < kPieceTiles; ++t) {
    if (tile + t >= end) continue;
    const int column = (tile + t) * 8 + quarter * 2;
    const float first = value(column, sums[t][0]), second = value(column + 1, sums[t][1]);
    float* const to = row_of(step.out, row) + column;
    if (step.out.row_stride % 2 == 0 && column + 2 <= step.block) {
      *reinterpret_cast<float2*>(to) = make_float2(first, second);
    } else {
      if (column < step.block) to[0] = first;
      if (column + 1 < step.block) to[1] = second;
    }
  }
}

/// A lane's fragments of 16 rows by 256 elements of depth.
using RowFragments = Eight[Tile::kDepth / 32][2];

/// Loads rows row0 .. row0 + 15 of what a step reads, `depth` elements from k0 on.
__device__ __forceinline__ void load_rows(const ListStep& step, int row0, int k0, int depth, RowFragments& a) {
  const int lane = static_cast<int>(threadIdx.x) % 32, upper = row0 + lane / 4, lower = upper + 8;
#pragma unroll
  for (int i = 0; i < Tile::kDepth / 32; ++i) {
    if (i * 32 >= depth) continue;
    const int k = k0 + i * 32 + lane % 4 * 8;
    if (step.a_f16 != 0) {
      a[i][0] = load_rounded(step.a, true, upper, upper < step.rows, k);
      a[i][1] = load_rounded(step.a, true, lower, lower < step.rows, k);
      continue;
    }
    const auto pair = [&](int row) {
      const bool exists = row < step.rows;
      return load_in_pairs(row_of<const float>(step.a, exists ? row : 0) + k - lane % 2 * 8, exists, exists);
    };
    a[i][0] = pair(upper);
    a[i][1] = pair(lower);
  }
}

/// One pass over rows: all of this block's columns. `loaded`: `a` has the rows, which are no deeper than it is.
__device__ __forceinline__ void multiply(const ListStep& step, int row0, bool loaded, WeightStream& weights,
                                         RowFragments& a) {
  const int lane = static_cast<int>(threadIdx.x) % 32, group = lane / 4, quarter = lane % 4;
  const OwnTiles own(step);
#pragma unroll 1
  for (int tile = own.first; tile < own.end; tile += kPieceTiles) {
    float sums[kPieceTiles][4] = {};
    const __half* stage = nullptr;
#pragma unroll 1
    for (int k0 = 0; k0 < step.channels; k0 += Tile::kDepth) {
      const int depth = min(step.channels - k0, Tile::kDepth);
      if (!loaded) load_rows(step, row0, k0, depth, a);
      loaded = step.channels <= Tile::kDepth;
      // In fp16 a lane's columns of the four tiles are neighbours: column j of tile t is column 8 (j / 2) + 2 t + j
      // % 2.
      const int first = step.out_f16 != 0 ? group / 2 * 8 + group % 2 : group, apart = step.out_f16 != 0 ? 2 : 8;
      stage = weights.next();
      const __half* const piece = stage + first * Tile::kWeightStride + quarter * 8;
      if (row0 >= step.rows) continue;
#pragma unroll
      for (int i = 0; i < Tile::kDepth / 32; ++i) {
        if (i * 32 >= depth) continue;
#pragma unroll
        for (int t = 0; t < kPieceTiles; ++t)
          if (tile + t < own.end || step.out_f16 != 0)
            multiply_32(sums[t], a[i][0], a[i][1], load_eight(piece + t * apart * Tile::kWeightStride + i * 32));
      }
    }
    const auto* const biases = reinterpret_cast<const float*>(stage + Tile::kColumns * Tile::kWeightStride);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = row0 + group + half * 8;
      if (row >= step.rows) continue;
      float of_row[kPieceTiles][2];
#pragma unroll
      for (int t = 0; t < kPieceTiles; ++t) {
        of_row[t][0] = sums[t][half * 2];
        of_row[t][1] = sums[t][half * 2 + 1];
      }
      store_row(step, row, tile, own.end, biases, of_row);
    }
  }
}

/// The linear layer `first` and those behind it that carry its rows; returns the number of the step after.
__device__ __forceinline__ int linear(const ListProgramParams& p, int first, WeightStream& weights) {
  RowFragments a;
  const int count = p.steps[first].rows;
  for (int row0 = 0; row0 < count; row0 += Tile::kRows)
    multiply(p.steps[first], row0 + warp_index() * 16, false, weights, a);
  int i = first + 1;
#pragma unroll 1
  for (; i < p.count && p.steps[i].kind == ListKind::linear && p.steps[i].carries != 0; ++i)
    multiply(p.steps[i], warp_index() * 16, OwnTiles(p.steps[first]).first != OwnTiles(p.steps[first]).end, weights, a);
  return i;
}

__device__ __forceinline__ float sum_over_warp(float value) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}

/// A lane's fours of channels of a row: at 4 * lane, and every 128 channels on.
struct RowPart {
  static constexpr int kFours = Tile::kMostChannels / 128;
  Channels<4> fours[kFours];

  template <typename F>
  __device__ __forceinline__ void for_fours(int channels, F&& f) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
    for (int i = 0; i < kFours; ++i)
      if (const int c = lane * 4 + i * 128; c < channels) f(fours[i], c);
  }
};

template <typename T>
__device__ __forceinline__ void load(RowPart& x, const T* row, int channels) {
  x.for_fours(channels,
              [&](Channels<4>& four, int c) { four = row == nullptr ? Channels<4>{} : load_wide<4>(row + c); });
}

__device__ __forceinline__ void normalise(RowPart& x, const ListStep& step) {
  const float share = 1.0f / static_cast<float>(step.channels);
  float sum = 0, squares = 0;
  x.for_fours(step.channels, [&](Channels<4>& four, int) { sum += four.v[0] + four.v[1] + (four.v[2] + four.v[3]); });
  const float mean = sum_over_warp(sum) * share;
  x.for_fours(step.channels, [&](Channels<4>& four, int) {
#pragma unroll
    for (float& v : four.v) {
      v -= mean;
      squares = fmaf(v, v, squares);
    }
  });
  const float scale = rsqrtf(fmaf(sum_over_warp(squares), share, step.factor));
  x.for_fours(step.channels, [&](Channels<4>& four, int c) {
    const Channels<4> weight = load_wide<4>(static_cast<const float*>(step.weight) + c);
    const Channels<4> bias = load_wide<4>(step.bias + c);
#pragma unroll
    for (int i = 0; i < 4; ++i) four.v[i] = fmaf(four.v[i] * scale, weight.v[i], bias.v[i]);
  });
}

/// The pixel of a map, or row of a list, at a row's position; zeros where there is none.
__device__ __forceinline__ void gather(RowPart& x, const ListStep& step, int row) {
  const int position = *row_of<const int>(step.b, row);
  const bool exists = position >= 0 && position < step.keys;
  if (step.a_f16 != 0)
    load(x, exists ? row_of<const __half>(step.a, position) : nullptr, step.channels);
  else
    load(x, exists ? row_of<const float>(step.a, position) : nullptr, step.channels);
}

/// What attention_finish (attention_masks.cu) makes of the splits of a query's keys: results [B, heads, splits,
/// queries, width], then [B, splits, queries, heads] largest scores and sums.
__device__ __forceinline__ void finish(RowPart& x, const ListStep& step, int row) {
  const int width = step.channels / step.heads, splits = step.keys;
  const auto* const results = static_cast<const float*>(step.a.data);
  const std::int64_t per_image = static_cast<std::int64_t>(step.heads) * splits * step.rows;
  const float* const statistics = results + gridDim.y * per_image * width +
                                  (static_cast<std::int64_t>(blockIdx.y) * splits * step.rows + row) * step.heads * 2;
  const std::int64_t split_statistics = static_cast<std::int64_t>(step.rows) * step.heads * 2;
  x.for_fours(step.channels, [&](Channels<4>& four, int c) {
    const int head = c / width;
    const std::int64_t first = blockIdx.y * per_image + static_cast<std::int64_t>(head) * splits * step.rows + row;
    const float* const of_head = statistics + head * 2;
    float most = -INFINITY;
    for (int split = 0; split < splits; ++split) most = fmaxf(most, of_head[split * split_statistics]);
    const float shift = most == -INFINITY ? 0.0f : most;
    float sum = 0;
    four = {};
#pragma unroll 4
    for (int split = 0; split < splits; ++split) {
      const std::int64_t at = first + static_cast<std::int64_t>(split) * step.rows;
      const float2 found = *reinterpret_cast<const float2*>(of_head + split * split_statistics);
      const float factor = ptx::exp2_approximate((found.x - shift) * step.factor);
      const Channels<4> more = load_wide<4>(results + at * width + (c - head * width));
      sum = fmaf(found.y, factor, sum);
#pragma unroll
      for (int i = 0; i < 4; ++i) four.v[i] = fmaf(more.v[i], factor, four.v[i]);
    }
    const float share = 1.0f / sum;
#pragma unroll
    for (float& value : four.v) value *= share;
  });
}

__device__ __forceinline__ bool is_by_rows(const ListStep& step) {
  return step.kind != ListKind::linear && step.kind != ListKind::attention;
}

/// The steps by rows from `first` on, up to the next other step or barrier, whose number is returned. A warp takes its
/// rows one after the other through all of them.
__device__ __forceinline__ int rows(const ListProgramParams& p, int first) {
  int end = first + 1, most = p.steps[first].rows;
  for (; end < p.count && is_by_rows(p.steps[end]) && p.steps[end].after_barrier == 0; ++end)
    most = max(most, p.steps[end].rows);
#pragma unroll 1
  for (int row = block_rank() * Tile::kWarps + warp_index(); row < most; row += Tile::kBlocks * Tile::kWarps) {
    RowPart x{};
#pragma unroll 1
    for (int i = first; i < end; ++i) {
      const ListStep& step = p.steps[i];
      if (row >= step.rows) continue;
      __syncwarp();  // an earlier step may have written the row that this one reads
      switch (step.kind) {
        case ListKind::gather:
          gather(x, step, row);
          break;
        case ListKind::finish:
          finish(x, step, row);
          break;
        default:
          if (step.carries == 0) load(x, row_of<const float>(step.a, row), step.channels);
      }
      if (step.kind == ListKind::add) {
        const float* const b = row_of<const float>(step.b, row);
        x.for_fours(step.channels, [&](Channels<4>& four, int c) {
          const Channels<4> more = load_wide<4>(b + c);
#pragma unroll
          for (int k = 0; k < 4; ++k) four.v[k] += more.v[k];
        });
      }
      if (step.kind == ListKind::norm) normalise(x, step);
      if (step.out_f16 != 0)
        x.for_fours(step.channels,
                    [&](Channels<4>& four, int c) { store_wide(row_of<__half>(step.out, row) + c, four); });
      else
        x.for_fours(step.channels, [&](Channels<4>& four, int c) { store_wide(row_of(step.out, row) + c, four); });
    }
  }
  return end;
}

/// Keys or values of a head to shared memory as fp16; zeros up to whole steps of 16 keys and to 32 channels. Values are
/// `spread`, so that a lane's results of the four tiles of channels are neighbours: channel 8 j + 2 t + i is at 8 t + 2
/// j
/// + i.
template <bool spread>
__device__ __forceinline__ void stage_head(const ListView& list, bool f16, int keys, int first, int width, int stride,
                                           __half* to) {
  for (int i = static_cast<int>(threadIdx.x); i < (keys + 15) / 16 * 16 * 4; i += Tile::kThreads) {
    const int key = i / 4, channel = i % 4 * 8;
    const Eight eight = load_rounded(list, f16, key, key < keys && channel < width, first + channel);
    if constexpr (spread) {
#pragma unroll
      for (int t = 0; t < 4; ++t)
        *reinterpret_cast<std::uint32_t*>(to + key * stride + t * 8 + channel / 4) = eight.pair[t];
    } else {
      *reinterpret_cast<uint4*>(to + key * stride + channel) =
          make_uint4(eight.pair[0], eight.pair[1], eight.pair[2], eight.pair[3]);
    }
  }
}

__device__ __forceinline__ float over_quad(float value, bool largest) {
#pragma unroll
  for (int step = 1; step <= 2; step *= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, value, step);
    value = largest ? fmaxf(value, other) : value + other;
  }
  return value;
}

/// Attention of all queries of one head, 16 of them a warp.
__device__ __forceinline__ void attend(const ListStep& step, int head, const __half* keys, const __half* values) {
  constexpr int kKeyTiles = Tile::kMostKeys / 8, kWidthTiles = Tile::kMostWidth / 8;
  const int lane = static_cast<int>(threadIdx.x) % 32, group = lane / 4, quarter = lane % 4;
  const int width = step.channels / step.heads, first = head * width;
  for (int row0 = warp_index() * 16; row0 < step.rows; row0 += Tile::kRows) {
    const int upper = row0 + group, lower = upper + 8;
    const auto query = [&](int row) {
      return load_rounded(step.a, step.a_f16 != 0, row, row < step.rows && quarter * 8 < width, first + quarter * 8);
    };
    const Eight a[2] = {query(upper), query(lower)};
    float scores[kKeyTiles][4];
    float most[2] = {-INFINITY, -INFINITY}, sums[2] = {0, 0};
#pragma unroll
    for (int t = 0; t < kKeyTiles; ++t) {
#pragma unroll
      for (float& score : scores[t]) score = 0;
      if (t / 2 * 16 >= step.keys) continue;
      multiply_32(scores[t], a[0], a[1], load_eight(keys + (t * 8 + group) * Tile::kKeyStride + quarter * 8));
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        if (t * 8 + quarter * 2 + i % 2 >= step.keys) scores[t][i] = -INFINITY;
        most[i / 2] = fmaxf(most[i / 2], scores[t][i]);
      }
    }
#pragma unroll
    for (float& value : most) value = over_quad(value, true);
    float results[kWidthTiles][4] = {};
#pragma unroll
    for (int t = 0; t < kKeyTiles; t += 2) {
      if (t * 8 >= step.keys) continue;
      float weights[2][4];
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        const float weight = ptx::exp2_approximate((scores[t + i / 4][i % 4] - most[i % 4 / 2]) * step.factor);
        // The divisor is the sum of what is multiplied.
        weights[i / 4][i % 4] = __half2float(__float2half_rn(weight));
        sums[i % 4 / 2] += weights[i / 4][i % 4];
      }
      const std::uint32_t left[4] = {packed(weights[0][0], weights[0][1]), packed(weights[0][2], weights[0][3]),
                                     packed(weights[1][0], weights[1][1]), packed(weights[1][2], weights[1][3])};
      const std::uint32_t at = ptx::shared_address(values + (t * 8 + lane % 16) * Tile::kValueStride + lane / 16 * 8);
#pragma unroll
      for (int c = 0; c < kWidthTiles; c += 2) {
        std::uint32_t right[4];
        ptx::ldmatrix_x4_trans(right, at + c * 8 * sizeof(__half));
        multiply_16(results[c], left, right[0], right[1]);
        multiply_16(results[c + 1], left, right[2], right[3]);
      }
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = half == 0 ? upper : lower;
      const float share = 1.0f / over_quad(sums[half], false);
      if (row >= step.rows) continue;
      const int channel = first + quarter * 8;
      if (quarter * 8 >= width) continue;
      Octet o;
#pragma unroll
      for (int c = 0; c < kWidthTiles; ++c) {
        o.v[c * 2] = results[c][half * 2] * share;
        o.v[c * 2 + 1] = results[c][half * 2 + 1] * share;
      }
      if (step.out_f16 != 0)
        store_octet(row_of<__half>(step.out, row) + channel, o);
      else
        store_octet(row_of(step.out, row) + channel, o);
    }
  }
}

__device__ __forceinline__ void attention(const ListStep& step, unsigned char* shared) {
  auto* const keys = reinterpret_cast<__half*>(shared + Tile::kKeysAt);
  auto* const values = reinterpret_cast<__half*>(shared + Tile::kValuesAt);
  const int width = step.channels / step.heads;
  for (int head = block_rank(); head < step.heads; head += Tile::kBlocks) {
    __syncthreads();  // all warps have read the head before
    stage_head<false>(step.b, step.b_f16 != 0, step.keys, head * width, width, Tile::kKeyStride, keys);
    stage_head<true>(step.values, step.values_f16 != 0, step.keys, head * width, width, Tile::kValueStride, values);
    __syncthreads();
    attend(step, head, keys, values);
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(Tile::kThreads, 1)
    list_program(const __grid_constant__ ListProgramParams p) {
  extern __shared__ __align__(16) unsigned char shared[];
  ptx::let_next_grid_start();
  WeightStream weights(p, shared);
  ptx::wait_for_previous_grid();
#pragma unroll 1
  for (int i = 0; i < p.count;) {
    const ListStep& step = p.steps[i];
    if (step.after_barrier != 0) {
      __syncwarp();
      ptx::cluster_arrive();
      ptx::cluster_wait();
    }
    if (is_by_rows(step)) {
      i = rows(p, i);
      continue;
    }
    if (step.kind == ListKind::linear) {
      i = linear(p, i, weights);
      continue;
    }
    attention(step, shared);
    ++i;
  }
  ptx::cp_async_wait<0>();
}

}  // namespace maskrt::kernels::cuda
