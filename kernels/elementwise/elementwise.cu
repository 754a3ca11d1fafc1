// Operations that treat each element by itself. A thread takes 16 bytes of channels of one pixel. Bound by memory: each
// input is read once and the output written once, in 16-byte accesses where the maps allow it.
#include "elementwise_params.h"
#include "kernels/cuda/activate.cuh"
#include "kernels/cuda/for_channels.cuh"
#include "kernels/cuda/octet.cuh"

namespace maskrt::kernels::cuda {
namespace {

template <typename T>
__device__ void activate(const ActivateParams& p) {
  constexpr int each = kChannelsOfThread<T>;
  for_channels<each>(p.out, [&](int b, int position, int c) {
    Channels<each> x = load_channels<each>(p.in, pixel_of<T>(p.in, b, position), c);
#pragma unroll
    for (float& v : x.v) v = activated(static_cast<Activation>(p.activation), v);
    store_channels(p.out, pixel_of<T>(p.out, b, position), c, x);
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

template <typename T>
__device__ void scale_shift(const ScaleShiftParams& p) {
  constexpr int each = kChannelsOfThread<T>;
  for_channels<each>(p.out, [&](int b, int position, int c) {
    Channels<each> x = load_channels<each>(p.in, pixel_of<T>(p.in, b, position), c);
#pragma unroll
    for (int i = 0; i < each; ++i)
      if (c + i < p.out.channels) x.v[i] = x.v[i] * p.scale[c + i] + p.shift[c + i];
    store_channels(p.out, pixel_of<T>(p.out, b, position), c, x);
  });
}

}  // namespace

extern "C" {
__global__ void activate_f32(const __grid_constant__ ActivateParams p) { activate<float>(p); }
__global__ void activate_f16(const __grid_constant__ ActivateParams p) { activate<__half>(p); }
__global__ void add_f32(const __grid_constant__ AddParams p) { add<float>(p); }
__global__ void add_f16(const __grid_constant__ AddParams p) { add<__half>(p); }
__global__ void scale_shift_f32(const __grid_constant__ ScaleShiftParams p) { scale_shift<float>(p); }
__global__ void scale_shift_f16(const __grid_constant__ ScaleShiftParams p) { scale_shift<__half>(p); }
}

}  // namespace maskrt::kernels::cuda
