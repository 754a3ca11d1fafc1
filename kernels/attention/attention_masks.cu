// What attention under masks, and attention whose keys several blocks share, need before and after attention_mma.cu:
// masks as bits, and the sum over splits.
//
// attention_mask_bits: logits [B, h, w, M], NHWC, fp32 or fp16, become words of 32 keys for each of M queries: bit i is
// 1 where the logit of key 32 * word + i is below 0, so that the query leaves that key out. Beside them, for each query
// and chunk of 256 keys, whether any key is not left out. Neighbouring threads have neighbouring queries. A warp has a
// word of 32 queries: its 32 loads are coalesced. Eight warps have the words of a chunk; the chunk's flags are found in
// shared memory.
// Example: 80 x 108 keys, 100 queries: 34 chunks x 4 blocks of 32 queries; the last chunk has 192 keys, the last block
// 4 queries. Launch: grid [chunks, ceil(M / 32), B], 256 threads.
//
// attention_finish: of each query and head the splits' results, scaled to the largest score of all, over the sum of
// their sums, in ascending order of splits; queries [B, N, heads, D], D a multiple of 8. Four channels a thread.
// Launch: grid [ceil(N * heads * D / 4 / 256), B], 256 threads.
// Both are bound by memory, at these sizes by latency.
#include "attention_params.h"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/approximate.cuh"
#include "kernels/ptx/griddepcontrol.cuh"

namespace maskrt::kernels::cuda {
namespace {

template <typename T>
__device__ void attention_mask_bits(const MaskBitsParams& p) {
  constexpr int kWarps = kMaskChunk / 32;
  __shared__ std::uint32_t open[kWarps][32];
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int lane = static_cast<int>(threadIdx.x % 32), warp = static_cast<int>(threadIdx.x / 32);
  const int query = static_cast<int>(blockIdx.y) * 32 + lane, chunk = static_cast<int>(blockIdx.x);
  const int word = chunk * kWarps + warp, b = static_cast<int>(blockIdx.z), first = word * 32;
  const int keys = min(p.masks.height * p.masks.width - first, 32);
  const bool exists = query < p.masks.channels, stored = query < p.masks.block;  // padding completes a sector
  const T* from = pixel_of<const T>(p.masks, b, keys > 0 ? first : 0) + query;
  std::uint32_t bits = 0;
#pragma unroll 8
  for (int i = 0; i < 32; ++i, from += p.masks.pixel_stride)
    if (stored && i < keys && widen(*from) < 0.0f) bits |= 1u << i;
  if (exists && keys > 0) p.left_out[(static_cast<std::int64_t>(b) * p.words + word) * p.stride + query] = bits;
  open[warp][lane] = keys > 0 && bits != (keys < 32 ? (1u << keys) - 1 : ~0u) ? 1 : 0;
  __syncthreads();
  if (warp != 0 || !exists) return;
  std::uint32_t any = 0;
#pragma unroll
  for (int i = 0; i < kWarps; ++i) any |= open[i][lane];
  p.open[(static_cast<std::int64_t>(b) * p.chunks + chunk) * p.stride + query] = any;
}

template <typename T>
__device__ void attention_finish(const AttentionParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int queries = p.out.height * p.out.width, fours = p.value_width / 4, heads = p.out.channels / p.value_width;
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x), row = i / fours, four = i - row * fours;
  const int query = row / heads, head = row - query * heads, b = static_cast<int>(blockIdx.y);
  if (query >= queries) return;
  const std::int64_t first = (static_cast<std::int64_t>(b) * heads + head) * p.splits * queries + query;
  const float* const statistics = p.partials +
                                  static_cast<std::int64_t>(gridDim.y) * heads * p.splits * queries * p.value_width +
                                  ((static_cast<std::int64_t>(b) * p.splits * queries + query) * heads + head) * 2;
  const std::int64_t split_statistics = static_cast<std::int64_t>(queries) * heads * 2;
  const float* from = p.partials + first * p.value_width + four * 4;
  float most = -INFINITY;
  for (int split = 0; split < p.splits; ++split) most = fmaxf(most, statistics[split * split_statistics]);
  const float shift = most == -INFINITY ? 0.0f : most;
  Channels<4> results{};
  float sum = 0;
#pragma unroll 2
  for (int split = 0; split < p.splits; ++split) {
    const float2 found = *reinterpret_cast<const float2*>(statistics + split * split_statistics);
    const float factor = ptx::exp2_approximate((found.x - shift) * p.scale);
    const Channels<4> more = load_wide<4>(from + static_cast<std::int64_t>(split) * queries * p.value_width);
    sum = fmaf(found.y, factor, sum);
#pragma unroll
    for (int c = 0; c < 4; ++c) results.v[c] = fmaf(more.v[c], factor, results.v[c]);
  }
  const float share = 1.0f / sum;
#pragma unroll
  for (float& value : results.v) value *= share;
  store_wide(pixel_of<T>(p.out, b, query) + head * p.value_width + four * 4, results);
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(kMaskChunk) attention_mask_bits_f32(const __grid_constant__ MaskBitsParams p) {
  attention_mask_bits<float>(p);
}
__global__ void __launch_bounds__(kMaskChunk) attention_mask_bits_f16(const __grid_constant__ MaskBitsParams p) {
  attention_mask_bits<__half>(p);
}
__global__ void __launch_bounds__(256) attention_finish_f32(const __grid_constant__ AttentionParams p) {
  attention_finish<float>(p);
}
__global__ void __launch_bounds__(256) attention_finish_f16(const __grid_constant__ AttentionParams p) {
  attention_finish<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
