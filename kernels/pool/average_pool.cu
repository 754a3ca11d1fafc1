// Adaptive average pooling. A block takes one cell and 32 channels. Bound by memory: the map is read once for each size
// of the pyramid, from the caches after the first.
#include "../cuda/cell_mean.cuh"
#include "average_pool_params.h"

namespace maskrt::kernels::cuda {
namespace {

/// Grid [cells, ceil(block / 32), batch].
template <typename T>
__device__ void average_pool(const AveragePoolParams& p) {
  __shared__ float partial[kCellThreads / 32][32];
  __shared__ float means[kCellChannels];
  const int cell = static_cast<int>(blockIdx.x), c0 = static_cast<int>(blockIdx.y) * kCellChannels;
  const int b = static_cast<int>(blockIdx.z), channel = static_cast<int>(threadIdx.x);
  cell_mean<T>(p.in, b, cell_range(cell / p.out.width, p.in.height, p.out.height),
               cell_range(cell % p.out.width, p.in.width, p.out.width), c0, partial, means);
  if (channel < kCellChannels && c0 + channel < p.out.block)
    pixel_of<T>(p.out, b, cell)[c0 + channel] = narrow<T>(means[channel]);
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(kCellThreads) average_pool_f32(const __grid_constant__ AveragePoolParams p) {
  average_pool<float>(p);
}
__global__ void __launch_bounds__(kCellThreads) average_pool_f16(const __grid_constant__ AveragePoolParams p) {
  average_pool<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
