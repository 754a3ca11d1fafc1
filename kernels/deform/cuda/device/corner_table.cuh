// The four pixels that a sample of a deformable convolution lies between, and their bilinear weights, for each pixel of
// a tile and each tap of a run, in shared memory.
//
// A point is where the tap would be, plus the offsets (dy, dx) of that tap: y = out_y * stride - padding + tap_y *
// dilation + dy, and x likewise. Points at or beyond one pixel outside of the map, infinite ones and NaNs give 0,
// whatever the map holds: their entry says so, and no such number is ever converted to an integer. Of other points,
// corners outside of the map have weight 0 and the address of the corner beside them that is inside: every address is
// that of a pixel of the map. (That corner has a weight, so that a NaN in it is no less in the result.)
// Where there are no offsets, a sample is the mean of a window of 2 x 2 pixels, as AveragePool has it: its corners are
// the window's pixels. Of a window that the map cuts, the row or column inside counts twice: a quarter of each of four
// corners is then the mean of what is inside.
// Example: a map of 4 x 4, y = -0.25, x = 3.5: the corners are (-1, 3), (-1, 4), (0, 3), (0, 4), addressed as (0, 3)
// four times, with weights 0, 0, 0.375 and 0.
#pragma once

#include <cuda_fp16.h>

#include "kernels/cuda/activate.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/deform/cuda/deform_params.h"
#include "kernels/deform/cuda/deform_tiles.h"

namespace maskrt::kernels {

/// Of one tap of one pixel: offsets of the corners' channel 0 from `in`, in elements (top left, top right, bottom left,
/// bottom right), and their weights, times the modulation. A sample that is 0 has a negative first weight.
struct Corners {
  int4 at;
  float4 weight;
};

__device__ __forceinline__ Corners no_corners() {
  return {make_int4(0, 0, 0, 0), make_float4(-1.0f, 0.0f, 0.0f, 0.0f)};
}

/// The corners of point (y, x) of the image that begins `image` elements from `in`.
__device__ __forceinline__ Corners corners_at(const ConvParams& p, int image, float y, float x, float modulation) {
  const bool inside = y > -1.0f && y < static_cast<float>(p.height) && x > -1.0f && x < static_cast<float>(p.width);
  if (!inside) {
    Corners none = no_corners();
    if (isnan(modulation)) none.weight.x = modulation;  // 0 times NaN
    return none;
  }
  const float top = floorf(y), left = floorf(x), down = y - top, right = x - left;
  const int row = static_cast<int>(top), column = static_cast<int>(left);
  const float above = row >= 0 ? (1.0f - down) * modulation : 0.0f;
  const float below = row + 1 < p.height ? down * modulation : 0.0f;
  const float before = column >= 0 ? 1.0f - right : 0.0f, after = column + 1 < p.width ? right : 0.0f;
  const int first = image + max(row, 0) * p.width * p.in_pixel_stride;
  const int second = image + min(row + 1, p.height - 1) * p.width * p.in_pixel_stride;
  const int near = max(column, 0) * p.in_pixel_stride, far = min(column + 1, p.width - 1) * p.in_pixel_stride;
  return {make_int4(first + near, first + far, second + near, second + far),
          make_float4(above * before, above * after, below * before, below * after)};
}

/// The pixels of the 2 x 2 window from (top, left) on, a quarter each.
__device__ __forceinline__ Corners window_at(const ConvParams& p, int image, int top, int left) {
  const int first = image + top * p.width * p.in_pixel_stride, near = left * p.in_pixel_stride;
  const int second = image + min(top + 1, p.height - 1) * p.width * p.in_pixel_stride;
  const int far = min(left + 1, p.width - 1) * p.in_pixel_stride;
  return {make_int4(first + near, first + far, second + near, second + far), make_float4(0.25f, 0.25f, 0.25f, 0.25f)};
}

/// Shared memory of a table: `rows` pixels by kDeformRunTaps taps, an odd number, so that the entries of one tap of
/// neighbouring pixels are in different banks.
template <int rows>
struct CornerTable {
  static constexpr int kEntries = rows * kDeformRunTaps;
  int4* at;
  float4* weight;

  __device__ __forceinline__ explicit CornerTable(void* shared)
      : at(static_cast<int4*>(shared)), weight(reinterpret_cast<float4*>(at + kEntries)) {}

  /// Fills the table for the tile's pixels from first_pixel on and the `taps` taps from first_tap on, with the offsets
  /// of offset group `offset_group`. Called by `threads` threads, `thread` being their number; a barrier has to follow.
  /// `in_flight`: entries of a thread whose offsets are loaded at a time, to overlap the latencies.
  template <int threads, int in_flight>
  __device__ __forceinline__ void fill(const DeformParams& p, int thread, int first_pixel, int offset_group,
                                       int first_tap, int taps) const {
#pragma unroll 1
    for (int first = thread; first < kEntries; first += in_flight * threads) {
      Offset loaded[in_flight];
#pragma unroll
      for (int i = 0; i < in_flight; ++i) {
        const int entry = first + i * threads, pixel = first_pixel + entry / kDeformRunTaps;
        const int tap = entry % kDeformRunTaps;
        if (entry < kEntries && tap < taps && pixel < p.conv.pixels && p.offsets != nullptr)
          loaded[i] = load(p, pixel, offset_group, first_tap + tap);
      }
#pragma unroll
      for (int i = 0; i < in_flight; ++i) {
        const int entry = first + i * threads, pixel = first_pixel + entry / kDeformRunTaps;
        const int tap = entry % kDeformRunTaps;
        if (entry >= kEntries || tap >= taps) continue;
        const Corners corners = pixel < p.conv.pixels ? corners_of(p, pixel, first_tap + tap, loaded[i]) : no_corners();
        at[entry] = corners.at;
        weight[entry] = corners.weight;
      }
    }
  }

 private:
  struct Offset {
    float dy, dx, modulation;  // the modulation before its sigmoid
  };
  __device__ __forceinline__ static Offset load(const DeformParams& p, int pixel, int offset_group, int tap) {
    const int image = p.conv.image.quotient(pixel), position = p.conv.image.remainder(pixel, image);
    const int from = image * p.offset_batch_stride + position * p.offset_pixel_stride;
    const int of_all = p.taps * offset_group + tap;
    const float2 offset = offsets_at(p, from + 2 * of_all);
    return {offset.x, offset.y, p.modulation != 0 ? offset_at(p, from + p.modulation + of_all) : 0.0f};
  }
  __device__ __forceinline__ static Corners corners_of(const DeformParams& p, int pixel, int tap,
                                                       const Offset& offset) {
    const ConvParams& c = p.conv;
    const int image = c.image.quotient(pixel), position = c.image.remainder(pixel, image);
    const int out_y = c.row.quotient(position), out_x = c.row.remainder(position, out_y);
    if (p.offsets == nullptr) return window_at(c, image * c.in_batch_stride, out_y * c.stride_y, out_x * c.stride_x);
    const int tap_y = tap / c.kernel_width, tap_x = tap - tap_y * c.kernel_width;
    const float y = static_cast<float>(out_y * c.stride_y - c.padding_y + tap_y * c.dilation) + offset.dy;
    const float x = static_cast<float>(out_x * c.stride_x - c.padding_x + tap_x * c.dilation) + offset.dx;
    return corners_at(c, image * c.in_batch_stride, y, x, p.modulation != 0 ? cuda::sigmoid(offset.modulation) : 1.0f);
  }
  __device__ __forceinline__ static float offset_at(const DeformParams& p, int i) {
    return p.offsets_f32 != 0 ? static_cast<const float*>(p.offsets)[i]
                              : __half2float(static_cast<const __half*>(p.offsets)[i]);
  }
  /// dy and dx.
  __device__ __forceinline__ static float2 offsets_at(const DeformParams& p, int i) {
    if (p.offset_pairs == 0) return make_float2(offset_at(p, i), offset_at(p, i + 1));
    if (p.offsets_f32 != 0) return *reinterpret_cast<const float2*>(static_cast<const float*>(p.offsets) + i);
    return __half22float2(*reinterpret_cast<const __half2*>(static_cast<const __half*>(p.offsets) + i));
  }
};

}  // namespace maskrt::kernels
