// Max pooling. A thread takes 16 bytes of channels of one pixel of the output. Bound by memory: the input is read from
// there once; what windows share comes from the caches.
#include "kernels/cuda/for_channels.cuh"
#include "kernels/cuda/octet.cuh"
#include "max_pool_params.h"

namespace maskrt::kernels::cuda {
namespace {

/// Grid of channel_grid.h.
template <typename T>
__device__ void max_pool(const MaxPoolParams& p) {
  constexpr int each = kChannelsOfThread<T>;
  for_channels<each>(p.out, [&](int b, int position, int c) {
    const int top = position / p.out.width * p.stride - p.padding, left = position % p.out.width * p.stride - p.padding;
    const int first_row = max(top, 0), end_row = min(top + p.kernel, p.in.height);
    const int first_column = max(left, 0), end_column = min(left + p.kernel, p.in.width);
    Channels<each> most;
#pragma unroll
    for (float& v : most.v) v = -INFINITY;
    for (int y = first_row; y < end_row; ++y) {
      for (int x = first_column; x < end_column; ++x) {
        const Channels<each> other = load_channels<each>(p.in, pixel_of<T>(p.in, b, y * p.in.width + x), c);
#pragma unroll
        for (int i = 0; i < each; ++i) most.v[i] = fmaxf(most.v[i], other.v[i]);  // the operand that is a number
      }
    }
    store_channels(p.out, pixel_of<T>(p.out, b, position), c, most);
  });
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(256) max_pool_f32(const __grid_constant__ MaxPoolParams p) { max_pool<float>(p); }
__global__ void __launch_bounds__(256) max_pool_f16(const __grid_constant__ MaxPoolParams p) { max_pool<__half>(p); }
}

}  // namespace maskrt::kernels::cuda
