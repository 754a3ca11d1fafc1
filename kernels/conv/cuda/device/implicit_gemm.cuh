// Implicit GEMM: loads tiles of the left operand, the im2col matrix, straight from the map, without materialising that
// matrix; and tiles of the right operand, the packed weights.
//
// Tiles are loaded into shared memory in chunks of 16 bytes. A tile's row has 4 or 8 chunks (64 or 128 bytes of depth).
// Swizzle: chunks are permuted within 128 bytes so that eight threads that access the same chunk of eight neighbouring
// rows (ldmatrix), or eight neighbouring chunks (stores), hit 32 different banks.
//
// Example: a 3 x 3 convolution with padding 1 on 20 channels in fp16 has 9 taps of 24 elements (tap_channels), 3 chunks
// each. A row of the map that has 24 channels a pixel is read as 3 chunks a tap; taps outside of the map are filled
// with zeros by cp.async's ignore-src. The depth of 216 is padded to 256 elements, four steps of 64.
#pragma once

#include <cstdint>

#include "kernels/conv/cuda/conv_params.h"
#include "kernels/ptx/cp_async.cuh"
#include "kernels/ptx/shared_address.cuh"

namespace maskrt::kernels {

template <typename T>
constexpr int kElementsOfChunk = 16 / static_cast<int>(sizeof(T));

/// Swizzled byte offset of a chunk of a row within a tile. For piece = a | b with disjoint bits the offset is that of
/// a, XOR b * 16; the offsets of rows a multiple of 8 apart differ by that distance times the bytes of a row.
template <int chunks>
__device__ __forceinline__ std::uint32_t swizzled(int row, int chunk) {
  static_assert(chunks == 4 || chunks == 8);
  const int flip = chunks == 8 ? row & 7 : (row >> 1) & 3;
  return static_cast<std::uint32_t>(row * chunks * 16 + ((chunk ^ flip) << 4));
}

/// The convolution window of one output pixel.
struct Window {
  int first;         // element index in `in` of tap (0, 0), channel 0; negative where that tap lies before the map
  unsigned outside;  // bit y: tap row y lies outside of the map or the kernel; bit 16 + x: tap column x likewise
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

/// A position along the depth: a tap and a channel of it, advanced by additions alone.
struct DepthCursor {
  int channel;  // channel within the tap
  int offset;   // elements from Window::first
  int tap_y, tap_x;
  unsigned tap;  // the tap's row and column as bits of Window::outside; tap row 15 stands for the padding of the depth

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

/// Copies 16 bytes from an aligned address to shared memory, or writes zeros. cp.async from sm_80 on.
__device__ __forceinline__ void copy_chunk(std::uint32_t shared, const void* from, bool zeros) {
#if __CUDA_ARCH__ >= 800
  ptx::cp_async_16_or_zeros(shared, from, zeros);
#else
  *static_cast<uint4*>(__cvta_shared_to_generic(shared)) = zeros ? uint4{} : *static_cast<const uint4*>(from);
#endif
}

/// Copies `count` elements from an address of any alignment to a chunk in shared memory and fills the chunk with zeros.
template <typename T>
__device__ __forceinline__ void copy_elements(std::uint32_t shared, const T* from, int count) {
  alignas(16) T chunk[kElementsOfChunk<T>] = {};
#pragma unroll
  for (int i = 0; i < kElementsOfChunk<T>; ++i)
    if (i < count) chunk[i] = from[i];
  *static_cast<uint4*>(__cvta_shared_to_generic(shared)) = *reinterpret_cast<const uint4*>(chunk);
}

/// cp.async groups; no-ops on sm_75, where copies are synchronous.
__device__ __forceinline__ void commit_chunks() {
#if __CUDA_ARCH__ >= 800
  ptx::cp_async_commit();
#endif
}
template <int pending>
__device__ __forceinline__ void wait_for_chunks() {
#if __CUDA_ARCH__ >= 800
  ptx::cp_async_wait<pending>();
#endif
}

/// Loads tiles of the left operand, `rows` pixels by `pieces` chunks of depth, one step after the other. With
/// `any_alignment`, inputs whose chunks are not aligned are loaded element by element.
template <typename T, int rows, int chunks, int threads, bool any_alignment = false>
struct PixelLoader {
  static constexpr int pass = threads / chunks, passes = rows / pass;
  static_assert(threads % chunks == 0 && rows % pass == 0 && pass % 8 == 0);

  int first[passes];
  unsigned outside[passes];
  DepthCursor cursor;
  std::uint32_t place;  // byte offset of this thread's first chunk in a tile

  __device__ __forceinline__ void start(const ConvParams& p, int first_pixel, int group, int first_step) {
    const int row = static_cast<int>(threadIdx.x / chunks), chunk = static_cast<int>(threadIdx.x % chunks);
    place = swizzled<chunks>(row, chunk);
#pragma unroll
    for (int i = 0; i < passes; ++i) {
      const Window window = window_of(p, first_pixel + row + i * pass);
      first[i] = window.first + group * p.group_in;
      outside[i] = window.outside;
    }
    cursor.start(p, (first_step * chunks + chunk) * kElementsOfChunk<T>);
  }
  /// Starts the copies of the current step's tile to `shared` and advances to the next step.
  __device__ __forceinline__ void load(const ConvParams& p, std::uint32_t shared) {
#pragma unroll
    for (int i = 0; i < passes; ++i) {
      const bool zeros = (outside[i] & cursor.tap) != 0;
      const T* from = static_cast<const T*>(p.in) + (first[i] + cursor.offset);
      const std::uint32_t to = shared + place + static_cast<std::uint32_t>(i * pass * chunks * 16);
      if (any_alignment && p.in_wide == 0) {
        copy_elements(to, from, zeros ? 0 : p.group_in - cursor.channel);
      } else {
        copy_chunk(to, from, zeros);
      }
    }
    cursor.advance(p, chunks * kElementsOfChunk<T>);
  }
  /// For sm_75: loads this thread's chunks of the current step into registers and advances to the next step.
  __device__ __forceinline__ void fetch(const ConvParams& p, uint4 (&held)[passes]) {
#pragma unroll
    for (int i = 0; i < passes; ++i) {
      const T* from = static_cast<const T*>(p.in) + (first[i] + cursor.offset);
      held[i] = (outside[i] & cursor.tap) != 0 ? uint4{} : *reinterpret_cast<const uint4*>(from);
    }
    cursor.advance(p, chunks * kElementsOfChunk<T>);
  }
  /// For sm_75: stores the chunks that fetch() has loaded to the tile at `shared`.
  __device__ __forceinline__ void put(std::uint32_t shared, const uint4 (&held)[passes]) const {
#pragma unroll
    for (int i = 0; i < passes; ++i)
      *static_cast<uint4*>(
          __cvta_shared_to_generic(shared + place + static_cast<std::uint32_t>(i * pass * chunks * 16))) = held[i];
  }
};

/// Loads tiles of the right operand: `rows` output channels by `pieces` chunks of depth.
template <typename T, int rows, int chunks, int threads>
struct WeightLoader {
  static constexpr int kPass = threads / chunks, kPasses = rows / kPass;
  static_assert(threads % chunks == 0 && rows % kPass == 0 && kPass % 8 == 0);

  const T* from;
  int channels;  // channels from this thread's first row to the end of the group
  std::uint32_t place;

  __device__ __forceinline__ void start(const ConvParams& p, int first_channel, int group, int first_step) {
    const int row = static_cast<int>(threadIdx.x / chunks), chunk = static_cast<int>(threadIdx.x % chunks);
    place = swizzled<chunks>(row, chunk);
    channels = p.group_out - first_channel - row;
    from = static_cast<const T*>(p.weights) +
           static_cast<long long>(group * p.group_out + first_channel + row) * p.depth +
           (first_step * chunks + chunk) * kElementsOfChunk<T>;
  }
  __device__ __forceinline__ void load(const ConvParams& p, std::uint32_t shared) {
#pragma unroll
    for (int i = 0; i < kPasses; ++i) {
      copy_chunk(shared + place + static_cast<std::uint32_t>(i * kPass * chunks * 16),
                 from + static_cast<long long>(i * kPass) * p.depth, i * kPass >= channels);
    }
    from += chunks * kElementsOfChunk<T>;
  }
  /// For sm_75: as in PixelLoader.
  __device__ __forceinline__ void fetch(const ConvParams& p, uint4 (&held)[kPasses]) {
#pragma unroll
    for (int i = 0; i < kPasses; ++i) {
      const T* row = from + static_cast<long long>(i * kPass) * p.depth;
      held[i] = i * kPass >= channels ? uint4{} : *reinterpret_cast<const uint4*>(row);
    }
    from += chunks * kElementsOfChunk<T>;
  }
  __device__ __forceinline__ void put(std::uint32_t shared, const uint4 (&held)[kPasses]) const {
#pragma unroll
    for (int i = 0; i < kPasses; ++i)
      *static_cast<uint4*>(
          __cvta_shared_to_generic(shared + place + static_cast<std::uint32_t>(i * kPass * chunks * 16))) = held[i];
  }
};

}  // namespace maskrt::kernels
