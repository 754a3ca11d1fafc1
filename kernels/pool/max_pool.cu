// Max pooling: out[b, y, x, c] = max of in over rows y * stride - padding .. + kernel - 1 and columns likewise.
// Positions outside of the map are left out, NaNs are ignored.
//
// Each thread computes 16 bytes of channels of one output pixel (8 of fp16, 4 of fp32).
// Example: 3 x 3 windows with stride 2 and padding 1 on 5 x 7 pixels give 3 x 4; the first window covers rows and
// columns -1..1, of which 0..1 are read.
// Bound by memory: the input comes from device memory once, overlapping windows are served by L1 and L2.
// Launch: grid and block of channel_grid(), 256 threads, no shared memory; batch at most 65535.
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
        for (int i = 0; i < each; ++i) most.v[i] = fmaxf(most.v[i], other.v[i]);  // fmaxf ignores NaNs
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
