// Average pooling: out[b, y, x, c] = mean of in over rows y * stride .. + kernel - 1 and columns likewise, of those
// that the map has. in [B, H, W, C], out [B, H', W', C], NHWC.
//
// Each thread computes 16 bytes of channels of one output pixel (8 of fp16, 4 of fp32): sums in fp32, row by row, times
// the reciprocal of the number of pixels.
// Example: 2 x 2 windows with stride 2 on 5 x 7 pixels give 3 x 4; the last row's windows have one row, those of the
// last column one column, and the last one is the corner's pixel alone. Bound by memory: the input comes from device
// memory once, overlapping windows are served by L1 and L2. Launch: grid and block of channel_grid(), 256 threads, no
// shared memory; batch at most 65535.
#include "average_windows_params.h"
#include "kernels/cuda/for_channels.cuh"
#include "kernels/cuda/octet.cuh"

namespace maskrt::kernels::cuda {
namespace {

/// Grid of channel_grid.h.
template <typename T>
__device__ void average_windows(const AverageWindowsParams& p) {
  constexpr int each = kChannelsOfThread<T>;
  for_channels<each>(p.out, [&](int b, int position, int c) {
    const int top = position / p.out.width * p.stride, left = position % p.out.width * p.stride;
    const int end_row = min(top + p.kernel, p.in.height), end_column = min(left + p.kernel, p.in.width);
    Channels<each> sum{};
    for (int y = top; y < end_row; ++y) {
      for (int x = left; x < end_column; ++x) {
        const Channels<each> more = load_channels<each>(p.in, pixel_of<T>(p.in, b, y * p.in.width + x), c);
#pragma unroll
        for (int i = 0; i < each; ++i) sum.v[i] += more.v[i];
      }
    }
    const float share = 1.0f / static_cast<float>((end_row - top) * (end_column - left));
#pragma unroll
    for (float& v : sum.v) v *= share;
    store_channels(p.out, pixel_of<T>(p.out, b, position), c, sum);
  });
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(256) average_windows_f32(const __grid_constant__ AverageWindowsParams p) {
  average_windows<float>(p);
}
__global__ void __launch_bounds__(256) average_windows_f16(const __grid_constant__ AverageWindowsParams p) {
  average_windows<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
