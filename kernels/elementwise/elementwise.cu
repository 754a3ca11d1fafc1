// Elementwise operations on NHWC maps: activation, sum of two maps, scale and shift by channel.
//
// Each thread computes 16 bytes of channels of one pixel of the output (8 of fp16, 4 of fp32) in fp32 and rounds once.
// The threads cover out.block channels, so that padding channels are written as zeros. Example: out [2, 5, 7, 20] in
// fp16 stored as 24 channels a pixel. channel_grid() gives blocks of 4 x 64 threads and a grid of [1, 1, 2]: a pixel
// has 3 threads at work, of which the last writes channels 16..19 and zeros to 20..23, and 35 of the 64 positions
// exist. Bound by memory: each input is read once and the output written once, in 16-byte accesses where the maps are
// aligned. Launch: grid and block of channel_grid(), 256 threads, no shared memory; batch at most 65535.
#include "elementwise_params.h"
#include "kernels/cuda/activate.cuh"
#include "kernels/cuda/for_channels.cuh"
#include "kernels/cuda/octet.cuh"

namespace maskrt::kernels::cuda {
namespace {

template <typename T>
__device__ void activate_map(const ActivateParams& p) {
  constexpr int each = kChannelsOfThread<T>;
  for_channels<each>(p.out, [&](int b, int position, int c) {
    Channels<each> x[] = {load_channels<each>(p.in, pixel_of<T>(p.in, b, position), c)};
    activate(x, static_cast<Activation>(p.activation), p.slope);
    store_channels(p.out, pixel_of<T>(p.out, b, position), c, x[0]);
  });
}

template <typename T>
__device__ void add(const AddParams& p) {
  constexpr int each = kChannelsOfThread<T>;
  for_channels<each>(p.out, [&](int b, int position, int c) {
    Channels<each> x = load_channels<each>(p.a, pixel_of<T>(p.a, b, position), c);
    const Channels<each> y = load_channels<each>(p.b, pixel_of<T>(p.b, b, position), c);
#pragma unroll
    for (int i = 0; i < each; ++i) x.v[i] += y.v[i];
    store_channels(p.out, pixel_of<T>(p.out, b, position), c, x);
  });
}

template <typename T, typename Out>
__device__ void scale_shift(const ScaleShiftParams& p) {
  constexpr int each = kChannelsOfThread<T, Out>;
  for_channels<each>(p.out, [&](int b, int position, int c) {
    Channels<each> x = load_channels<each>(p.in, pixel_of<T>(p.in, b, position), c);
#pragma unroll
    for (int i = 0; i < each; ++i)
      if (c + i < p.out.channels) x.v[i] = x.v[i] * p.scale[c + i] + p.shift[c + i];
    store_channels(p.out, pixel_of<Out>(p.out, b, position), c, x);
  });
}

}  // namespace

extern "C" {
__global__ void activate_f32(const __grid_constant__ ActivateParams p) { activate_map<float>(p); }
__global__ void activate_f16(const __grid_constant__ ActivateParams p) { activate_map<__half>(p); }
__global__ void add_f32(const __grid_constant__ AddParams p) { add<float>(p); }
__global__ void add_f16(const __grid_constant__ AddParams p) { add<__half>(p); }
__global__ void scale_shift_f32(const __grid_constant__ ScaleShiftParams p) { scale_shift<float, float>(p); }
__global__ void scale_shift_f16(const __grid_constant__ ScaleShiftParams p) { scale_shift<__half, __half>(p); }
__global__ void scale_shift_f16_f32(const __grid_constant__ ScaleShiftParams p) { scale_shift<__half, float>(p); }
}

}  // namespace maskrt::kernels::cuda
