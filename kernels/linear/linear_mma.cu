// Linear layers on tensor cores: out_h = activation_h(in weight_h^T + bias_h) for 1 to 4 heads h that read one list.
// in [B, N, I] fp32, rounded to fp16 in registers; weight_h [O_h, I] fp16; accumulated in fp32; out_h [B, N, O_h].
//
// Rows are few (N = 100 queries an image), so operands are hardly reused and shared memory would not pay. A block of 8
// warps computes a tile of 32 rows by 32 columns. Its warps split k: warp w multiplies the slices k = 32 w .. 32 w +
// 31, + 256, + 512, ... with fragments loaded straight from global memory, one slice ahead (software pipelining). The
// epilogue adds the partial sums of the 8 warps from shared memory in ascending order, so results are reproducible.
// Example: 100 rows and heads of 80, 1 and 257 output channels are 4 row tiles, of which the last has 4 rows, by 3 + 1
// + 9 column tiles: 52 blocks. Tiles do not cross heads; a tile's columns beyond its head are neither loaded nor
// stored.
// Bound by L2: each weight is read once for every 32 rows, each row once for every 32 columns.
// Launch: grid [column tiles of all heads, ceil(B * N / 32)], the latter at most 65535; 256 threads, 40960 bytes of
// shared memory.
#include "kernels/cuda/fragments.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "linear_head.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kTile = 32, kWarps = 8, kDepth = 32;
/// Row pitch of the partial sums in words: a half-warp's stores of 8 bytes hit 32 different banks.
constexpr int kSumsStride = 40;

/// A lane's fragments for one slice of 32 k.
struct Step {
  Eight rows[4];     // rows lane / 4 + 8 i of the tile
  Eight columns[4];  // columns lane / 4 + 8 i
};

/// The index along k of element e of a lane's fragment, which holds k .. k + 3 and k + 16 .. k + 19 (load_fours).
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

/// Main loop of a warp over its slices of k. The weights of the first slice are loaded before the grid that produces
/// the rows has completed (programmatic dependent launch): they are constants.
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
