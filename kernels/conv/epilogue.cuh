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
      reinterpret_cast<const float*>(p.coordinates) + heading + static_cast<long long>(at) * 3 * channels;
  const float factors[3] = {1, static_cast<float>(x), static_cast<float>(y)};
#pragma unroll
  for (int term = 0; term < 3; ++term, affine += channels) {
    if (channel % 8 == 0) {
#pragma unroll
      for (int half = 0; half < 8; half += 4) {
        const float4 four = *reinterpret_cast<const float4*>(affine + coordinate_place(channel + half, channels));
        octet.v[half] = fmaf(four.x, factors[term], octet.v[half]);
        octet.v[half + 1] = fmaf(four.y, factors[term], octet.v[half + 1]);
        octet.v[half + 2] = fmaf(four.z, factors[term], octet.v[half + 2]);
        octet.v[half + 3] = fmaf(four.w, factors[term], octet.v[half + 3]);
      }
    } else {
#pragma unroll
      for (int i = 0; i < 8; ++i)
        if (channel + i < channels)
          octet.v[i] = fmaf(affine[coordinate_place(channel + i, channels)], factors[term], octet.v[i]);
    }
  }
}

/// Where a channel of a line of sums is staged: of each eight the first four in the line's first half, the others in
/// its second, so that threads that read eight neighbours each, in two reads, meet every bank once. The second half
/// begins 4 words late, for the stores. Lines have at least columns + 4 words, a multiple of 4.
template <int columns>
__device__ constexpr int staged_place(int channel) {
  return channel % 8 / 4 * (columns / 2 + 4) + channel / 8 * 4 + channel % 4;
}

/// A thread's eight numbers of a vector of a tile's `columns` channels, of which the first `count` exist; `otherwise`
/// for those beyond. Octets are dealt to the lanes in turn. The warp reads the vector as one stretch of memory and
/// hands it out: lanes that read eight numbers each would touch every sector eight times.
template <int columns>
__device__ __forceinline__ cuda::Octet hand_out(const float* vector, int count, float otherwise) {
  constexpr int fours = columns / 4;
  const int lane = static_cast<int>(threadIdx.x % 32), octet = lane % (columns / 8);
  cuda::Octet mine;
  if (reinterpret_cast<std::uintptr_t>(vector) % 16 != 0 || (count % 4 != 0 && count < columns)) {
#pragma unroll
    for (int i = 0; i < 8; ++i) mine.v[i] = octet * 8 + i < count ? vector[octet * 8 + i] : otherwise;
    return mine;
  }
#pragma unroll
  for (int first = 0; first < fours; first += 32) {
    const int four = first + lane % min(fours, 32);
    float4 held = make_float4(otherwise, otherwise, otherwise, otherwise);
    if (four * 4 < count) held = reinterpret_cast<const float4*>(vector)[four];
    const float parts[4] = {held.x, held.y, held.z, held.w};
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int wanted = octet * 2 + i / 4 - first;
      const float value = __shfl_sync(0xffffffffu, parts[i % 4], wanted % 32);
      if (first == 0 || wanted >= 0) mine.v[i] = value;
    }
  }
  return mine;
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

  /// Thread number `thread`, for tiles whose first column is `first_channel` of the group. Called by whole warps.
  __device__ __forceinline__ void start(const ConvParams& p, unsigned thread, int first_channel, int group) {
    first_row = static_cast<int>(thread / octets);
    column = static_cast<int>(thread % octets * 8);
    channel = group * p.group_out + first_channel + column;
    count = min(p.group_out - first_channel - column, 8);
    const bool last_group = (group + 1) * p.group_out == p.out_channels;
    stored = last_group ? min(p.stored_channels - channel, 8) : count;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      scale.v[i] = 1.0f;
      bias.v[i] = 0.0f;
    }
    const int first = group * p.group_out + first_channel, left = p.group_out - first_channel;
    if (p.scale != nullptr) scale = hand_out<columns>(p.scale + first, left, 1.0f);
    if (p.bias != nullptr) bias = hand_out<columns>(p.bias + first, left, 0.0f);
  }

  /// `rows` pixels from first_pixel on, whose sums are in lines of `line` in the staging area, as staged_place says.
  template <int rows, int line>
  __device__ __forceinline__ void store(const ConvParams& p, const float* staging, int first_pixel) const {
    if (stored <= 0) return;
#pragma unroll 1
    for (int row = first_row; row < rows && first_pixel + row < p.pixels; row += pass) {
      const float* const low = staging + row * line + staged_place<columns>(column);
      const float4 a = *reinterpret_cast<const float4*>(low);
      const float4 b = *reinterpret_cast<const float4*>(low + staged_place<columns>(4));
      cuda::Octet octet = {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
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
    for (int i = 0; i < 8; ++i) octet.v[i] = i < count ? cuda::activated(p.activation, octet.v[i], p.slope) : 0.0f;
    const int to = image * p.out_batch_stride + position * p.out_pixel_stride + channel;
    if (p.out_f32 != 0) {
      store_octet(static_cast<float*>(p.out) + to, octet, p.out_vector, stored);
    } else {
      store_octet(static_cast<__half*>(p.out) + to, octet, p.out_vector, stored);
    }
  }
};

}  // namespace maskrt::kernels
