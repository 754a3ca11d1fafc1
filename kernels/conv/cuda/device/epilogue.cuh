// Epilogue of the convolutions: activation(sum * scale + bias + coordinate term + residual), rounded once, at the
// store.
//
// The accumulators are staged in shared memory as fp32 so that each thread then has 8 channels of a pixel and
// neighbouring threads have neighbouring channels: 16-byte accesses to global memory that fill whole sectors. In fp16
// the 8 channels are neighbours. In fp32 they are two groups of 4, 8 channels apart, because each 16-byte access of a
// warp should fill whole sectors: two threads share 16 channels, the first has channels 0..3 and 8..11.
// Example: a tile of 64 columns has 8 octets; with 128 threads a pass covers 16 pixels. With group_out = 100 and a
// group stride of 112 (padded groups), the thread with channels 96..103 stores 4 results and 4 zeros, the next one 8
// zeros.
#pragma once

#include "kernels/conv/cuda/conv_params.h"
#include "kernels/cuda/activate.cuh"
#include "kernels/cuda/octet.cuh"

namespace maskrt::kernels {

/// Channels from a thread's first group of four to its second: 4 in fp16 (neighbours), 8 in fp32.
template <typename T>
constexpr int kFourDistance = sizeof(T) == 4 ? 8 : 4;

/// The first channel of the octet number `octet` of a pixel.
template <typename T>
__device__ __forceinline__ constexpr int first_of_octet(int octet) {
  return kFourDistance<T> == 8 ? octet / 2 * 16 + octet % 2 * 4 : octet * 8;
}

/// Four neighbouring elements, loaded or stored in one access.
template <typename T>
struct alignas(4 * sizeof(T)) Four {
  T v[4];
};

/// octet += the channels at `from`: two groups of four, `apart` channels apart. One access may load `vector`
/// neighbouring channels; of the channels from the first on, `count` exist.
template <int apart, typename T>
__device__ __forceinline__ void add_octet(cuda::Octet& octet, const T* from, int vector, int count) {
  if (apart == 4 && vector == 8 && count >= 8) {
    const cuda::Octet more = cuda::load_octet(from);
#pragma unroll
    for (int i = 0; i < 8; ++i) octet.v[i] += more.v[i];
    return;
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    if (apart == 8 && vector >= 4 && count >= half * apart + 4) {
      const Four<T> four = *reinterpret_cast<const Four<T>*>(from + half * apart);
#pragma unroll
      for (int i = 0; i < 4; ++i) octet.v[half * 4 + i] += cuda::widen(four.v[i]);
    } else {
#pragma unroll
      for (int i = 0; i < 4; ++i)
        if (half * apart + i < count) octet.v[half * 4 + i] += cuda::widen(from[half * apart + i]);
    }
  }
}

/// Stores an octet to `to`; parameters as for add_octet.
template <int apart, typename T>
__device__ __forceinline__ void store_octet(T* to, const cuda::Octet& octet, int vector, int count) {
  if (apart == 4 && vector == 8 && count >= 8) {
    cuda::store_octet(to, octet);
    return;
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    if (vector >= 4 && count >= half * apart + 4) {
      Four<T> four;
#pragma unroll
      for (int i = 0; i < 4; ++i) four.v[i] = cuda::narrow<T>(octet.v[half * 4 + i]);
      *reinterpret_cast<Four<T>*>(to + half * apart) = four;
    } else {
#pragma unroll
      for (int i = 0; i < 4; ++i)
        if (half * apart + i < count) to[half * apart + i] = cuda::narrow<T>(octet.v[half * 4 + i]);
    }
  }
}

/// octet += the coordinate term at output position (x, y) of a thread's channels, the first of which is `channel`.
template <typename T>
__device__ __forceinline__ void add_coordinates(cuda::Octet& octet, const ConvParams& p, int x, int y, int channel) {
  constexpr int apart = kFourDistance<T>;
  const int width = static_cast<int>(p.row.divisor);
  const int at = p.coordinates[y] + p.coordinates[p.out_height + x];
  const int channels = (p.out_channels + 7) & ~7, heading = (p.out_height + width + 3) & ~3;
  const float* affine =
      reinterpret_cast<const float*>(p.coordinates) + heading + static_cast<long long>(at) * 3 * channels;
  const auto place = [&](int i) { return coordinate_index(channel + i, channels, apart == 8); };
  const float factors[3] = {1, static_cast<float>(x), static_cast<float>(y)};
#pragma unroll
  for (int term = 0; term < 3; ++term, affine += channels) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      if (channel % 4 == 0 && (apart == 4 ? channel % 8 == 0 : channel + half * apart < channels)) {
        const float4 four = *reinterpret_cast<const float4*>(affine + place(half * apart));
        octet.v[half * 4] = fmaf(four.x, factors[term], octet.v[half * 4]);
        octet.v[half * 4 + 1] = fmaf(four.y, factors[term], octet.v[half * 4 + 1]);
        octet.v[half * 4 + 2] = fmaf(four.z, factors[term], octet.v[half * 4 + 2]);
        octet.v[half * 4 + 3] = fmaf(four.w, factors[term], octet.v[half * 4 + 3]);
      } else {
#pragma unroll
        for (int i = 0; i < 4; ++i)
          if (channel + half * apart + i < channels)
            octet.v[half * 4 + i] = fmaf(affine[place(half * apart + i)], factors[term], octet.v[half * 4 + i]);
      }
    }
  }
}

/// Index of a channel within a line of the staging buffer: channels with channel % 8 < 4 in the first half, the others
/// in the second, so that threads which read two groups of four each have no bank conflicts. The second half is shifted
/// by 4 words against conflicts of the stores. A line has at least columns + 4 words, a multiple of 4.
template <int columns>
__device__ constexpr int staging_index(int channel) {
  return channel % 8 / 4 * (columns / 2 + 4) + channel / 8 * 4 + channel % 4;
}

/// Loads this thread's eight values of a per-channel vector (scale or bias) over a tile's `columns` channels, of which
/// the first `count` exist; `otherwise` for the rest. Lane l has octet l % (columns / 8). The warp loads the vector
/// once, coalesced, and distributes it by shuffles: if each lane loaded its own eight values, the warp would touch
/// every sector eight times.
template <int columns, typename T>
__device__ __forceinline__ cuda::Octet load_per_channel(const float* vector, int count, float otherwise) {
  constexpr int fours = columns / 4, apart = kFourDistance<T>;
  const int lane = static_cast<int>(threadIdx.x % 32), begin = first_of_octet<T>(lane % (columns / 8));
  cuda::Octet mine;
  if (reinterpret_cast<std::uintptr_t>(vector) % 16 != 0 || (count % 4 != 0 && count < columns)) {
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int channel = begin + i / 4 * apart + i % 4;
      mine.v[i] = channel < count ? vector[channel] : otherwise;
    }
    return mine;
  }
#pragma unroll
  for (int first = 0; first < fours; first += 32) {
    const int four = first + lane % min(fours, 32);
    float4 held = make_float4(otherwise, otherwise, otherwise, otherwise);
    if (four * 4 < count) held = reinterpret_cast<const float4*>(vector)[four];
    const float values[4] = {held.x, held.y, held.z, held.w};
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int wanted = begin / 4 + i / 4 * (apart / 4) - first;
      const float value = __shfl_sync(0xffffffffu, values[i % 4], wanted % 32);
      if (first == 0 || wanted >= 0) mine.v[i] = value;
    }
  }
  return mine;
}

/// The epilogue of one of `threads` threads for tiles of `columns` channels: the thread has the same eight channels of
/// every pass-th pixel. T is the type of the convolution's input. Where it does not scale, what is staged is scaled and
/// has its bias.
template <int columns, int threads, typename T, bool scales = true>
struct Epilogue {
  static constexpr int kOctets = columns / 8, kPass = threads / kOctets, kApart = kFourDistance<T>;
  static_assert(threads % kOctets == 0 && kOctets % 2 == 0);

  int first_row, column;
  int channel;  // the thread's first channel as an element of a pixel of `out`
  int count;    // channels of the group from there on; later ones are padding or belong to another group
  int stored;   // channels to store from there on: count, and padding
  cuda::Octet scale, bias;

  /// Prepares thread `thread` for tiles whose first column is channel `first_channel` of the group. Called by whole
  /// warps.
  __device__ __forceinline__ void start(const ConvParams& p, unsigned thread, int first_channel, int group) {
    first_row = static_cast<int>(thread / kOctets);
    // Of 32 channels eight lanes read two lines of the staging buffer, which are 40 words apart: those of neighbours
    // share banks, those of every other line do not.
    if constexpr (kOctets == 4) first_row = (first_row & ~3) | (first_row & 1) << 1 | (first_row >> 1 & 1);
    column = first_of_octet<T>(static_cast<int>(thread % kOctets));
    const int in_group = first_channel + column;
    channel = group * p.out_group_stride + in_group;
    count = p.group_out - in_group;
    const bool padded = p.out_group_stride != p.group_out || (group + 1) * p.group_out == p.out_channels;
    stored = padded ? p.group_stored - in_group : count;
    if constexpr (scales) {
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        scale.v[i] = 1.0f;
        bias.v[i] = 0.0f;
      }
      const int first = group * p.group_out + first_channel, left = p.group_out - first_channel;
      if (p.scale != nullptr) scale = load_per_channel<columns, T>(p.scale + first, left, 1.0f);
      if (p.bias != nullptr) bias = load_per_channel<columns, T>(p.bias + first, left, 0.0f);
    }
  }

  template <int rows, int line>
  __device__ __forceinline__ void store(const ConvParams& p, const float* staging, int first_pixel) const {
    store<line>(p, staging, first_pixel, rows);
  }
  /// Stores this thread's share of `rows` pixels from first_pixel on, whose accumulators are in the staging buffer: one
  /// line of `line` words for each pixel, channels in the order of staging_index.
  template <int line>
  __device__ __forceinline__ void store(const ConvParams& p, const float* staging, int first_pixel, int rows) const {
    if (stored <= 0) return;
#pragma unroll 1
    for (int row = first_row; row < rows && first_pixel + row < p.pixels; row += kPass)
      store_pixel(p, staging + row * line, first_pixel + row);
  }
  /// Stores this thread's channels of one pixel, whose accumulators are a line of the staging buffer. Only where
  /// `stored` is positive.
  __device__ __forceinline__ void store_pixel(const ConvParams& p, const float* staged, int pixel) const {
    const float* const first = staged + staging_index<columns>(column);
    const float4 a = *reinterpret_cast<const float4*>(first);
    const float4 b = *reinterpret_cast<const float4*>(first + staging_index<columns>(kApart));
    cuda::Octet octet = {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
    affine(octet);
    finish(p, octet, pixel);
  }

  __device__ __forceinline__ void affine(cuda::Octet& octet) const {
    if constexpr (scales) {
#pragma unroll
      for (int i = 0; i < 8; ++i) octet.v[i] = fmaf(octet.v[i], scale.v[i], bias.v[i]);
    }
  }

  /// This thread's channels of one pixel before activation and store, where there is no coordinate term and no residual
  /// but one of the output's shape in fp16 whose vectors are aligned.
  __device__ __forceinline__ cuda::Octet sum_of(const ConvParams& p, const float* staged, int pixel) const {
    static_assert(kApart == 4);
    const float* const first = staged + staging_index<columns>(column);
    const float4 a = *reinterpret_cast<const float4*>(first);
    const float4 b = *reinterpret_cast<const float4*>(first + staging_index<columns>(kApart));
    cuda::Octet octet = {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
    affine(octet);
    if (p.residual != nullptr) {
      const int image = p.image.quotient(pixel), position = p.image.remainder(pixel, image);
      const cuda::Octet more =
          cuda::load_octet(static_cast<const __half*>(p.residual) + image * p.residual_batch_stride +
                           position * p.residual_pixel_stride + channel);
#pragma unroll
      for (int i = 0; i < 8; ++i) octet.v[i] += more.v[i];
    }
    return octet;
  }
  /// Stores them in fp16, where vectors are aligned.
  __device__ __forceinline__ void store_octet_of(const ConvParams& p, const cuda::Octet& octet, int pixel) const {
    const int image = p.image.quotient(pixel), position = p.image.remainder(pixel, image);
    cuda::store_octet(
        static_cast<__half*>(p.out) + image * p.out_batch_stride + position * p.out_pixel_stride + channel, octet);
  }

  /// Coordinate term, residual, activation and store of one pixel.
  __device__ __forceinline__ void finish(const ConvParams& p, cuda::Octet& octet, int pixel) const {
    const int image = p.image.quotient(pixel), position = p.image.remainder(pixel, image);
    int from = position;
    if (p.coordinates != nullptr || p.residual_shift != 0) {
      const int y = p.row.quotient(position), x = p.row.remainder(position, y);
      if (p.coordinates != nullptr) add_coordinates<T>(octet, p, x, y, channel);
      from = (y >> p.residual_shift) * (static_cast<int>(p.row.divisor) >> p.residual_shift) + (x >> p.residual_shift);
    }
    // Convolutions of f32 inputs have f32 outputs.
    const bool f32 = sizeof(T) == 4 || p.out_f32 != 0;
    if (p.residual != nullptr) {
      from = image * p.residual_batch_stride + from * p.residual_pixel_stride + channel;
      if (f32) {
        add_octet<kApart>(octet, static_cast<const float*>(p.residual) + from, p.residual_vector, count);
      } else {
        add_octet<kApart>(octet, static_cast<const __half*>(p.residual) + from, p.residual_vector, count);
      }
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const bool exists = i / 4 * kApart + i % 4 < count;
      octet.v[i] = exists ? cuda::activated(p.activation, octet.v[i], p.slope) : 0.0f;
    }
    const int to = image * p.out_batch_stride + position * p.out_pixel_stride + channel;
    if (f32) {
      store_octet<kApart>(static_cast<float*>(p.out) + to, octet, p.out_vector, stored);
    } else {
      store_octet<kApart>(static_cast<__half*>(p.out) + to, octet, p.out_vector, stored);
    }
  }
};

}  // namespace maskrt::kernels
