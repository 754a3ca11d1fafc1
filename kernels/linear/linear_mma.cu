// Linear layers on tensor cores. Rows are few (100 for an image), so there is little to share: a block takes 32 rows by
// 32 columns, its eight warps take stretches of k in turn, straight from global memory into fragments, and their sums
// are added at the end, in order. Bound by the second-level cache: each weight is read once for 32 rows, each row once
// for 32 columns.
#include "kernels/cuda/fragments.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "linear_head.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kTile = 32, kWarps = 8, kDepth = 32;
/// Words from one row of partial sums to the next: the pairs that a half-warp stores meet 32 different banks.
constexpr int kSumsStride = 40;

struct Step {
  Eight rows[4];     // rows lane / 4 + 8 i of the tile
  Eight columns[4];  // columns lane / 4 + 8 i
};

/// k of element e of a lane that starts at k: it has four neighbours, and the four that are 16 further.
__device__ constexpr int k_of(int k, int e) { return e < 4 ? k + e : k + 12 + e; }

template <bool aligned>
__device__ void load_columns(const LinearParams& p, const __half* const (&columns)[4], int k, Step& step) {
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    step.columns[i] = {};
    if (columns[i] == nullptr) continue;
    if constexpr (aligned) {
      if (k < p.in.channels) step.columns[i] = load_fours(columns[i] + k);
    } else {
      float values[8];
#pragma unroll
      for (int e = 0; e < 8; ++e) values[e] = k_of(k, e) < p.in.channels ? widen(columns[i][k_of(k, e)]) : 0.0f;
      step.columns[i] = load_some(values, 8);
    }
  }
}

template <bool aligned>
__device__ void load_rows(const LinearParams& p, const float* const (&rows)[4], int k, Step& step) {
  const auto offset_of = [&](int at) { return at / p.in.segment * p.in.segment_stride + at % p.in.segment; };
  const std::int64_t offset = offset_of(k);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    step.rows[i] = {};
    if (rows[i] == nullptr) continue;
    if constexpr (aligned) {
      if (k < p.in.channels) step.rows[i] = load_fours(rows[i] + offset);
    } else {
      float values[8];
#pragma unroll
      for (int e = 0; e < 8; ++e) values[e] = k_of(k, e) < p.in.channels ? rows[i][offset_of(k_of(k, e))] : 0.0f;
      step.rows[i] = load_some(values, 8);
    }
  }
}

/// The warp's share of the sums: every kWarps-th stretch of k. The first weights are on their way before the grid that
/// makes the rows has ended.
template <bool aligned>
__device__ void accumulate(const LinearParams& p, const float* const (&rows)[4], const __half* const (&columns)[4],
                           float (&acc)[2][4][4]) {
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  int k = warp * kDepth + lane % 4 * 4;
  Step next;
  load_columns<aligned>(p, columns, k, next);
  ptx::wait_for_previous_grid();
  load_rows<aligned>(p, rows, k, next);
  for (int k0 = warp * kDepth; k0 < p.in.channels; k0 += kWarps * kDepth) {
    const Step step = next;
    k += kWarps * kDepth;
    load_columns<aligned>(p, columns, k, next);
    load_rows<aligned>(p, rows, k, next);
#pragma unroll
    for (int m = 0; m < 2; ++m)
#pragma unroll
      for (int n = 0; n < 4; ++n) multiply_32(acc[m][n], step.rows[2 * m], step.rows[2 * m + 1], step.columns[n]);
  }
}

}  // namespace

/// Grid [column tiles of all heads, ceil(rows / 32)].
extern "C" __global__ void __launch_bounds__(kWarps * 32) linear_f16(const __grid_constant__ LinearParams p) {
  __shared__ float sums[kWarps][kTile][kSumsStride];
  ptx::let_next_grid_start();
  const auto [head, column0] = head_of(p, static_cast<int>(blockIdx.x), kTile);
  const int row0 = static_cast<int>(blockIdx.y) * kTile, all_rows = p.batch * p.in.rows;
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32, group = lane / 4;

  const float* rows[4];
  const __half* columns[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int row = row0 + group + 8 * i, column = column0 + group + 8 * i;
    rows[i] = row < all_rows ? row_of(p.in, row) : nullptr;
    columns[i] = column < head->out.channels
                     ? static_cast<const __half*>(head->weight) + static_cast<std::int64_t>(column) * p.weight_stride
                     : nullptr;
  }
  float acc[2][4][4] = {};
  if (p.in.aligned != 0)
    accumulate<true>(p, rows, columns, acc);
  else
    accumulate<false>(p, rows, columns, acc);

#pragma unroll
  for (int m = 0; m < 2; ++m)
#pragma unroll
    for (int n = 0; n < 4; ++n)
#pragma unroll
      for (int half = 0; half < 2; ++half)
        *reinterpret_cast<float2*>(&sums[warp][m * 16 + half * 8 + group][n * 8 + lane % 4 * 2]) =
            make_float2(acc[m][n][half * 2], acc[m][n][half * 2 + 1]);
  __syncthreads();
  for (int i = warp; i < kTile && row0 + i < all_rows; i += kWarps) {
    float sum = 0;
#pragma unroll
    for (int w = 0; w < kWarps; ++w) sum += sums[w][i][lane];
    store_result(p, *head, row0 + i, column0 + lane, sum);
  }
}

}  // namespace maskrt::kernels::cuda
