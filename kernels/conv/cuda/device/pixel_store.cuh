// Epilogue of convolutions on Hopper whose results are fp16 in whole vectors of 16 bytes: activation(sum * scale + bias
// + residual), in the registers where wgmma left the sums, then through shared memory to global memory.
//
// wgmma leaves channels as rows: a thread has channels c and c + 8 of each block of 64, for two neighbouring pixels of
// each eight. Its scale and bias are therefore a few numbers, which it loads once a tile. stmatrix turns the results,
// so that a pixel's channels are neighbours in shared memory, and each thread then copies 16 bytes of them to global
// memory, a warp whole lines of 128 bytes or two pixels. The residual comes the same way: each thread copies the 16
// bytes that it will store the results to into their place in shared memory (cp.async), ldmatrix turns them, and the
// results replace them. A ring of slots holds what comes and goes: while one is worked on, the residuals of the others
// are on their way, of the first ones since before the main loop.
//
// Terms: a slot is 2048 bytes: 8 pixels of 128 channels, or 16 of 64, a pixel in a row whose 16-byte chunks are
// permuted by (chunk ^ row % 8): the eight rows of a matrix, and eight neighbouring chunks of a row, hit different
// banks. Example: 136 pixels by 128 channels of a warpgroup are 17 slots' worth. Eight pixels of the warpgroup take a
// warp 8 multiply-adds, 4 conversions, one stmatrix, one barrier and a copy of 16 bytes a thread; a residual adds the
// copy in, one ldmatrix, 8 conversions and 8 sums.
#pragma once

#include <cuda_fp16.h>

#include <cstdint>

#include "kernels/conv/cuda/conv_params.h"
#include "kernels/conv/cuda/conv_tiles.h"
#include "kernels/ptx/cp_async.cuh"
#include "kernels/ptx/ldmatrix.cuh"
#include "kernels/ptx/named_barrier.cuh"
#include "kernels/ptx/shared_address.cuh"
#include "kernels/ptx/special_registers.cuh"
#include "kernels/ptx/stmatrix.cuh"

namespace maskrt::kernels {

/// What is added to the sums before the activation.
enum class Residual { none, same, upsampled };

/// One consumer thread's part of the store of a warpgroup's tiles. The first pixel and channel are the warpgroup's.
template <typename Tile>
class PixelStore {
  static constexpr int kBlocks = Tile::kBlocks, kRing = WgmmaTile::kRing, kSlot = WgmmaTile::kSlotBytes;
  static constexpr int kEightsOfSlot = 2 / kBlocks, kPixels = 8 * kEightsOfSlot;
  static constexpr int kSlots = (Tile::kEights + kEightsOfSlot - 1) / kEightsOfSlot;
  static constexpr int kRowBytes = Tile::kGroupChannels * 2, kChunks = kRowBytes / 16;
  static_assert(kPixels * kRowBytes == kSlot && kSlot == 128 * 16);

 public:
  /// Scale and bias of a thread's channels: c, c + 8, c + 64, c + 72.
  struct Affine {
    float scale[2 * kBlocks], bias[2 * kBlocks];

    __device__ __forceinline__ void load(const ConvParams& p, int first_channel, int group) {
      const int thread = static_cast<int>(ptx::thread_index() % 128);
      const int mine = first_channel + thread / 32 * 16 + thread % 32 / 4, first = group * p.group_out;
#pragma unroll
      for (int i = 0; i < 2 * kBlocks; ++i) {
        const int channel = mine + i / 2 * 64 + i % 2 * 8;
        const bool exists = channel < p.group_out;
        scale[i] = p.scale != nullptr && exists ? p.scale[first + channel] : 1.0f;
        bias[i] = p.bias != nullptr && exists ? p.bias[first + channel] : 0.0f;
      }
    }
    __device__ __forceinline__ float of(float sum, int channel) const {
      return fmaf(sum, scale[channel], bias[channel]);
    }
  };

  /// Of a warpgroup's tile, whose first channel is `first_channel` of `group`; eights `first` .. `end` - 1 of it are
  /// stored. `ring`: the address in shared memory of this warpgroup's ring; `barrier`: its named barrier. Made twice a
  /// tile, before and after the main loop, in which its numbers would occupy registers.
  __device__ __forceinline__ PixelStore(const ConvParams& p, int first_pixel, int first_channel, int group, int first,
                                        int end, std::uint32_t ring, int barrier)
      : ring_(ring), barrier_(barrier) {
    const int thread = static_cast<int>(ptx::thread_index() % 128), lane = thread % 32, warp = thread / 32;
    const int row = thread / kChunks, chunk = thread % kChunks;
    copied_ = place(row, chunk);
    // Lane i's row of matrix i / 8: the lower and the upper eight channels of a warp's 16, of two blocks of channels,
    // or of two eights of pixels.
    const int matrix = lane / 8, of_pair = matrix / 2;
    turned_ = kBlocks == 2 ? place(lane % 8, of_pair * 8 + warp * 2 + matrix % 2)
                           : place(of_pair * 8 + lane % 8, warp * 2 + matrix % 2);
    const int in_group = first_channel + chunk * 8;
    pixel_ = first_pixel + row;
    channel_ = group * p.out_group_stride + in_group;
    const int rows = min(p.pixels - first_pixel, end * 8);
    end_ = in_group < p.group_stored ? rows - row : 0;
    begin_ = first * 8 - row;
    slots_ = ((1u << (end + kEightsOfSlot - 1) / kEightsOfSlot) - 1) & ~((1u << first / kEightsOfSlot) - 1);
    static_assert(kSlots < 32);
  }

  /// Starts the copies of a tile's first residuals.
  template <Residual residual>
  __device__ __forceinline__ void begin(const ConvParams& p) const {
    if constexpr (residual != Residual::none) {
      int slot = __ffs(static_cast<int>(slots_)) - 1;
#pragma unroll 1
      for (int i = 0; i < kRing - 1; ++i, ++slot) {
        if ((slots_ >> slot & 1) != 0) copy_in<residual>(p, slot, ring_ + slot % kRing * kSlot);
        ptx::cp_async_commit();
      }
    }
  }

  /// Stores a tile. Called by the 128 threads of the warpgroup, after begin() of the same.
  template <Residual residual, Activation activation, int count>
  __device__ __forceinline__ void store(const ConvParams& p, const float (&sums)[count][4],
                                        const Affine& affine) const {
    constexpr bool adds = residual != Residual::none;
    // The copies of the last tile's slots out of shared memory, and those of the first residual into it, are done.
    if constexpr (adds) ptx::cp_async_wait<kRing - 2>();
    ptx::named_barrier(barrier_, 128);
    char* const out = static_cast<char*>(p.out) + 2ll * (pixel_ * p.out_pixel_stride + channel_);
    // Opaque: the compiler would compute all slots' distances before the loop over tiles, and keep them in registers.
    int stride = p.out_pixel_stride;
    asm volatile("" : "+r"(stride));
#pragma unroll
    for (int slot = 0; slot < kSlots; ++slot) {
      if ((slots_ & 1u << slot) == 0) continue;
      const std::uint32_t at = ring_ + slot % kRing * kSlot;
      std::uint32_t r[4] = {};
      if constexpr (adds) ptx::ldmatrix_x4_trans(r, at + turned_);
#pragma unroll
      for (int m = 0; m < 4; ++m) {
        const int block = kBlocks == 2 ? m / 2 : 0, eight = kBlocks == 2 ? slot : slot * 2 + m / 2;
        if (eight >= Tile::kEights) continue;
        const float(&sum)[4] = sums[block * Tile::kEights + eight];
        r[m] = result<residual, activation>(p, affine.of(sum[m % 2 * 2], block * 2 + m % 2),
                                            affine.of(sum[m % 2 * 2 + 1], block * 2 + m % 2), r[m]);
      }
      ptx::stmatrix_x4_trans(at + turned_, r);
      if constexpr (adds) ptx::cp_async_wait<kRing - 3>();
      ptx::named_barrier(barrier_, 128);
      if (slot * kPixels < end_ && (kEightsOfSlot == 1 || slot * kPixels >= begin_)) {
        std::uint32_t v[4];
        ptx::load_shared(v, at + copied_);
        *reinterpret_cast<uint4*>(out + further(stride, slot)) = make_uint4(v[0], v[1], v[2], v[3]);
      }
      if constexpr (adds) {
        constexpr int ahead = kRing - 1;
        if (slot + ahead < kSlots && (slots_ & 1u << (slot + ahead)) != 0)
          copy_in<residual>(p, slot + ahead, ring_ + (slot + ahead) % kRing * kSlot);
        ptx::cp_async_commit();
      }
    }
  }

 private:
  __device__ __forceinline__ static std::uint32_t place(int row, int chunk) {
    return static_cast<std::uint32_t>(row * kRowBytes + (chunk ^ row % 8) * 16);
  }
  /// Bytes from a thread's pixel of slot 0 to that of `slot`.
  __device__ __forceinline__ static std::uint64_t further(int pixel_stride, int slot) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(pixel_stride)) *
           static_cast<std::uint32_t>(2 * slot * kPixels);
  }

  /// Starts the copy of this thread's 16 bytes of a slot's residual.
  template <Residual residual>
  __device__ __forceinline__ void copy_in(const ConvParams& p, int slot, std::uint32_t to) const {
    const bool exists = slot * kPixels < end_;
    const char* from = static_cast<const char*>(p.residual);
    if constexpr (residual == Residual::upsampled) {
      const int pixel = pixel_ + slot * kPixels;
      const int image = p.image.quotient(pixel), position = p.image.remainder(pixel, image);
      const int y = p.row.quotient(position), x = p.row.remainder(position, y);
      const int width = static_cast<int>(p.row.divisor) / 2;
      const int source = (image * (p.out_height / 2) + y / 2) * width + x / 2;
      from += 2ll * (source * p.residual_pixel_stride + channel_);
    } else {
      from += 2ll * (pixel_ * p.residual_pixel_stride + channel_) + further(p.residual_pixel_stride, slot);
    }
    ptx::cp_async_16_or_zeros(to + copied_, from, !exists);
  }

  /// Two pixels' results of one of this thread's channels, from their scaled sums; `more`: their residuals.
  template <Residual residual, Activation activation>
  __device__ __forceinline__ static std::uint32_t result(const ConvParams& p, float a, float b, std::uint32_t more) {
    if constexpr (residual != Residual::none) {
      const float2 added = __half22float2(reinterpret_cast<const __half2&>(more));
      a += added.x;
      b += added.y;
    }
    if constexpr (activation == Activation::leaky_relu) {
      a = a > 0 ? a : a * p.slope;
      b = b > 0 ? b : b * p.slope;
    }
    __half2 both = __floats2half2_rn(a, b);
    // Rounding keeps the order of numbers, so that it may come before the maximum, of which there is one for two.
    if constexpr (activation == Activation::relu) both = __hmax2(both, __float2half2_rn(0.0f));
    return reinterpret_cast<const std::uint32_t&>(both);
  }

  std::uint32_t ring_;
  int barrier_;
  std::uint32_t copied_;  // where the 16 bytes that this thread copies lie in a slot
  std::uint32_t turned_;  // where this lane's row of a matrix lies in a slot
  int pixel_, channel_;   // the pixel of slot 0 that this thread copies, and its first channel as an element of it
  int begin_, end_;       // the thread copies pixels begin_ .. end_ - 1, counted from that one
  std::uint32_t slots_;   // bit i: slot i is stored
};

}  // namespace maskrt::kernels
