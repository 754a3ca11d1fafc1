// Copies: channels between NHWC maps with conversion of the type, NHWC to planar (NCHW) and back, and the two
// coordinate channels.
//
// copy: each thread moves as many channels of one pixel as 16 bytes of the wider type hold.
// to_planar, from_planar: a transposition through shared memory, tiles of 32 positions by 32 channels, 32 x 8 threads.
// Example: 65 positions of 40 channels are 3 x 2 tiles; the last row of tiles has one position, the last column 8
// channels. from_planar also covers the padding channels up to map.block and writes zeros there.
// Bound by memory: each element is read once and written once.
// Launch: copy and coordinates with channel_grid(); transpositions with grid [ceil(positions / 32), ceil(channels /
// 32), batch], 4224 bytes of shared memory. Batch at most 65535.
#include "kernels/cuda/for_channels.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "layout_params.h"

namespace maskrt::kernels::cuda {
namespace {

/// Grid of channel_grid() for the wider type.
template <typename In, typename Out>
__device__ void copy(const CopyParams& p) {
  constexpr int each = kChannelsOfThread<In, Out>;
  for_channels<each>(p.out, [&](int b, int position, int c) {
    store_channels(p.out, pixel_of<Out>(p.out, b, position), c,
                   load_channels<each>(p.in, pixel_of<In>(p.in, b, position), c));
  });
}

/// Side of a transposition's tile. Rows in shared memory are padded by one word, so that a warp reads a column without
/// bank conflicts.
constexpr int kSide = 32;

template <typename T>
__device__ void to_planar(const PlanarParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  __shared__ float tile[kSide][kSide + 1];
  const int positions = p.map.height * p.map.width, b = static_cast<int>(blockIdx.z);
  const int first = static_cast<int>(blockIdx.x) * kSide, channel = static_cast<int>(blockIdx.y) * kSide;
  const int lane = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y);
  for (int i = row; i < kSide; i += 8)
    if (first + i < positions && channel + lane < p.map.channels)
      tile[i][lane] = widen(pixel_of<T>(p.map, b, first + i)[channel + lane]);
  __syncthreads();
  for (int i = row; i < kSide; i += 8)
    if (channel + i < p.map.channels && first + lane < positions)
      p.planes[b * p.batch_stride + (channel + i) * p.plane_stride + first + lane] = tile[lane][i];
}

template <typename T>
__device__ void from_planar(const PlanarParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  __shared__ float tile[kSide][kSide + 1];
  const int positions = p.map.height * p.map.width, b = static_cast<int>(blockIdx.z);
  const int first = static_cast<int>(blockIdx.x) * kSide, channel = static_cast<int>(blockIdx.y) * kSide;
  const int lane = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y);
  for (int i = row; i < kSide; i += 8)
    if (channel + i < p.map.channels && first + lane < positions)
      tile[i][lane] = p.planes[b * p.batch_stride + (channel + i) * p.plane_stride + first + lane];
  __syncthreads();
  for (int i = row; i < kSide; i += 8)
    if (first + i < positions && channel + lane < p.map.block)
      pixel_of<T>(p.map, b, first + i)[channel + lane] =
          narrow<T>(channel + lane < p.map.channels ? tile[lane][i] : 0.0f);
}

/// Coordinate of a position, from -1 to 1 inclusive. In double and rounded once, as coordinate() of conv.h.
__device__ float coordinate(int position, int size) {
  return size > 1 ? static_cast<float>(-1.0 + 2.0 * position / (size - 1)) : -1.0f;
}

template <typename T>
__device__ void coordinates(const CoordinatesParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  constexpr int each = kChannelsOfThread<T>;
  const int c = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x) * each, b = static_cast<int>(blockIdx.z);
  const int position = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y);
  if (c >= p.out.block || position >= p.out.height * p.out.width) return;
  Channels<each> o{};
  if (c == 0) {
    o.v[0] = coordinate(position % p.out.width, p.out.width);
    o.v[1] = coordinate(position / p.out.width, p.out.height);
  }
  store_channels(p.out, pixel_of<T>(p.out, b, position), c, o);
}

}  // namespace

extern "C" {
__global__ void copy_f32_f32(const __grid_constant__ CopyParams p) { copy<float, float>(p); }
__global__ void copy_f32_f16(const __grid_constant__ CopyParams p) { copy<float, __half>(p); }
__global__ void copy_f16_f32(const __grid_constant__ CopyParams p) { copy<__half, float>(p); }
__global__ void copy_f16_f16(const __grid_constant__ CopyParams p) { copy<__half, __half>(p); }
__global__ void to_planar_f32(const __grid_constant__ PlanarParams p) { to_planar<float>(p); }
__global__ void to_planar_f16(const __grid_constant__ PlanarParams p) { to_planar<__half>(p); }
__global__ void from_planar_f32(const __grid_constant__ PlanarParams p) { from_planar<float>(p); }
__global__ void from_planar_f16(const __grid_constant__ PlanarParams p) { from_planar<__half>(p); }
__global__ void coordinates_f32(const __grid_constant__ CoordinatesParams p) { coordinates<float>(p); }
__global__ void coordinates_f16(const __grid_constant__ CoordinatesParams p) { coordinates<__half>(p); }
}

}  // namespace maskrt::kernels::cuda
