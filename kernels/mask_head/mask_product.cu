// Mask logits in fp32 on the FP32 pipes: out[b, p, n] = features[b, p, :] . kernels[b, n, :] + offset[b, n], the fp32
// path and the reference of mask_product_mma.cu. Tiles of 64 positions by 64 instances by sgemm.cuh. Example: 8640
// positions and 100 instances are 135 x 2 tiles, of which the second column computes 36 instances and writes the
// padding up to out.block. Bound by shared memory.
#include "kernels/cuda/octet.cuh"
#include "kernels/cuda/sgemm.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "mask_product_params.h"

namespace maskrt::kernels::cuda {

/// Grid [ceil(positions / 64), ceil(out.block / 64), batch].
extern "C" __global__ void __launch_bounds__(kSgemmThreads, 3)
    mask_product_f32(const __grid_constant__ MaskProductParams p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  constexpr int kSide = 64;
  __shared__ SgemmShared<kSide> shared;
  __shared__ float offsets[kSide];
  const int position0 = static_cast<int>(blockIdx.x) * kSide, instance0 = static_cast<int>(blockIdx.y) * kSide;
  const int b = static_cast<int>(blockIdx.z), positions = p.out.height * p.out.width, instances = p.out.channels;
  const auto kernel = [&](int n) { return pixel_of<const float>(p.kernels, b, n); };
  if (const int n = static_cast<int>(threadIdx.x); n < kSide)
    offsets[n] = p.offset != 0 && instance0 + n < instances ? kernel(instance0 + n)[p.features.channels] : 0.0f;
  float acc[4][4] = {};
  sgemm<kSide, Contiguous::k, Contiguous::k>(
      0, p.features.channels,
      [&](int k, int m) {
        return position0 + m < positions ? pixel_of<const float>(p.features, b, position0 + m)[k] : 0.0f;
      },
      [&](int k, int n) { return instance0 + n < instances ? kernel(instance0 + n)[k] : 0.0f; }, shared, acc);
  const int column = static_cast<int>(threadIdx.x) % 16 * 4, n0 = instance0 + column;
  float offset[4];  // sgemm's barriers order these reads after the stores above
  for (int j = 0; j < 4; ++j) offset[j] = offsets[column + j];
  for (int i = 0; i < 4; ++i) {
    const int position = position0 + static_cast<int>(threadIdx.x) / 16 * 4 + i;
    if (position >= positions) break;
    float* out = pixel_of<float>(p.out, b, position);
    if (p.out.aligned != 0 && n0 + 4 <= p.out.block) {
      *reinterpret_cast<float4*>(out + n0) =
          make_float4(acc[i][0] + offset[0], acc[i][1] + offset[1], acc[i][2] + offset[2], acc[i][3] + offset[3]);
    } else {
      for (int j = 0; j < 4; ++j)
        if (n0 + j < p.out.block) out[n0 + j] = acc[i][j] + offset[j];
    }
  }
}

}  // namespace maskrt::kernels::cuda
