// Attention on the FP32 pipes: out[b, n, h, :] = sum over keys k of softmax_k(scale * queries[b, n, h, :] . keys[b, k,
// h, :]) * values[b, k, h, :], for heads h of any width; queries [B, N, heads * C], keys [B, K, heads * C], values
// [B, K, heads * D], out [B, N, heads * D]; queries and out fp32 or fp16, keys and values fp32 or fp16.
//
// A block computes 64 queries by 64 channels of one head's values. It loops over tiles of 64 keys: scores are a product
// on the FP32 pipes (sgemm.cuh); the softmax is computed online, with the largest score so far in registers: where a
// tile has a larger one, the sums so far are scaled. The weights of the tile go through shared memory into the second
// product. Heads whose values have more than 64 channels have several blocks, each of which computes the scores.
// Example: 100 queries, 8 heads of 48 channels, 130 keys: 2 tiles of queries, the second with 36; 3 tiles of keys, the
// last with 2, whose others get weight 0 and are not read. 2 x 8 blocks an image.
// Under masks (words of 32 keys of attention_masks.cu) the scores of keys that a query leaves out are -infinity, unless
// it would leave out all.
// Bound by shared memory and the multiply-adds, as sgemm.cuh.
// Launch: grid [tiles of queries, heads x chunks of 64 channels, B], B at most 65535; 256 threads, 29440 bytes of
// shared memory.
#include "attention_params.h"
#include "kernels/cuda/octet.cuh"
#include "kernels/cuda/sgemm.cuh"
#include "kernels/ptx/approximate.cuh"
#include "kernels/ptx/griddepcontrol.cuh"

namespace maskrt::kernels::cuda {
namespace {

using Tile = AttentionTile;
/// Row pitch of the weights in words: reads of two rows by 16 lanes each hit 32 different banks.
constexpr int kWeightStride = Tile::kKeys + 16;

/// The largest, or the sum, over the 16 threads that share rows of queries.
__device__ float largest_of_row(float value) {
#pragma unroll
  for (int step = 8; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step));
  return value;
}
__device__ float sum_of_row(float value) {
#pragma unroll
  for (int step = 8; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}

/// The softmax of the rows of queries that a thread has four columns of, as far as keys have been seen.
struct OnlineSoftmax {
  float largest[4] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
  float sum[4] = {};  ///< of this thread's columns

  /// Turns a row's scores of the next keys into weights, and scales the row's results so far.
  __device__ void add(int row, float scale, float (&scores)[4], float (&results)[4]) {
    float most = largest[row];
#pragma unroll
    for (const float score : scores) most = fmaxf(most, score);
    most = largest_of_row(most);
    // Of scores that are all -infinity, the weights are 0.
    const float shift = most == -INFINITY ? 0 : most * scale;
    const float before = ptx::exp2_approximate(fmaf(largest[row], scale, -shift));
    largest[row] = most;
    sum[row] *= before;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      results[j] *= before;
      scores[j] = ptx::exp2_approximate(fmaf(scores[j], scale, -shift));
      sum[row] += scores[j];
    }
  }
};

/// Whether each query's mask leaves a key, as all ones or 0, for the queries of a tile.
template <int queries>
__device__ void find_open(const AttentionParams& p, int first, std::uint32_t* open) {
  for (int i = static_cast<int>(threadIdx.x); i < queries; i += static_cast<int>(blockDim.x)) {
    std::uint32_t any = 0;
    if (first + i < p.masked_queries)
      for (int chunk = 0; chunk < p.mask_chunks; ++chunk)
        any |= p.open[(static_cast<std::int64_t>(blockIdx.z) * p.mask_chunks + chunk) * p.mask_stride + first + i];
    open[i] = any != 0 ? ~0u : 0u;
  }
}

/// Four keys' scores of a query, those that its mask leaves out being -infinity. `key`: a multiple of 4; `row`: of the
/// block's queries from query0 on.
__device__ void leave_out(const AttentionParams& p, int query0, int row, int key, const std::uint32_t* open,
                          float (&scores)[4]) {
  if (key >= p.key_count || query0 + row >= p.masked_queries) return;
  const std::int64_t word = static_cast<std::int64_t>(blockIdx.z) * p.mask_words + key / 32;
  const std::uint32_t out = (p.left_out[word * p.mask_stride + query0 + row] & open[row]) >> (key % 32);
#pragma unroll
  for (int j = 0; j < 4; ++j)
    if ((out >> j & 1) != 0) scores[j] = -INFINITY;
}

template <typename Query, typename Key, bool masked>
__device__ void attention_any(const AttentionParams& p) {
  __shared__ SgemmShared<64> shared;
  __shared__ alignas(16) float weights[Tile::kQueries][kWeightStride];
  __shared__ std::uint32_t open[Tile::kQueries];
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int b = static_cast<int>(blockIdx.z), query0 = static_cast<int>(blockIdx.x) * Tile::kQueries;
  const int head = static_cast<int>(blockIdx.y) / p.value_chunks;
  const int channel0 = static_cast<int>(blockIdx.y) % p.value_chunks * Tile::kChannels;
  const int queries = p.out.height * p.out.width, row0 = static_cast<int>(threadIdx.x) / 16 * 4;
  const int column0 = static_cast<int>(threadIdx.x) % 16 * 4;
  const Query* const query = pixel_of<const Query>(p.queries, b, query0) + head * p.key_width;
  const Key* const key = pixel_of<const Key>(p.keys, b, 0) + head * p.key_width;
  const Key* const value = pixel_of<const Key>(p.values, b, 0) + head * p.value_width + channel0;
  const int left = p.value_width - channel0;

  if constexpr (masked) {
    find_open<Tile::kQueries>(p, query0, open);
    __syncthreads();
  }
  OnlineSoftmax softmax;
  float results[4][4] = {};
  for (int key0 = 0; key0 < p.key_count; key0 += Tile::kKeys) {
    const int keys = min(Tile::kKeys, p.key_count - key0);
    float scores[4][4] = {};
    sgemm<64, Contiguous::k, Contiguous::k>(
        0, p.key_width,
        [&](int k, int m) {
          return query0 + m < queries ? widen(query[static_cast<std::int64_t>(m) * p.queries.pixel_stride + k]) : 0.0f;
        },
        [&](int k, int n) {
          return n < keys ? widen(key[static_cast<std::int64_t>(key0 + n) * p.keys.pixel_stride + k]) : 0.0f;
        },
        shared, scores);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if constexpr (masked) leave_out(p, query0, row0 + i, key0 + column0, open, scores[i]);
#pragma unroll
      for (int j = 0; j < 4; ++j)
        if (column0 + j >= keys) scores[i][j] = -INFINITY;
      softmax.add(i, p.scale, scores[i], results[i]);
      *reinterpret_cast<float4*>(&weights[row0 + i][column0]) =
          make_float4(scores[i][0], scores[i][1], scores[i][2], scores[i][3]);
    }
    __syncthreads();
    sgemm<64, Contiguous::k, Contiguous::row>(
        0, keys, [&](int k, int m) { return weights[m][k]; },
        [&](int k, int n) {
          return n < left ? widen(value[static_cast<std::int64_t>(key0 + k) * p.values.pixel_stride + n]) : 0.0f;
        },
        shared, results);
  }

  const bool last = head == static_cast<int>(gridDim.y) / p.value_chunks - 1 && left <= Tile::kChannels;
  const int first = head * p.value_width + channel0 + column0;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float sum = sum_of_row(softmax.sum[i]);
    if (query0 + row0 + i >= queries) continue;
    Query* const out = pixel_of<Query>(p.out, b, query0 + row0 + i);
    Channels<4> four;
#pragma unroll
    for (int j = 0; j < 4; ++j) four.v[j] = results[i][j] / sum;
    if (p.out.aligned != 0 && first % 4 == 0 && column0 + 4 <= left) {
      store_wide(out + first, four);
    } else {
#pragma unroll
      for (int j = 0; j < 4; ++j)
        if (column0 + j < left) out[first + j] = narrow<Query>(four.v[j]);
    }
    // The block with the last channels writes the padding.
    if (last)
      for (int c = p.out.channels + column0 / 4; c < p.out.block; c += 16) out[c] = narrow<Query>(0.0f);
  }
}

}  // namespace

#define MASKRT_ATTENTION(types, Query, Key)                                                                           \
  __global__ void __launch_bounds__(kSgemmThreads) attention_any_##types(const __grid_constant__ AttentionParams p) { \
    attention_any<Query, Key, false>(p);                                                                              \
  }                                                                                                                   \
  __global__ void __launch_bounds__(kSgemmThreads)                                                                    \
      attention_masked_##types(const __grid_constant__ AttentionParams p) {                                           \
    attention_any<Query, Key, true>(p);                                                                               \
  }
extern "C" {
MASKRT_ATTENTION(f32, float, float)
MASKRT_ATTENTION(f16, __half, __half)
// Queries and output in fp32, keys and values in fp16, and the other way round.
MASKRT_ATTENTION(f32_f16, float, __half)
MASKRT_ATTENTION(f16_f32, __half, float)
}
#undef MASKRT_ATTENTION

}  // namespace maskrt::kernels::cuda
