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

/// What one of `threads` threads stores of tiles of `columns` channels: always the same eight channels, of every
/// threads / (columns / 8)th pixel.
template <int columns, int threads>
struct SumStore {
  static constexpr int octets = columns / 8, pass = threads / octets;
  static_assert(threads % octets == 0);

  int first_row, column, channel;
  int count;   // channels of the group among the eight; the others are padding, or another group's
  int stored;  // channels that are stored
  cuda::Octet scale, bias;

  /// Thread number `thread`, for tiles whose first column is `first_channel` of the group.
  __device__ __forceinline__ void start(const ConvParams& p, unsigned thread, int first_channel, int group) {
    first_row = static_cast<int>(thread / octets);
    column = static_cast<int>(thread % octets * 8);
    channel = group * p.group_out + first_channel + column;
    count = min(p.group_out - first_channel - column, 8);
    const bool last_group = (group + 1) * p.group_out == p.out_channels;
    stored = last_group ? min(p.stored_channels - channel, 8) : count;
    const bool scaled = p.scale != nullptr, biased = p.bias != nullptr;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      scale.v[i] = scaled && i < count ? p.scale[channel + i] : 1.0f;
      bias.v[i] = biased && i < count ? p.bias[channel + i] : 0.0f;
    }
  }

  /// `rows` pixels from first_pixel on, whose sums are in lines of `line` in the staging area.
  template <int rows, int line>
  __device__ __forceinline__ void store(const ConvParams& p, const float* staging, int first_pixel) const {
    if (stored <= 0) return;
#pragma unroll 1
    for (int row = first_row; row < rows && first_pixel + row < p.pixels; row += pass) {
      cuda::Octet octet = cuda::load_octet(staging + row * line + column);
#pragma unroll
      for (int i = 0; i < 8; ++i) octet.v[i] = fmaf(octet.v[i], scale.v[i], bias.v[i]);
      finish(p, octet, first_pixel + row);
    }
  }

  /// The rest of one pixel's epilogue.
  __device__ __forceinline__ void finish(const ConvParams& p, cuda::Octet& octet, int pixel) const {
    const int image = p.image.quotient(pixel), position = p.image.remainder(pixel, image);
    int from = position;
    if (p.coordinates != nullptr || p.residual_shift != 0) {
      const int y = p.row.quotient(position), x = p.row.remainder(position, y);
      if (p.coordinates != nullptr) add_coordinates(octet, p, x, y, channel);
      from = (y >> p.residual_shift) * (static_cast<int>(p.row.divisor) >> p.residual_shift) + (x >> p.residual_shift);
    }
    if (p.residual != nullptr) {
      from = image * p.residual_batch_stride + from * p.residual_pixel_stride + channel;
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
};

}  // namespace maskrt::kernels
