// What happens to a convolution's sums on their way to memory.
//
// Sums come through shared memory, in f32, so that a thread has eight neighbouring channels of a pixel and neighbouring
// threads have neighbouring channels: accesses of 16 bytes, whole sectors. Each number is rounded once, at the store.
#pragma once

#include "../cuda/activate.cuh"
#include "../cuda/octet.cuh"
#include "conv_params.h"

namespace maskrt::kernels {

/// octet += the first `count` channels at an address where `vector` channels may be taken at once.
template <typename T>
__device__ __forceinline__ void add_octet(cuda::Octet& octet, const T* from, int vector, int count) {
  if (vector == 8 && count == 8) {
    const cuda::Octet more = cuda::load_octet(from);
#pragma unroll
    for (int i = 0; i < 8; ++i) octet.v[i] += more.v[i];
    return;
  }
#pragma unroll
  for (int i = 0; i < 8; ++i)
    if (i < count) octet.v[i] += cuda::widen(from[i]);
}

/// Stores the first `count` channels at an address where `vector` channels may be stored at once.
template <typename T>
__device__ __forceinline__ void store_octet(T* to, const cuda::Octet& octet, int vector, int count) {
  if (vector == 8 && count == 8) {
    cuda::store_octet(to, octet);
    return;
  }
#pragma unroll
  for (int half = 0; half < 8; half += 4) {
    if (vector >= 4 && count >= half + 4) {
      struct alignas(4 * sizeof(T)) Four {
        T v[4];
      } four;
#pragma unroll
      for (int i = 0; i < 4; ++i) four.v[i] = cuda::narrow<T>(octet.v[half + i]);
      *reinterpret_cast<Four*>(to + half) = four;
    } else {
#pragma unroll
      for (int i = half; i < half + 4; ++i)
        if (i < count) to[i] = cuda::narrow<T>(octet.v[i]);
    }
  }
}

/// octet += the coordinate term of channels `channel` to `channel + 7` (a multiple of 8) at (x, y).
__device__ __forceinline__ void add_coordinates(cuda::Octet& octet, const ConvParams& p, int x, int y, int channel) {
  const int width = static_cast<int>(p.row.divisor);
  const int at = p.coordinates[y] + p.coordinates[p.out_height + x];
  const int channels = (p.out_channels + 7) & ~7, heading = (p.out_height + width + 3) & ~3;
  const float* affine =
      reinterpret_cast<const float*>(p.coordinates) + heading + static_cast<long long>(at) * 3 * channels + channel;
  if (channel % 8 == 0) {
    const cuda::Octet a = cuda::load_octet(affine), by_x = cuda::load_octet(affine + channels),
                      by_y = cuda::load_octet(affine + 2 * channels);
#pragma unroll
    for (int i = 0; i < 8; ++i)
      octet.v[i] += fmaf(by_y.v[i], static_cast<float>(y), fmaf(by_x.v[i], static_cast<float>(x), a.v[i]));
  } else {
#pragma unroll
    for (int i = 0; i < 8; ++i)
      if (channel + i < channels)
        octet.v[i] += fmaf(affine[2 * channels + i], static_cast<float>(y),
                           fmaf(affine[channels + i], static_cast<float>(x), affine[i]));
  }
}

/// Takes `rows` x `columns` sums that start at (first_pixel, first_channel of the group) from the staging area, whose
/// rows are `line` long, to the output. For `threads` threads, of which this one is number `thread`.
template <int rows, int columns, int line, int threads>
__device__ __forceinline__ void store_sums(const ConvParams& p, const float* staging, unsigned thread, int first_pixel,
                                           int first_channel, int group) {
  constexpr int octets = columns / 8, pass = threads / octets;
  static_assert(threads % octets == 0);
  const int column = static_cast<int>(thread % octets * 8), in_group = first_channel + column;
  const int channel = group * p.group_out + in_group;
  const int count = min(p.group_out - in_group, 8);  // the rest of the octet is padding, or another group's
  const bool last_group = (group + 1) * p.group_out == p.out_channels;
  const int stored = last_group ? min(p.stored_channels - channel, 8) : count;
  if (stored <= 0) return;

  cuda::Octet bias = {};
  if (p.bias != nullptr) {
#pragma unroll
    for (int i = 0; i < 8; ++i) bias.v[i] = i < count ? p.bias[channel + i] : 0.0f;
  }
#pragma unroll 1
  for (int row = static_cast<int>(thread / octets); row < rows; row += pass) {
    const int pixel = first_pixel + row;
    if (pixel >= p.pixels) return;
    const float* sums = staging + row * line + column;
    cuda::Octet octet = cuda::load_octet(sums);
#pragma unroll
    for (int i = 0; i < 8; ++i) octet.v[i] += bias.v[i];

    const int image = p.image.quotient(pixel), position = p.image.remainder(pixel, image);
    if (p.coordinates != nullptr || p.residual_shift != 0) {
      const int y = p.row.quotient(position), x = p.row.remainder(position, y);
      if (p.coordinates != nullptr) add_coordinates(octet, p, x, y, channel);
      if (p.residual != nullptr) {
        const int from = image * p.residual_batch_stride + channel +
                         ((y >> p.residual_shift) * (static_cast<int>(p.row.divisor) >> p.residual_shift) +
                          (x >> p.residual_shift)) *
                             p.residual_pixel_stride;
        if (p.out_f32 != 0) {
          add_octet(octet, static_cast<const float*>(p.residual) + from, p.residual_vector, count);
        } else {
          add_octet(octet, static_cast<const __half*>(p.residual) + from, p.residual_vector, count);
        }
      }
    } else if (p.residual != nullptr) {
      const int from = image * p.residual_batch_stride + position * p.residual_pixel_stride + channel;
      if (p.out_f32 != 0) {
        add_octet(octet, static_cast<const float*>(p.residual) + from, p.residual_vector, count);
      } else {
        add_octet(octet, static_cast<const __half*>(p.residual) + from, p.residual_vector, count);
      }
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) octet.v[i] = i < count ? cuda::activated(p.activation, octet.v[i]) : 0.0f;

    const int to = image * p.out_batch_stride + position * p.out_pixel_stride + channel;
    if (p.out_f32 != 0) {
      store_octet(static_cast<float*>(p.out) + to, octet, p.out_vector, stored);
    } else {
      store_octet(static_cast<__half*>(p.out) + to, octet, p.out_vector, stored);
    }
  }
}

}  // namespace maskrt::kernels
