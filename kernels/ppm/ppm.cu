// Pyramid pooling in one launch: for each branch, out = bottleneck_weight * activation(stage_weight * mean +
// stage_bias) + bottleneck_bias with mean = adaptive average pooling of in [B, h, w, C] to the branch's size x size
// cells (cell_range.cuh); hidden vectors have H elements, out [B, size, size, O]. Means, hidden vectors and sums are
// fp32.
//
// One block of 1024 threads computes one cell of one branch from the map to the result: the mean (each of 32 warps sums
// every 32nd position, then warps are added in ascending order), then two matrix-vector products with all vectors in
// shared memory.
// Example: branches of 1, 2, 3 and 6 cells a side are 1 + 4 + 9 + 36 = 50 blocks an image. On a map of 20 x 27 the
// middle cell of the 3 x 3 branch has rows 6..13 and columns 9..17; neighbouring cells overlap, which averages allow.
// Bound by latency, not by throughput: the block of the 1 x 1 cell reads the whole map alone, and both products depend
// on the result before them. Their weights are prefetched into L2 first.
// Launch: grid [cells of all branches, B], B at most 65535; dynamic shared memory PyramidBlock::shared_bytes, 40320
// bytes for C = O = 256 and H = 64.
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

/// Index in shared memory of element k of a vector. Each row of 256 elements is stored in two halves: elements k % 8 <
/// 4 in the first, the others in the second. Lanes that read 8 consecutive elements each (as two float4), or 4, then
/// have no bank conflicts.
__device__ constexpr int place_of(int k) {
  return k / 256 * Block::kRow + k % 8 / 4 * (Block::kRow / 2) + k % 256 / 8 * 4 + k % 4;
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

/// Writes the mean over a cell to `means`, zeros up to a multiple of 256 channels. Each warp sums every 32nd position,
/// then warps are added in ascending order. `partial` holds 32 rows. Vectors are laid out by place_of.
template <typename T>
__device__ void pool(const Map& in, int b, CellRange rows, CellRange columns, float* partial, float* means) {
  const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, warp = thread / 32;
  const int positions = rows.count * columns.count;
  const int row_step = Block::kWarps / columns.count, column_step = Block::kWarps % columns.count;
  // Each lane has eight channels: neighbours in fp16; in fp32 two vectors of four, 128 channels apart.
  constexpr int each = kChannelsOfThread<T>, vectors = 8 / each;
  constexpr int ahead = sizeof(T) == 2 ? 4 : 2;  // loads in flight that 64 registers hold, on every chip
  for (int c0 = 0; c0 < in.channels; c0 += Block::kChannels) {
    const int c = c0 + lane * each;
    Channels<each> sums[vectors] = {};
    if (c < in.channels) {
      int y = warp / columns.count, x = warp % columns.count;
#pragma unroll ahead
      for (int i = warp; i < positions; i += Block::kWarps) {
        const int position = (rows.first + y) * in.width + columns.first + x;  // map_of: below 2^30
        const T* pixel = pixel_of<T>(in, b, position);
#pragma unroll
        for (int s = 0; s < vectors; ++s) {
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
    for (int s = 0; s < vectors; ++s) store_placed(partial + warp * Block::kRow, (s * 32 + lane) * each, sums[s]);
    __syncthreads();
    if (thread < Block::kChannels) {
      float total = 0;
#pragma unroll
      for (int w = 0; w < Block::kWarps; ++w) total += partial[w * Block::kRow + place_of(thread)];
      means[place_of(c0 + thread)] = total / static_cast<float>(positions);
    }
    __syncthreads();
  }
}

/// Matrix-vector product: results[r] = activation(weight[r] . vector + bias[r]) for r < rows, zeros up to a multiple of
/// 256. `lanes` threads share a row and load 16 bytes of weights each at a time; `vector` is padded with zeros to a
/// multiple of 256 elements.
template <typename T, int lanes>
__device__ void multiply(const T* weight, int rows, int columns, int stride, const float* bias, Activation activation,
                         const float* vector, float* results) {
  constexpr int each = kChannelsOfThread<T>;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % lanes;
  for (int row = thread / lanes; row < (rows + 255) / 256 * 256; row += Block::kThreads / lanes) {
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

/// Prefetches `bytes` bytes into L2. Called by all threads.
__device__ void prefetch(const void* from, int bytes) {
  constexpr int kLine = 128;
  for (int i = static_cast<int>(threadIdx.x) * kLine; i < bytes; i += Block::kThreads * kLine)
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
  // Prologue of the programmatic dependent launch: weights are constants and need not wait for the grid that writes
  // `in`.
  prefetch(branch.stage_weight, branch.hidden * p.in_stride * static_cast<int>(sizeof(T)));
  prefetch(branch.bottleneck_weight, branch.out.channels * branch.hidden_stride * static_cast<int>(sizeof(T)));
  ptx::wait_for_previous_grid();
  float* means = shared + Block::kWarps * Block::kRow;
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
  for (int c = static_cast<int>(threadIdx.x) * each; c < branch.out.block; c += Block::kThreads * each)
    store_channels(branch.out, out, c, load_placed<each>(results, c));
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(Block::kThreads) pyramid_pool_f32(const __grid_constant__ PyramidParams p) {
  pyramid<float>(p);
}
__global__ void __launch_bounds__(Block::kThreads) pyramid_pool_f16(const __grid_constant__ PyramidParams p) {
  pyramid<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
