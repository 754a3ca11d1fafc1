// Mask logits in fp32: tiles of 64 positions by 64 instances. For checking: bound by shared memory.
#include "../cuda/octet.cuh"
#include "../cuda/sgemm.cuh"
#include "../ptx/griddepcontrol.cuh"
#include "mask_product_params.h"

namespace maskrt::kernels::cuda {

/// Grid [ceil(positions / 64), ceil(out.block / 64), batch].
extern "C" __global__ void __launch_bounds__(kSgemmThreads)
    mask_product_f32(const __grid_constant__ MaskProductParams p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  constexpr int kSide = 64;
  __shared__ SgemmShared<kSide> shared;
  const int position0 = static_cast<int>(blockIdx.x) * kSide, instance0 = static_cast<int>(blockIdx.y) * kSide;
  const int b = static_cast<int>(blockIdx.z), positions = p.out.height * p.out.width, instances = p.out.channels;
  const auto kernel = [&](int n) { return pixel_of<const float>(p.kernels, b, n); };
  float acc[4][4] = {};
  sgemm<kSide, Contiguous::k, Contiguous::k>(
      0, p.features.channels,
      [&](int k, int m) {
        return position0 + m < positions ? pixel_of<const float>(p.features, b, position0 + m)[k] : 0.0f;
      },
      [&](int k, int n) { return instance0 + n < instances ? kernel(instance0 + n)[k] : 0.0f; }, shared, acc);
  for (int i = 0; i < 4; ++i) {
    const int position = position0 + static_cast<int>(threadIdx.x) / 16 * 4 + i;
    if (position >= positions) break;
    float* out = pixel_of<float>(p.out, b, position);
    for (int j = 0; j < 4; ++j) {
      const int n = instance0 + static_cast<int>(threadIdx.x) % 16 * 4 + j;
      if (n >= p.out.block) break;
      out[n] = acc[i][j] + (p.offset != 0 && n < instances ? kernel(n)[p.features.channels] : 0.0f);
    }
  }
}

}  // namespace maskrt::kernels::cuda
