// Linear layers in fp32 on the FP32 pipes: out = activation(in weight^T + bias), the fp32 path and the reference of
// linear_mma.cu. Tiles of 32 rows by 32 columns by sgemm.cuh; heads and grid as there. Bound by shared memory.
#include "kernels/cuda/sgemm.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "linear_head.cuh"

namespace maskrt::kernels::cuda {

/// Grid [column tiles of all heads, ceil(rows / 32)].
extern "C" __global__ void __launch_bounds__(kSgemmThreads) linear_f32(const __grid_constant__ LinearParams p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  constexpr int kSide = 32;
  __shared__ SgemmShared<kSide> shared;
  const auto [head, column0] = head_of(p, static_cast<int>(blockIdx.x), kSide);
  const int row0 = static_cast<int>(blockIdx.y) * kSide, rows = p.batch * p.in.rows;
  const float* weight = static_cast<const float*>(head->weight);
  float acc[2][2] = {};
  sgemm<kSide, Contiguous::k, Contiguous::k>(
      0, p.in.channels,
      [&](int k, int m) {
        return row0 + m < rows ? row_of(p.in, row0 + m)[k / p.in.segment * p.in.segment_stride + k % p.in.segment]
                               : 0.0f;
      },
      [&](int k, int n) {
        return column0 + n < head->out.channels ? weight[static_cast<std::int64_t>(column0 + n) * p.weight_stride + k]
                                                : 0.0f;
      },
      shared, acc);
  for (int i = 0; i < 2; ++i) {
    const int row = row0 + static_cast<int>(threadIdx.x) / 16 * 2 + i;
    if (row >= rows) break;
    store_pair(p, *head, row, column0 + static_cast<int>(threadIdx.x) % 16 * 2, acc[i][0], acc[i][1]);
  }
}

}  // namespace maskrt::kernels::cuda
