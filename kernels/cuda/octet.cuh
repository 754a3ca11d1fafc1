// Eight neighbouring channels of one pixel, widened to fp32: how the kernels that are bound by memory read and write.
#pragma once

#include <cuda_fp16.h>

#include "map.h"

namespace maskrt::kernels::cuda {

struct Octet {
  float v[8];
};

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

/// From an address that is a multiple of 16 bytes.
__device__ inline Octet load_octet(const float* from) {
  const float4 a = *reinterpret_cast<const float4*>(from), b = *reinterpret_cast<const float4*>(from + 4);
  return {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
}
__device__ inline Octet load_octet(const __half* from) {
  const uint4 bits = *reinterpret_cast<const uint4*>(from);
  const auto pair = [](unsigned word) { return __half22float2(*reinterpret_cast<const __half2*>(&word)); };
  const float2 a = pair(bits.x), b = pair(bits.y), c = pair(bits.z), d = pair(bits.w);
  return {{a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y}};
}

/// To an address that is a multiple of 16 bytes.
__device__ inline void store_octet(float* to, const Octet& o) {
  *reinterpret_cast<float4*>(to) = make_float4(o.v[0], o.v[1], o.v[2], o.v[3]);
  *reinterpret_cast<float4*>(to + 4) = make_float4(o.v[4], o.v[5], o.v[6], o.v[7]);
}
__device__ inline void store_octet(__half* to, const Octet& o) {
  const auto pair = [](float low, float high) {
    const __half2 both = __floats2half2_rn(low, high);
    return *reinterpret_cast<const unsigned*>(&both);
  };
  *reinterpret_cast<uint4*>(to) =
      make_uint4(pair(o.v[0], o.v[1]), pair(o.v[2], o.v[3]), pair(o.v[4], o.v[5]), pair(o.v[6], o.v[7]));
}

/// The first channel of a pixel; `position` is y * width + x. A product of 32-bit numbers is one instruction.
template <typename T>
__device__ T* pixel_of(const Map& map, int b, int position) {
  return static_cast<T*>(map.data) + b * map.batch_stride + static_cast<std::int64_t>(position) * map.pixel_stride;
}

/// Channels c .. c + 7 of a pixel, zeros beyond the map's channels. c is a multiple of 8.
template <typename T>
__device__ Octet load_channels(const Map& map, const T* pixel, int c) {
  if (map.aligned != 0 && c + 8 <= map.block) return load_octet(pixel + c);
  Octet o;
#pragma unroll
  for (int i = 0; i < 8; ++i) o.v[i] = c + i < map.channels ? widen(pixel[c + i]) : 0.0f;
  return o;
}

/// Writes channels c .. c + 7 as far as they belong to the map: its padding as zeros, nothing beyond its block.
/// c is a multiple of 8.
template <typename T>
__device__ void store_channels(const Map& map, T* pixel, int c, Octet o) {
#pragma unroll
  for (int i = 0; i < 8; ++i) o.v[i] = c + i < map.channels ? o.v[i] : 0.0f;
  if (map.aligned != 0 && c + 8 <= map.block) {
    store_octet(pixel + c, o);
    return;
  }
#pragma unroll
  for (int i = 0; i < 8; ++i)
    if (c + i < map.block) pixel[c + i] = narrow<T>(o.v[i]);
}

}  // namespace maskrt::kernels::cuda
