// Convolution on the FP32 pipes (FFMA), for every chip: fp32, and fp16 whose tensors are not aligned for tensor cores.
// An implicit GEMM (conv_params.h) with fp32 accumulators, summed along the depth in ascending order.
//
// A block of 128 threads computes a tile of 64 pixels by 64 channels; 3 stages of cp.async (synchronous copies on
// sm_75).
// A thread has a register tile of 8 x 4: every 8th row, and 4 columns 8 apart or more. A warp's reads of shared memory
// are then two broadcast rows (left operand) and twice 8 neighbouring rows (right operand), without bank conflicts, and
// its accumulators are staged in 32 different banks.
// Example: 100 pixels by 100 channels in one group are 2 x 2 tiles; the second ones have 36 rows and columns. Rows
// beyond the pixels and columns beyond the group are loaded as zeros and not stored.
// Bound by the multiply-adds: 128 for every 12 reads of 16 bytes from shared memory.
// Launch: grid [row tiles x column tiles, groups, splits], 128 threads, 24580 bytes of static shared memory.
#include <cuda_fp16.h>

#include "epilogue.cuh"
#include "implicit_gemm.cuh"
#include "kernels/conv/cuda/conv_tiles.h"
#include "split_sum.cuh"

namespace maskrt::kernels {
namespace {

constexpr int kTileRows = FfmaTile::kRows, kTileColumns = FfmaTile::kColumns, kTileChunks = FfmaTile::kChunks;
constexpr int threads = FfmaTile::kThreads, stages = FfmaTile::kStages;
constexpr int rows_of_thread = FfmaTile::kRowsOfThread, columns_of_thread = FfmaTile::kColumnsOfThread;
constexpr int kLeftBytes = kTileRows * kTileChunks * 16, kStageBytes = kLeftBytes + kTileColumns * kTileChunks * 16;
constexpr int kStagedLine = kTileColumns + 16;  // words; two rows that a warp stores, each in 16 banks, use all 32

/// The first of a thread's columns, and the offset of its j-th column. The columns of 16 neighbouring threads are two
/// groups of 8, 16 columns apart, which staging_index makes neighbours.
__device__ __forceinline__ int first_column_of(int thread) { return thread % 8 + thread / 8 % 2 * 16; }
constexpr int column_offset(int j) { return j / 2 * 32 + j % 2 * 8; }

/// Loads four neighbouring elements of a tile's row.
__device__ __forceinline__ float4 four_at(const unsigned char* at, const float*) {
  return *reinterpret_cast<const float4*>(at);
}
__device__ __forceinline__ float4 four_at(const unsigned char* at, const __half*) {
  const uint2 bits = *reinterpret_cast<const uint2*>(at);
  const float2 low = __half22float2(reinterpret_cast<const __half2&>(bits.x));
  const float2 high = __half22float2(reinterpret_cast<const __half2&>(bits.y));
  return make_float4(low.x, low.y, high.x, high.y);
}

/// Main loop: multiplies one step's tiles. `left_place` and `right_place` are byte offsets of this thread's first rows.
template <typename T>
__device__ __forceinline__ void multiply_step(const unsigned char* left, const unsigned char* right,
                                              std::uint32_t left_place, std::uint32_t right_place,
                                              float (&sums)[rows_of_thread][columns_of_thread]) {
#pragma unroll
  for (int chunk = 0; chunk < kTileChunks; ++chunk) {
#pragma unroll
    for (int element = 0; element < kElementsOfChunk<T>; element += 4) {
      const int byte = element * static_cast<int>(sizeof(T));
      float4 b[columns_of_thread];
#pragma unroll
      for (int j = 0; j < columns_of_thread; ++j)
        b[j] = four_at(right + (right_place ^ (chunk << 4)) + column_offset(j) * kTileChunks * 16 + byte,
                       static_cast<T*>(nullptr));
#pragma unroll
      for (int i = 0; i < rows_of_thread; ++i) {
        const float4 a =
            four_at(left + (left_place ^ (chunk << 4)) + i * 8 * kTileChunks * 16 + byte, static_cast<T*>(nullptr));
#pragma unroll
        for (int j = 0; j < columns_of_thread; ++j)
          sums[i][j] = fmaf(a.w, b[j].w, fmaf(a.z, b[j].z, fmaf(a.y, b[j].y, fmaf(a.x, b[j].x, sums[i][j]))));
      }
    }
  }
}

template <typename T>
__device__ __forceinline__ void conv(const ConvParams& p) {
  __shared__ alignas(128) unsigned char shared[stages * kStageBytes];
  static_assert(kTileRows * kStagedLine * sizeof(float) <= sizeof shared);
  __shared__ unsigned last;

  const int column_tile = static_cast<int>(blockIdx.x) % p.column_tiles;
  const int first_pixel = static_cast<int>(blockIdx.x) / p.column_tiles * kTileRows;
  const int first_channel = column_tile * kTileColumns, group = static_cast<int>(blockIdx.y);
  const int split = static_cast<int>(blockIdx.z);
  const int begin = static_cast<int>(static_cast<long long>(p.steps) * split / p.splits);
  const int steps = static_cast<int>(static_cast<long long>(p.steps) * (split + 1) / p.splits) - begin;

  PixelLoader<T, kTileRows, kTileChunks, threads, true> pixels;
  WeightLoader<T, kTileColumns, kTileChunks, threads> weights;
  pixels.start(p, first_pixel, group, begin);
  weights.start(p, first_channel, group, begin);
  const std::uint32_t base = ptx::shared_address(shared);
  const auto load = [&](int step) {
    const std::uint32_t to = base + static_cast<std::uint32_t>(step % stages * kStageBytes);
    pixels.load(p, to);
    weights.load(p, to + kLeftBytes);
  };
#pragma unroll 1
  for (int step = 0; step < stages - 1; ++step) {
    if (step < steps) load(step);
    commit_chunks();
  }

  const int first_row = static_cast<int>(threadIdx.x / 16),
            first_column = first_column_of(static_cast<int>(threadIdx.x));
  const std::uint32_t left_place = swizzled<kTileChunks>(first_row, 0);
  const std::uint32_t right_place = swizzled<kTileChunks>(first_column, 0);
  float sums[rows_of_thread][columns_of_thread] = {};
#pragma unroll 1
  for (int step = 0; step < steps; ++step) {
    wait_for_chunks<stages - 2>();
    __syncthreads();
    if (step + stages - 1 < steps) load(step + stages - 1);
    commit_chunks();
    const unsigned char* tile = shared + step % stages * kStageBytes;
    multiply_step<T>(tile, tile + kLeftBytes, left_place, right_place, sums);
  }
  if (p.splits > 1) {
    const int tile = static_cast<int>(blockIdx.y * gridDim.x + blockIdx.x);
    if (!reduce_splits<threads>(p, tile, split, sums, &last, [] { __syncthreads(); })) return;
  }

  wait_for_chunks<0>();
  __syncthreads();
  float* staging = reinterpret_cast<float*>(shared);
#pragma unroll
  for (int i = 0; i < rows_of_thread; ++i)
#pragma unroll
    for (int j = 0; j < columns_of_thread; ++j)
      staging[(first_row + 8 * i) * kStagedLine + staging_index<kTileColumns>(first_column) +
              staging_index<kTileColumns>(column_offset(j))] = sums[i][j];
  __syncthreads();
  Epilogue<kTileColumns, threads, T> store;
  store.start(p, threadIdx.x, first_channel, group);
  store.template store<kTileRows, kStagedLine>(p, staging, first_pixel);
}

}  // namespace

extern "C" __global__ void __launch_bounds__(threads, FfmaTile::kResident)
    conv_ffma_f32(const __grid_constant__ ConvParams p) {
  conv<float>(p);
}
extern "C" __global__ void __launch_bounds__(threads, FfmaTile::kResident)
    conv_ffma_f16(const __grid_constant__ ConvParams p) {
  conv<__half>(p);
}

}  // namespace maskrt::kernels
