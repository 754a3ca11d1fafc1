// Convolution as a matrix product whose left side is never written down: where each element of it lies in the map.
//
// Tiles come into shared memory in pieces of 16 bytes. A tile's row is 4 or 8 pieces long (64 or 128 bytes); pieces are
// permuted within 128 bytes so that eight threads that touch one piece of eight neighbouring rows, or eight
// neighbouring pieces, meet 32 different banks.
#pragma once

#include <cstdint>

#include "kernels/ptx/cp_async.cuh"
#include "kernels/ptx/shared_address.cuh"
#include "kernels/conv/cuda/conv_params.h"

namespace maskrt::kernels {

template <typename T>
constexpr int elements_of_piece = 16 / static_cast<int>(sizeof(T));

/// The byte in a tile at which a piece of a row begins. For piece = a | b with disjoint bits it is that of a, xor b *
/// 16; rows a multiple of 8 apart differ by their distance times the row's bytes.
template <int pieces>
__device__ __forceinline__ std::uint32_t swizzled(int row, int piece) {
  static_assert(pieces == 4 || pieces == 8);
  const int flip = pieces == 8 ? row & 7 : (row >> 1) & 3;
  return static_cast<std::uint32_t>(row * pieces * 16 + ((piece ^ flip) << 4));
}

/// The window of one output pixel.
struct Window {
  int first;         // element of in at which tap (0, 0), channel 0 would lie; may be negative
  unsigned outside;  // bit y: tap row y lies outside of the map (15: there is none); bit 16 + x: tap column x
};

__device__ __forceinline__ Window window_of(const ConvParams& p, int pixel) {
  const bool exists = pixel < p.pixels;
  if (!exists) pixel = 0;
  const int image = p.image.quotient(pixel), position = p.image.remainder(pixel, image);
  const int out_y = p.row.quotient(position), out_x = p.row.remainder(position, out_y);
  const int y = out_y * p.stride_y - p.padding_y, x = out_x * p.stride_x - p.padding_x;
  unsigned rows = 0, columns = 0;
  for (int k = 0; k < p.kernel_height; ++k)
    rows |= static_cast<unsigned>(static_cast<unsigned>(y + k * p.dilation) < static_cast<unsigned>(p.height)) << k;
  for (int k = 0; k < p.kernel_width; ++k)
    columns |= static_cast<unsigned>(static_cast<unsigned>(x + k * p.dilation) < static_cast<unsigned>(p.width)) << k;
  return {image * p.in_batch_stride + (y * p.width + x) * p.in_pixel_stride, exists ? ~(rows | columns << 16) : ~0u};
}

/// A place in the depth: a tap and a channel, kept by additions alone.
struct DepthCursor {
  int channel;  // of the tap
  int offset;   // elements from Window::first
  int tap_y, tap_x;
  unsigned tap;  // as in Window::outside; a tap row of 15 is beyond the kernel

  __device__ __forceinline__ void start(const ConvParams& p, int at) {
    const int number = at / p.tap_channels;
    channel = at - number * p.tap_channels;
    tap_y = min(number / p.kernel_width, 15);
    tap_x = number % p.kernel_width;
    offset = (tap_y * p.width + tap_x) * p.dilation * p.in_pixel_stride + channel;
    tap = 1u << tap_y | 0x10000u << tap_x;
  }
  __device__ __forceinline__ void advance(const ConvParams& p, int by) {
    channel += by;
    offset += by;
    while (channel >= p.tap_channels) {
      channel -= p.tap_channels;
      offset += p.dilation * p.in_pixel_stride - p.tap_channels;
      if (++tap_x == p.kernel_width) {
        tap_x = 0;
        tap_y = min(tap_y + 1, 15);
        offset += (p.width - p.kernel_width) * p.dilation * p.in_pixel_stride;
      }
      tap = 1u << tap_y | 0x10000u << tap_x;
    }
  }
};

/// 16 bytes into shared memory from an aligned address, or zeros: a cp.async where the chip has it.
__device__ __forceinline__ void copy_piece(std::uint32_t shared, const void* from, bool zeros) {
#if __CUDA_ARCH__ >= 800
  ptx::cp_async_16_or_zeros(shared, from, zeros);
#else
  *static_cast<uint4*>(__cvta_shared_to_generic(shared)) = zeros ? uint4{} : *static_cast<const uint4*>(from);
#endif
}

/// The first `count` elements from an address of any alignment, zeros behind them.
template <typename T>
__device__ __forceinline__ void copy_elements(std::uint32_t shared, const T* from, int count) {
  alignas(16) T piece[elements_of_piece<T>] = {};
#pragma unroll
  for (int i = 0; i < elements_of_piece<T>; ++i)
    if (i < count) piece[i] = from[i];
  *static_cast<uint4*>(__cvta_shared_to_generic(shared)) = *reinterpret_cast<const uint4*>(piece);
}

/// Commits and waits are nothing where copies are plain loads and stores.
__device__ __forceinline__ void commit_pieces() {
#if __CUDA_ARCH__ >= 800
  ptx::cp_async_commit();
#endif
}
template <int pending>
__device__ __forceinline__ void wait_for_pieces() {
#if __CUDA_ARCH__ >= 800
  ptx::cp_async_wait<pending>();
#endif
}

/// Brings the left side's tiles, `rows` pixels by `pieces` pieces of the depth, step after step.
template <typename T, int rows, int pieces, int threads, bool any_alignment = false>
struct PixelLoader {
  static constexpr int pass = threads / pieces, passes = rows / pass;
  static_assert(threads % pieces == 0 && rows % pass == 0 && pass % 8 == 0);

  int first[passes];
  unsigned outside[passes];
  DepthCursor cursor;
  std::uint32_t place;  // of this thread's first piece in a tile

  __device__ __forceinline__ void start(const ConvParams& p, int first_pixel, int group, int first_step) {
    const int row = static_cast<int>(threadIdx.x / pieces), piece = static_cast<int>(threadIdx.x % pieces);
    place = swizzled<pieces>(row, piece);
#pragma unroll
    for (int i = 0; i < passes; ++i) {
      const Window window = window_of(p, first_pixel + row + i * pass);
      first[i] = window.first + group * p.group_in;
      outside[i] = window.outside;
    }
    cursor.start(p, (first_step * pieces + piece) * elements_of_piece<T>);
  }
  /// Begins to fill the tile at `shared` and steps on.
  __device__ __forceinline__ void load(const ConvParams& p, std::uint32_t shared) {
#pragma unroll
    for (int i = 0; i < passes; ++i) {
      const bool zeros = (outside[i] & cursor.tap) != 0;
      const T* from = static_cast<const T*>(p.in) + (first[i] + cursor.offset);
      const std::uint32_t to = shared + place + static_cast<std::uint32_t>(i * pass * pieces * 16);
      if (any_alignment && p.in_wide == 0) {
        copy_elements(to, from, zeros ? 0 : p.group_in - cursor.channel);
      } else {
        copy_piece(to, from, zeros);
      }
    }
    cursor.advance(p, pieces * elements_of_piece<T>);
  }
  /// The same in two halves, by way of registers: begins to read this thread's pieces and steps on ...
  __device__ __forceinline__ void fetch(const ConvParams& p, uint4 (&held)[passes]) {
#pragma unroll
    for (int i = 0; i < passes; ++i) {
      const T* from = static_cast<const T*>(p.in) + (first[i] + cursor.offset);
      held[i] = (outside[i] & cursor.tap) != 0 ? uint4{} : *reinterpret_cast<const uint4*>(from);
    }
    cursor.advance(p, pieces * elements_of_piece<T>);
  }
  /// ... and writes them into the tile at `shared`.
  __device__ __forceinline__ void put(std::uint32_t shared, const uint4 (&held)[passes]) const {
#pragma unroll
    for (int i = 0; i < passes; ++i)
      *static_cast<uint4*>(
          __cvta_shared_to_generic(shared + place + static_cast<std::uint32_t>(i * pass * pieces * 16))) = held[i];
  }
};

/// Brings the right side's tiles: `rows` output channels by `pieces` pieces of the depth.
template <typename T, int rows, int pieces, int threads>
struct WeightLoader {
  static constexpr int pass = threads / pieces, passes = rows / pass;
  static_assert(threads % pieces == 0 && rows % pass == 0 && pass % 8 == 0);

  const T* from;
  int channels;  // from this thread's first row to the group's end
  std::uint32_t place;

  __device__ __forceinline__ void start(const ConvParams& p, int first_channel, int group, int first_step) {
    const int row = static_cast<int>(threadIdx.x / pieces), piece = static_cast<int>(threadIdx.x % pieces);
    place = swizzled<pieces>(row, piece);
    channels = p.group_out - first_channel - row;
    from = static_cast<const T*>(p.weights) +
           static_cast<long long>(group * p.group_out + first_channel + row) * p.depth +
           (first_step * pieces + piece) * elements_of_piece<T>;
  }
  __device__ __forceinline__ void load(const ConvParams& p, std::uint32_t shared) {
#pragma unroll
    for (int i = 0; i < passes; ++i) {
      copy_piece(shared + place + static_cast<std::uint32_t>(i * pass * pieces * 16),
                 from + static_cast<long long>(i * pass) * p.depth, i * pass >= channels);
    }
    from += pieces * elements_of_piece<T>;
  }
  /// As PixelLoader's.
  __device__ __forceinline__ void fetch(const ConvParams& p, uint4 (&held)[passes]) {
#pragma unroll
    for (int i = 0; i < passes; ++i) {
      const T* row = from + static_cast<long long>(i * pass) * p.depth;
      held[i] = i * pass >= channels ? uint4{} : *reinterpret_cast<const uint4*>(row);
    }
    from += pieces * elements_of_piece<T>;
  }
  __device__ __forceinline__ void put(std::uint32_t shared, const uint4 (&held)[passes]) const {
#pragma unroll
    for (int i = 0; i < passes; ++i)
      *static_cast<uint4*>(
          __cvta_shared_to_generic(shared + place + static_cast<std::uint32_t>(i * pass * pieces * 16))) = held[i];
  }
};

}  // namespace maskrt::kernels
