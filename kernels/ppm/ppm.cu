// Pyramid pooling: a block takes one cell of one size from the map to the bottleneck's result. Bound by time, not by
// work: the block of the 1 x 1 pool reads the whole map alone, and the two small products wait for their weights.
#include "kernels/cuda/activate.cuh"
#include "kernels/cuda/cell_range.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "kernels/ptx/prefetch.cuh"
#include "kernels/ptx/shared_address.cuh"
#include "ppm_params.h"

namespace maskrt::kernels::cuda {
namespace {

using Block = PyramidBlock;

/// Where number k of a vector lies in shared memory: of each eight, four and four in two halves of a row of 256, so
/// that lanes that read eight numbers each, or four, meet different banks.
__device__ constexpr int place_of(int k) {
  return k / 256 * Block::row + k % 8 / 4 * (Block::row / 2) + k % 256 / 8 * 4 + k % 4;
}
template <int N>
__device__ Channels<N> load_placed(const float* vector, int k) {
  Channels<N> o;
#pragma unroll
  for (int i = 0; i < N; i += 4) {
    const float4 four = *reinterpret_cast<const float4*>(vector + place_of(k + i));
    o.v[i] = four.x, o.v[i + 1] = four.y, o.v[i + 2] = four.z, o.v[i + 3] = four.w;
  }
  return o;
}
template <int N>
__device__ void store_placed(float* vector, int k, const Channels<N>& o) {
#pragma unroll
  for (int i = 0; i < N; i += 4) {
    const float* four = o.v + i;
    ptx::store_shared(ptx::shared_address(vector + place_of(k + i)),
                      make_uint4(__float_as_uint(four[0]), __float_as_uint(four[1]), __float_as_uint(four[2]),
                                 __float_as_uint(four[3])));
  }
}

/// Means over a cell into `means`, zeros up to a multiple of 256. Each warp adds every 32nd position, then the warps
/// are added in order. `partial` holds 32 rows. Vectors lie as place_of says.
template <typename T>
__device__ void pool(const Map& in, int b, CellRange rows, CellRange columns, float* partial, float* means) {
  const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, warp = thread / 32;
  const int positions = rows.count * columns.count;
  const int row_step = Block::warps / columns.count, column_step = Block::warps % columns.count;
  // A lane has eight channels: side by side in fp16, four and four half a row apart in fp32.
  constexpr int each = kChannelsOfThread<T>, stretches = 8 / each;
  constexpr int ahead = sizeof(T) == 2 ? 4 : 2;  // what 64 registers hold, on every chip
  for (int c0 = 0; c0 < in.channels; c0 += Block::channels) {
    const int c = c0 + lane * each;
    Channels<each> sums[stretches] = {};
    if (c < in.channels) {
      int y = warp / columns.count, x = warp % columns.count;
#pragma unroll ahead
      for (int i = warp; i < positions; i += Block::warps) {
        const int position = (rows.first + y) * in.width + columns.first + x;  // map_of: below 2^30
        const T* pixel = pixel_of<T>(in, b, position);
#pragma unroll
        for (int s = 0; s < stretches; ++s) {
          const Channels<each> o = load_channels<each>(in, pixel, c + s * 32 * each);
#pragma unroll
          for (int k = 0; k < each; ++k) sums[s].v[k] += o.v[k];
        }
        x += column_step;
        y += row_step;
        if (x >= columns.count) {
          x -= columns.count;
          ++y;
        }
      }
    }
#pragma unroll
    for (int s = 0; s < stretches; ++s) store_placed(partial + warp * Block::row, (s * 32 + lane) * each, sums[s]);
    __syncthreads();
    if (thread < Block::channels) {
      float total = 0;
#pragma unroll
      for (int w = 0; w < Block::warps; ++w) total += partial[w * Block::row + place_of(thread)];
      means[place_of(c0 + thread)] = total / static_cast<float>(positions);
    }
    __syncthreads();
  }
}

/// results[r] = activation(weight[r] . vector + bias[r]) for r < rows, zeros up to a multiple of 256. `lanes` threads
/// share a row, 16 bytes of columns each at a time; `vector` is padded with zeros to a multiple of 256.
template <typename T, int lanes>
__device__ void multiply(const T* weight, int rows, int columns, int stride, const float* bias, Activation activation,
                         const float* vector, float* results) {
  constexpr int each = kChannelsOfThread<T>;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % lanes;
  for (int row = thread / lanes; row < (rows + 255) / 256 * 256; row += Block::threads / lanes) {
    float sum = 0;
    if (row < rows) {
      for (int k = lane * each; k < columns; k += lanes * each) {
        const Channels<each> w = load_wide<each>(weight + static_cast<std::int64_t>(row) * stride + k);
        const Channels<each> v = load_placed<each>(vector, k);
#pragma unroll
        for (int i = 0; i < each; ++i) sum += w.v[i] * v.v[i];
      }
    }
#pragma unroll
    for (int step = lanes / 2; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
    if (lane == 0)
      results[place_of(row)] = row < rows ? activated(activation, bias != nullptr ? sum + bias[row] : sum) : 0.0f;
  }
  __syncthreads();
}

/// Brings `bytes` bytes towards the block.
__device__ void prefetch(const void* from, int bytes) {
  constexpr int kLine = 128;
  for (int i = static_cast<int>(threadIdx.x) * kLine; i < bytes; i += Block::threads * kLine)
    ptx::prefetch_l2(static_cast<const char*>(from) + i);
}

/// Grid [cells of all branches, batch].
template <typename T>
__device__ void pyramid(const PyramidParams& p) {
  extern __shared__ __align__(16) float shared[];
  int i = 0;
  while (static_cast<int>(blockIdx.x) >= p.branches[i].end_cell) ++i;
  const PyramidParams::Branch& branch = p.branches[i];
  const int cell = static_cast<int>(blockIdx.x) - (i == 0 ? 0 : p.branches[i - 1].end_cell);
  const int b = static_cast<int>(blockIdx.y);
  ptx::let_next_grid_start();
  // Weights are constants: they need not wait for the map.
  prefetch(branch.stage_weight, branch.hidden * p.in_stride * static_cast<int>(sizeof(T)));
  prefetch(branch.bottleneck_weight, branch.out.channels * branch.hidden_stride * static_cast<int>(sizeof(T)));
  ptx::wait_for_previous_grid();
  float* means = shared + Block::warps * Block::row;
  float* hidden = means + Block::padded(p.in.channels);
  float* results = hidden + Block::padded(branch.hidden);

  pool<T>(p.in, b, cell_range(cell / branch.out.width, p.in.height, branch.out.height),
          cell_range(cell % branch.out.width, p.in.width, branch.out.width), shared, means);
  multiply<T, 32>(static_cast<const T*>(branch.stage_weight), branch.hidden, p.in.channels, p.in_stride,
                  branch.stage_bias, static_cast<Activation>(branch.activation), means, hidden);
  multiply<T, 8>(static_cast<const T*>(branch.bottleneck_weight), branch.out.channels, branch.hidden,
                 branch.hidden_stride, branch.bottleneck_bias, Activation::none, hidden, results);
  constexpr int each = kChannelsOfThread<T>;
  T* out = pixel_of<T>(branch.out, b, cell);
  for (int c = static_cast<int>(threadIdx.x) * each; c < branch.out.block; c += Block::threads * each)
    store_channels(branch.out, out, c, load_placed<each>(results, c));
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(Block::threads) pyramid_pool_f32(const __grid_constant__ PyramidParams p) {
  pyramid<float>(p);
}
__global__ void __launch_bounds__(Block::threads) pyramid_pool_f16(const __grid_constant__ PyramidParams p) {
  pyramid<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
