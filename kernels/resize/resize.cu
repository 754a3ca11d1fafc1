// Resizing of NHWC feature maps: nearest upsampling by an integer factor, and the sum of several maps, each resized
// bilinearly (align_corners = false, no antialiasing).
//
// Each thread computes 16 bytes of channels of one output pixel at a time and loops over the pixel's channels; a block
// of 256 threads covers neighbouring pixels of one row. Taps and weights are those of bilinear_tap (resize.h).
// Example: from 3 columns to 7, step = 3 / 7. Column 0 has source coordinate 0.5 * 3 / 7 - 0.5 < 0, clamped to 0;
// column 3 falls exactly on source column 1; column 6 at 2.29 has both taps on the last column, 2.
// Bound by memory: the output is written once; the inputs are smaller, and taps that neighbouring pixels share are
// served by L1 and L2.
// Launch: grid [ceil(width / block.y), height, batch], height and batch at most 65535; block of channel_grid().
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "resize_params.h"

namespace maskrt::kernels::cuda {
namespace {

/// Two source positions and the weight of the second.
struct Tap {
  int low, high;
  float weight;
};

/// bilinear_tap of resize.h, bit for bit: explicit rounding keeps the compiler from fusing the multiply-add.
__device__ Tap tap_at(int position, int size, float step) {
  const float at = fmaxf(__fsub_rn(__fmul_rn(static_cast<float>(position) + 0.5f, step), 0.5f), 0.0f);
  const int low = min(static_cast<int>(at), size - 1);
  return {low, min(low + 1, size - 1), at - static_cast<float>(low)};
}

/// sum += the bilinear interpolation of one input. `vectors`: see ResizeSumParams.
template <typename T, bool vectors, int each>
__device__ void add_sample(const Map& in, int b, const Tap& row, const Tap& column, int c, Channels<each>& sum) {
  const auto add = [&](int y, int x, float weight) {
    const T* pixel = pixel_of<T>(in, b, y * in.width + x);
    const Channels<each> o = vectors ? load_wide<each>(pixel + c) : load_channels<each>(in, pixel, c);
#pragma unroll
    for (int i = 0; i < each; ++i) sum.v[i] += o.v[i] * weight;
  };
  add(row.low, column.low, (1 - row.weight) * (1 - column.weight));
  add(row.low, column.high, (1 - row.weight) * column.weight);
  add(row.high, column.low, row.weight * (1 - column.weight));
  add(row.high, column.high, row.weight * column.weight);
}

template <typename In, typename Out, bool vectors>
__device__ void resize_sum(const ResizeSumParams& p) {
  const int x = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y), y = static_cast<int>(blockIdx.y);
  const int b = static_cast<int>(blockIdx.z);
  if (x >= p.out.width) return;
  constexpr int each = kChannelsOfThread<Out>;
  Out* out = pixel_of<Out>(p.out, b, y * p.out.width + x);
  for (int c = static_cast<int>(threadIdx.x) * each; c < p.out.block; c += static_cast<int>(blockDim.x) * each) {
    Channels<each> sum{};
    for (int i = 0; i < p.count; ++i) {
      const ResizeSumParams::Input& in = p.inputs[i];
      add_sample<In, vectors>(in.map, b, tap_at(y, in.map.height, in.row_step), tap_at(x, in.map.width, in.column_step),
                              c, sum);
    }
    if constexpr (vectors)
      store_wide(out + c, sum);
    else
      store_channels(p.out, out, c, sum);
  }
}

template <typename In, typename Out>
__device__ void resize_sum(const ResizeSumParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  if (p.vectors != 0)
    resize_sum<In, Out, true>(p);
  else
    resize_sum<In, Out, false>(p);
}

template <typename T>
__device__ void upsample_nearest(const UpsampleNearestParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int x = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y), y = static_cast<int>(blockIdx.y);
  const int b = static_cast<int>(blockIdx.z);
  if (x >= p.out.width) return;
  const T* in = pixel_of<T>(p.in, b, y / p.factor * p.in.width + x / p.factor);
  constexpr int each = kChannelsOfThread<T>;
  T* out = pixel_of<T>(p.out, b, y * p.out.width + x);
  for (int c = static_cast<int>(threadIdx.x) * each; c < p.out.block; c += static_cast<int>(blockDim.x) * each)
    store_channels(p.out, out, c, load_channels<each>(p.in, in, c));
}

}  // namespace

extern "C" {
__global__ void upsample_nearest_f32(const __grid_constant__ UpsampleNearestParams p) { upsample_nearest<float>(p); }
__global__ void upsample_nearest_f16(const __grid_constant__ UpsampleNearestParams p) { upsample_nearest<__half>(p); }
__global__ void resize_sum_f32(const __grid_constant__ ResizeSumParams p) { resize_sum<float, float>(p); }
__global__ void resize_sum_f16(const __grid_constant__ ResizeSumParams p) { resize_sum<__half, __half>(p); }
__global__ void resize_sum_f16_f32(const __grid_constant__ ResizeSumParams p) { resize_sum<__half, float>(p); }
}

}  // namespace maskrt::kernels::cuda
