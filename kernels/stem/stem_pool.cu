// The stem, 7 x 7 of stride 2 on pixels of four channels, and the pooling behind it, in fp16.
//
// A block makes 8 x 8 pixels of the pooled map, 64 channels of them. It stages the pixels below, as they lie in memory:
// eight taps of a window's row are then 64 bytes side by side, and the left side of the product needs no copy of its
// own, for `ldmatrix` takes its rows from wherever they begin, and windows overlap. The convolution's pixels, 17 x 17
// of them, go where pixels and weights were, and are pooled from there. Bound by the tensor cores: 306 pixels of
// products for 256 that nobody else makes, and the eighth tap; memory is met once, 8 bytes a pixel and what is pooled.
#include "../cuda/activate.cuh"
#include "../cuda/fragments.cuh"
#include "../cuda/octet.cuh"
#include "../ptx/griddepcontrol.cuh"
#include "../ptx/ldmatrix.cuh"
#include "../ptx/shared_address.cuh"
#include "stem_pool_params.h"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kPixels = kStemRows * kStemColumns;
constexpr int kPatchRows = 2 * kStemRows + 5, kPatchColumns = 2 * kStemColumns + 6;
constexpr int kPixelBytes = 8, kPatchRowBytes = kPatchColumns * kPixelBytes, kWeightRowBytes = kStemWeightRow * 2;
constexpr int kWeightBytes = kStemChannels * kWeightRowBytes, kPatchBytes = kPatchRows * kPatchRowBytes;
constexpr int kStagedRow = kStemChannels + 8;  // halves: eight pixels begin in different banks
constexpr int kStagedBytes = kPixels * kStagedRow * 2;
constexpr int kSharedBytes = kWeightBytes + kPatchBytes > kStagedBytes ? kWeightBytes + kPatchBytes : kStagedBytes;
constexpr int kStretches = 2, kEights = kStemChannels / 8, kSteps = kStemDepth / 16;
static_assert(kStemThreads / 32 * kStretches * 16 >= kPixels, "all pixels are somebody's");
static_assert(kPatchRowBytes % 16 == 0 && kWeightBytes % 16 == 0 && kSharedBytes <= 48 * 1024);
static_assert(kPatchColumns % 8 == 2, "rows that wrap go on in the next bank");

using Sums = float[kStretches][kEights][4];

__device__ void stage_weights(const StemPoolParams& p, int first_channel, unsigned char* weights) {
  const auto* from = reinterpret_cast<const uint4*>(static_cast<const __half*>(p.weights) +
                                                    static_cast<std::int64_t>(first_channel) * kStemWeightRow);
  for (int i = static_cast<int>(threadIdx.x); i < kWeightBytes / 16; i += kStemThreads)
    reinterpret_cast<uint4*>(weights)[i] = __ldg(from + i);
}

/// Pixels from row y and column x on; zeros beyond the map.
__device__ void stage_patch(const StemPoolParams& p, int b, int y, int x, unsigned char* patch) {
  for (int i = static_cast<int>(threadIdx.x); i < kPatchRows * kPatchColumns; i += kStemThreads) {
    const int row = y + i / kPatchColumns, column = x + i % kPatchColumns;
    uint2 pixel = make_uint2(0, 0);
    if (row >= 0 && row < p.in.height && column >= 0 && column < p.in.width)
      pixel = *reinterpret_cast<const uint2*>(pixel_of<const __half>(p.in, b, row * p.in.width + column));
    reinterpret_cast<uint2*>(patch)[i] = pixel;
  }
}

/// The products of this warp's pixels with all channels.
__device__ void multiply(std::uint32_t patch, std::uint32_t weights, Sums& sums) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  std::uint32_t left[kStretches];
#pragma unroll
  for (int s = 0; s < kStretches; ++s) {
    // Pixels that do not exist are the last one again; nobody stores them.
    const int pixel = min((warp * kStretches + s) * 16 + lane % 16, kPixels - 1);
    left[s] = patch + static_cast<std::uint32_t>(pixel / kStemColumns * 2 * kPatchRowBytes +
                                                 pixel % kStemColumns * 2 * kPixelBytes + lane / 16 * 16);
  }
  const std::uint32_t right =
      weights + static_cast<std::uint32_t>((lane / 16 * 8 + lane % 8) * kWeightRowBytes + lane / 8 % 2 * 16);
#pragma unroll
  for (int step = 0; step < kSteps; ++step) {
    std::uint32_t a[kStretches][4];
#pragma unroll
    for (int s = 0; s < kStretches; ++s)
      ptx::ldmatrix_x4(a[s], left[s] + static_cast<std::uint32_t>(step / 2 * kPatchRowBytes + step % 2 * 32));
#pragma unroll
    for (int n = 0; n < kEights; n += 2) {
      std::uint32_t b[4];
      ptx::ldmatrix_x4(b, right + static_cast<std::uint32_t>(n * 8 * kWeightRowBytes + step * 32));
#pragma unroll
      for (int s = 0; s < kStretches; ++s) {
        multiply_16(sums[s][n], a[s], b[0], b[1]);
        multiply_16(sums[s][n + 1], a[s], b[2], b[3]);
      }
    }
  }
}

/// The convolution's results, pixel after pixel.
__device__ void stage_results(const StemPoolParams& p, int first_channel, const Sums& sums, __half* staged) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int n = 0; n < kEights; ++n) {
    const int channel = n * 8 + lane % 4 * 2, c = first_channel + channel;
    float scale[2], bias[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const bool exists = c + i < p.out.channels;
      scale[i] = exists && p.scale != nullptr ? p.scale[c + i] : 1.0f;
      bias[i] = exists && p.bias != nullptr ? p.bias[c + i] : 0.0f;
    }
#pragma unroll
    for (int s = 0; s < kStretches; ++s) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int pixel = (warp * kStretches + s) * 16 + half * 8 + lane / 4;
        if (pixel >= kPixels) continue;
        const float* sum = sums[s][n] + half * 2;
        *reinterpret_cast<__half2*>(staged + pixel * kStagedRow + channel) = __floats2half2_rn(
            activated(p.activation, sum[0] * scale[0] + bias[0]), activated(p.activation, sum[1] * scale[1] + bias[1]));
      }
    }
  }
}

/// The tile's pixels from (y, x) on; a thread has eight channels of one.
__device__ void pool(const StemPoolParams& p, int b, int y, int x, int first_channel, const __half* staged) {
  for (int i = static_cast<int>(threadIdx.x); i < kStemPooled * kStemPooled * kEights; i += kStemThreads) {
    const int c = i % kEights * 8, pixel = i / kEights, row = pixel / kStemPooled, column = pixel % kStemPooled;
    if (y + row >= p.out.height || x + column >= p.out.width || first_channel + c >= p.out.block) continue;
    // The window's first row and column are a pixel before twice the pooled ones: where the tile begins.
    const int first_row = y + row == 0 ? 1 : 0, end_row = min(3, p.conv_height + 1 - 2 * (y + row));
    const int first_column = x + column == 0 ? 1 : 0, end_column = min(3, p.conv_width + 1 - 2 * (x + column));
    __half2 most[4];
    const __half2 least = __half2half2(__ushort_as_half(0xfc00));  // -infinity
#pragma unroll
    for (__half2& m : most) m = least;
    for (int dy = first_row; dy < end_row; ++dy) {
      for (int dx = first_column; dx < end_column; ++dx) {
        const int at = ((2 * row + dy) * kStemColumns + 2 * column + dx) * kStagedRow + c;
        const uint4 bits = *reinterpret_cast<const uint4*>(staged + at);
        const unsigned words[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
        for (int k = 0; k < 4; ++k) most[k] = __hmax2(most[k], *reinterpret_cast<const __half2*>(&words[k]));
      }
    }
    Octet o;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const float2 two = __half22float2(most[k]);
      o.v[2 * k] = two.x;
      o.v[2 * k + 1] = two.y;
    }
    const int position = (y + row) * p.out.width + x + column;
    store_channels(p.out, pixel_of<__half>(p.out, b, position), first_channel + c, o);
  }
}

// Of 7.5's shared memory there is enough for one.
#if __CUDA_ARCH__ >= 800
#define MASKRT_STEM_RESIDENT 2
#else
#define MASKRT_STEM_RESIDENT 1
#endif

}  // namespace

/// Grid [tiles, ceil(out.block / 64), batch].
extern "C" __global__ void __launch_bounds__(kStemThreads, MASKRT_STEM_RESIDENT)
    stem_pool_f16(const __grid_constant__ StemPoolParams p) {
  __shared__ __align__(16) unsigned char shared[kSharedBytes];
  ptx::let_next_grid_start();
  const int b = static_cast<int>(blockIdx.z), first_channel = static_cast<int>(blockIdx.y) * kStemChannels;
  const int tile = static_cast<int>(blockIdx.x);
  const int y = tile / p.tiles_across * kStemPooled, x = tile % p.tiles_across * kStemPooled;
  unsigned char* const patch = shared + kWeightBytes;
  stage_weights(p, first_channel, shared);
  ptx::wait_for_previous_grid();
  stage_patch(p, b, 4 * y - 5, 4 * x - 5, patch);  // 2 (2 y - 1) - 3
  __syncthreads();
  Sums sums = {};
  multiply(ptx::shared_address(patch), ptx::shared_address(shared), sums);
  __syncthreads();
  __half* const staged = reinterpret_cast<__half*>(shared);
  stage_results(p, first_channel, sums, staged);
  __syncthreads();
  pool(p, b, y, x, first_channel, staged);
}

}  // namespace maskrt::kernels::cuda
