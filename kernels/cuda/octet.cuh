// Vectorised loads and stores of neighbouring channels of one pixel, computed on in fp32: the memory-bound kernels'
// accesses. A thread has as many channels as 16 bytes hold, eight of fp16 or four of fp32: neighbouring threads then
// fill whole 32-byte sectors with each access, where eight channels of fp32 would take two accesses that each use half
// of the sectors they touch.
#pragma once

#include <cuda_fp16.h>

#include "map.h"

namespace maskrt::kernels::cuda {

template <int N>
struct Channels {
  float v[N];
};
using Octet = Channels<8>;

/// Channels of one thread: as many as 16 bytes hold of the widest of the types.
template <typename... T>
constexpr int kChannelsOfThread = (sizeof(T) + ...) > sizeof...(T) * 2 ? 4 : 8;

__device__ inline float widen(float value) { return value; }
__device__ inline float widen(__half value) { return __half2float(value); }
template <typename T>
__device__ T narrow(float value);
template <>
__device__ inline float narrow<float>(float value) {
  return value;
}
template <>
__device__ inline __half narrow<__half>(float value) {
  return __float2half_rn(value);
}

/// Loads N = 4 or 8 elements from an address that is a multiple of min(16, N * sizeof(T)) bytes.
template <int N>
__device__ Channels<N> load_wide(const float* from) {
  Channels<N> o;
#pragma unroll
  for (int i = 0; i < N; i += 4) {
    const float4 four = *reinterpret_cast<const float4*>(from + i);
    o.v[i] = four.x, o.v[i + 1] = four.y, o.v[i + 2] = four.z, o.v[i + 3] = four.w;
  }
  return o;
}
template <int N>
__device__ Channels<N> load_wide(const __half* from) {
  const auto pair = [](unsigned word) { return __half22float2(*reinterpret_cast<const __half2*>(&word)); };
  if constexpr (N == 4) {
    const uint2 bits = *reinterpret_cast<const uint2*>(from);
    const float2 a = pair(bits.x), b = pair(bits.y);
    return {{a.x, a.y, b.x, b.y}};
  } else {
    const uint4 bits = *reinterpret_cast<const uint4*>(from);
    const float2 a = pair(bits.x), b = pair(bits.y), c = pair(bits.z), d = pair(bits.w);
    return {{a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y}};
  }
}
template <typename T>
__device__ Octet load_octet(const T* from) {
  return load_wide<8>(from);
}

/// Stores N elements; the address is aligned as for load_wide.
template <int N>
__device__ void store_wide(float* to, const Channels<N>& o) {
#pragma unroll
  for (int i = 0; i < N; i += 4)
    *reinterpret_cast<float4*>(to + i) = make_float4(o.v[i], o.v[i + 1], o.v[i + 2], o.v[i + 3]);
}
template <int N>
__device__ void store_wide(__half* to, const Channels<N>& o) {
  const auto pair = [](float low, float high) {
    const __half2 both = __floats2half2_rn(low, high);
    return *reinterpret_cast<const unsigned*>(&both);
  };
  if constexpr (N == 4) {
    *reinterpret_cast<uint2*>(to) = make_uint2(pair(o.v[0], o.v[1]), pair(o.v[2], o.v[3]));
  } else {
    *reinterpret_cast<uint4*>(to) =
        make_uint4(pair(o.v[0], o.v[1]), pair(o.v[2], o.v[3]), pair(o.v[4], o.v[5]), pair(o.v[6], o.v[7]));
  }
}
template <typename T>
__device__ void store_octet(T* to, const Octet& o) {
  store_wide(to, o);
}

/// Address of channel 0 of a pixel; `position` is y * width + x. The product of two 32-bit numbers as 64 bits is one
/// instruction (mad.wide).
template <typename T>
__device__ T* pixel_of(const Map& map, int b, int position) {
  return static_cast<T*>(map.data) + b * map.batch_stride + static_cast<std::int64_t>(position) * map.pixel_stride;
}

/// Loads channels c .. c + N - 1 of a pixel; zeros from map.channels on. c is a multiple of N.
template <int N = 8, typename T>
__device__ Channels<N> load_channels(const Map& map, const T* pixel, int c) {
  if (map.aligned != 0 && c + N <= map.block) return load_wide<N>(pixel + c);
  Channels<N> o;
#pragma unroll
  for (int i = 0; i < N; ++i) o.v[i] = c + i < map.channels ? widen(pixel[c + i]) : 0.0f;
  return o;
}

/// Sets those of channels c .. c + N - 1 to zero that do not exist.
template <int N>
__device__ void clear_beyond(int channels, int c, Channels<N>& x) {
  if (c + N <= channels) return;
#pragma unroll
  for (int i = 0; i < N; ++i)
    if (c + i >= channels) x.v[i] = 0;
}

/// Stores channels c .. c + N - 1 of a pixel: zeros in the padding [map.channels, map.block), nothing beyond. c is a
/// multiple of N.
template <int N, typename T>
__device__ void store_channels(const Map& map, T* pixel, int c, Channels<N> o) {
#pragma unroll
  for (int i = 0; i < N; ++i) o.v[i] = c + i < map.channels ? o.v[i] : 0.0f;
  if (map.aligned != 0 && c + N <= map.block) {
    store_wide(pixel + c, o);
    return;
  }
#pragma unroll
  for (int i = 0; i < N; ++i)
    if (c + i < map.block) pixel[c + i] = narrow<T>(o.v[i]);
}

}  // namespace maskrt::kernels::cuda
