// A ResNet's stem in one launch, fp16: out = maxpool_3x3_s2_p1(activation(conv_7x7_s2_p3(in) * scale + bias)).
// in [B, H, W, 4] (3 channels and a zero); convolution [B, H', W', O] with H' = (H - 1) / 2 + 1, rounded to fp16; out
// [B, H'', W'', O] with H'' = (H' - 1) / 2 + 1. The convolution's map is never written to global memory.
//
// A block computes a tile of 8 x 8 pooled pixels by 64 channels, from 17 x 17 convolution pixels:
//   1. stage: weights, and the patch of input pixels with its halo (39 rows of 44 pixels), in whole 32-byte sectors;
//   2. implicit GEMM: rows are convolution pixels, columns channels, k = 7 tap rows x 8 taps x 4 channels = 224. The 8
//      taps of a tap row (7 and a zero weight) are 64 consecutive bytes of the patch, so that ldmatrix reads the im2col
//      matrix from the overlapping windows in place;
//   3. the results, as fp16, replace patch and weights in shared memory and are pooled from there.
// Example: an image of 101 x 75 has a convolution map of 51 x 38 and an output of 26 x 19, 4 x 3 tiles: the last row of
// tiles stores 2 pixels, the last column 3. Windows beyond the convolution's map are left out of the maximum.
// Bound by tensor cores: a block multiplies 320 rows where neighbouring tiles' own pixels are 16 x 16 = 256, and 8 taps
// where 7 count. Memory traffic is 8 bytes an input pixel, and the output.
// Launch: grid [tiles, ceil(out.block / 64), B], 320 threads, 46592 bytes of shared memory, 2 blocks a multiprocessor
// (1 on sm_75).
#include "kernels/cuda/activate.cuh"
#include "kernels/cuda/fragments.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "kernels/ptx/ldmatrix.cuh"
#include "kernels/ptx/shared_address.cuh"
#include "stem_pool_params.h"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kPixelBytes = 8, kPixels = kStemRows * kStemColumns;
// The patch: a row is read from 3 pixels (kLead) before the first window on, so that reads start at a sector if the
// rows of the map do. In shared memory rows are shifted by one pixel, so that windows start at multiples of 16 bytes,
// as ldmatrix requires.
constexpr int kLead = 3, kPatchRows = 2 * kStemRows + 5, kPatchRead = 44, kPatchColumns = 50;
constexpr int kFirstWindow = (kLead + 1) * kPixelBytes, kPatchRowBytes = kPatchColumns * kPixelBytes;
constexpr int kRowsAtOnce = kStemThreads / kPatchRead;
static_assert(kPatchRead >= kLead + 2 * (kStemRows - 1) + 8 && kPatchColumns > kPatchRead);
static_assert(2 * kPatchRowBytes % 128 == 2 * kPixelBytes * kStemColumns % 128,
              "8 consecutive windows hit different banks also where they wrap to the next row");
constexpr int kWeightRowBytes = kStemWeightRow * 2, kWeightBytes = kStemChannels * kWeightRowBytes;
constexpr int kPatchBytes = kPatchRows * kPatchRowBytes;
constexpr int kRowTiles = 2, kEights = kStemChannels / 8, kSteps = kStemDepth / 16;  // mma tiles of a warp; k steps
constexpr int kComputed = kStemThreads / 32 * kRowTiles * 16;  // rows of the product; those from kPixels on are unused
static_assert(kComputed >= kPixels, "every convolution pixel of the tile is computed");
constexpr int kStagedRow = kStemChannels + 8;  // row pitch in halves: 8 consecutive pixels start in different banks
constexpr int kStagedBytes = kComputed * kStagedRow * 2;
constexpr int kSharedBytes = kWeightBytes + kPatchBytes > kStagedBytes ? kWeightBytes + kPatchBytes : kStagedBytes;
static_assert(kPatchRowBytes % 16 == 0 && kWeightBytes % 16 == 0 && kSharedBytes + kStemChannels * 8 <= 48 * 1024);

/// Scale and bias of the block's channels.
struct Factors {
  float scale[kStemChannels], bias[kStemChannels];
};

using Sums = float[kRowTiles][kEights][4];

__device__ void stage_weights(const StemPoolParams& p, int first_channel, unsigned char* weights) {
  const int thread = static_cast<int>(threadIdx.x);
  const auto* from = reinterpret_cast<const uint4*>(static_cast<const __half*>(p.weights) +
                                                    static_cast<std::int64_t>(first_channel) * kStemWeightRow);
#pragma unroll
  for (int i = 0; i < kWeightBytes / 16; i += kStemThreads)
    if (i + thread < kWeightBytes / 16) reinterpret_cast<uint4*>(weights)[i + thread] = __ldg(from + i + thread);
}

__device__ void stage_factors(const StemPoolParams& p, int first_channel, Factors& factors) {
  const int channel = static_cast<int>(threadIdx.x), c = first_channel + channel;
  if (channel >= kStemChannels) return;
  const bool exists = c < p.out.channels;
  factors.scale[channel] = exists && p.scale != nullptr ? p.scale[c] : 1.0f;
  factors.bias[channel] = exists && p.bias != nullptr ? p.bias[c] : 0.0f;
}

/// Loads the patch whose first pixel is (y, x); pixels outside of the map are zeros. Each thread has one column.
__device__ void stage_patch(const StemPoolParams& p, int b, int y, int x, unsigned char* patch) {
  const int column = static_cast<int>(threadIdx.x) % kPatchRead, first_row = static_cast<int>(threadIdx.x) / kPatchRead;
  if (first_row >= kRowsAtOnce) return;
  const bool exists = x + column >= 0 && x + column < p.in.width;
  const uint2* from =
      reinterpret_cast<const uint2*>(pixel_of<const __half>(p.in, b, (y + first_row) * p.in.width + x + column));
  uint2* to = reinterpret_cast<uint2*>(patch + first_row * kPatchRowBytes) + 1 + column;
#pragma unroll
  for (int row = 0; row < kPatchRows; row += kRowsAtOnce) {
    if (row + first_row >= kPatchRows) break;
    const int in_row = y + first_row + row;
    uint2 pixel = make_uint2(0, 0);
    if (exists && in_row >= 0 && in_row < p.in.height) pixel = *from;
    *to = pixel;
    from += kRowsAtOnce * p.in.width;
    to += kRowsAtOnce * kPatchColumns;
  }
}

/// Main loop: the products of this warp's 32 pixels with all channels of the block.
__device__ void multiply(std::uint32_t patch, std::uint32_t weights, Sums& sums) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  std::uint32_t left[kRowTiles];
#pragma unroll
  for (int s = 0; s < kRowTiles; ++s) {
    // Rows from kPixels on repeat the last pixel; their results are not pooled.
    const int pixel = min((warp * kRowTiles + s) * 16 + lane % 16, kPixels - 1);
    left[s] = patch + static_cast<std::uint32_t>(kFirstWindow + pixel / kStemColumns * 2 * kPatchRowBytes +
                                                 pixel % kStemColumns * 2 * kPixelBytes + lane / 16 * 16);
  }
  const std::uint32_t right =
      weights + static_cast<std::uint32_t>((lane / 16 * 8 + lane % 8) * kWeightRowBytes + lane / 8 % 2 * 16);
#pragma unroll
  for (int step = 0; step < kSteps; ++step) {
    std::uint32_t a[kRowTiles][4];
#pragma unroll
    for (int s = 0; s < kRowTiles; ++s)
      ptx::ldmatrix_x4(a[s], left[s] + static_cast<std::uint32_t>(step / 2 * kPatchRowBytes + step % 2 * 32));
#pragma unroll
    for (int n = 0; n < kEights; n += 2) {
      std::uint32_t b[4];
      ptx::ldmatrix_x4(b, right + static_cast<std::uint32_t>(n * 8 * kWeightRowBytes + step * 32));
#pragma unroll
      for (int s = 0; s < kRowTiles; ++s) {
        multiply_16(sums[s][n], a[s], b[0], b[1]);
        multiply_16(sums[s][n + 1], a[s], b[2], b[3]);
      }
    }
  }
}

/// Stages the convolution's results in shared memory as fp16, pixel by pixel. The activation is applied here where
/// `activates` is set; ReLU is left to pool(), since it commutes with the maximum.
template <bool activates>
__device__ void stage_results(const StemPoolParams& p, const Factors& factors, const Sums& sums, __half* staged) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  __half* const first = staged + (warp * kRowTiles * 16 + lane / 4) * kStagedRow + lane % 4 * 2;
#pragma unroll
  for (int n = 0; n < kEights; ++n) {
    const float2 scale = reinterpret_cast<const float2*>(factors.scale)[n * 4 + lane % 4];
    const float2 bias = reinterpret_cast<const float2*>(factors.bias)[n * 4 + lane % 4];
#pragma unroll
    for (int s = 0; s < kRowTiles; ++s) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const float* sum = sums[s][n] + half * 2;
        float2 two = make_float2(sum[0] * scale.x + bias.x, sum[1] * scale.y + bias.y);
        if (activates) two = make_float2(activated(p.activation, two.x), activated(p.activation, two.y));
        *reinterpret_cast<__half2*>(first + (s * 16 + half * 8) * kStagedRow + n * 8) = __float22half2_rn(two);
      }
    }
  }
}

/// Pools and stores the tile whose first output pixel is (y, x). Each thread has eight channels of one pixel.
__device__ void pool(const StemPoolParams& p, int b, int y, int x, int first_channel, const __half* staged) {
  const int c = static_cast<int>(threadIdx.x) % kEights * 8, first = first_channel + c;
  // ReLU commutes with rounding and with the maximum, so it is the maximum's initial value.
  const __half2 least = __half2half2(__ushort_as_half(p.activation == Activation::relu ? 0 : 0xfc00));  // or -infinity
#pragma unroll
  for (int pixel = static_cast<int>(threadIdx.x) / kEights; pixel < kStemPooled * kStemPooled;
       pixel += kStemThreads / kEights) {
    const int row = pixel / kStemPooled, column = pixel % kStemPooled;
    if (y + row >= p.out.height || x + column >= p.out.width || first >= p.out.block) continue;
    // The centre of a window, convolution pixel (2 (y + row), 2 (x + column)), always exists. Neighbours outside of the
    // convolution's map are replaced by the centre.
    const __half* middle = staged + ((2 * row + 1) * kStemColumns + 2 * column + 1) * kStagedRow + c;
    const int rows[3] = {y + row == 0 ? 0 : -kStemColumns * kStagedRow, 0,
                         2 * (y + row) + 1 < p.conv_height ? kStemColumns * kStagedRow : 0};
    const int columns[3] = {x + column == 0 ? 0 : -kStagedRow, 0, 2 * (x + column) + 1 < p.conv_width ? kStagedRow : 0};
    __half2 most[4] = {least, least, least, least};
#pragma unroll
    for (const int dy : rows) {
#pragma unroll
      for (const int dx : columns) {
        const uint4 bits = *reinterpret_cast<const uint4*>(middle + dy + dx);
        const unsigned words[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
        for (int k = 0; k < 4; ++k) most[k] = __hmax2(most[k], *reinterpret_cast<const __half2*>(&words[k]));
      }
    }
    __half* const out = pixel_of<__half>(p.out, b, (y + row) * p.out.width + x + column);
    if (p.out.aligned != 0 && first + 8 <= p.out.channels) {
      *reinterpret_cast<uint4*>(out + first) = *reinterpret_cast<const uint4*>(most);
      continue;
    }
    Octet o;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const float2 two = __half22float2(most[k]);
      o.v[2 * k] = two.x;
      o.v[2 * k + 1] = two.y;
    }
    store_channels(p.out, out, first, o);
  }
}

// Blocks a multiprocessor: the 64 KiB of shared memory of sm_75 hold one.
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
  __shared__ __align__(8) Factors factors;
  ptx::let_next_grid_start();
  const int b = static_cast<int>(blockIdx.z), first_channel = static_cast<int>(blockIdx.y) * kStemChannels;
  const int tile = static_cast<int>(blockIdx.x);
  const int y = tile / p.tiles_across * kStemPooled, x = tile % p.tiles_across * kStemPooled;
  unsigned char* const patch = shared + kWeightBytes;
  stage_weights(p, first_channel, shared);
  stage_factors(p, first_channel, factors);
  ptx::wait_for_previous_grid();
  stage_patch(p, b, 4 * y - 5, 4 * x - 5 - kLead, patch);  // 2 (2 y - 1) - 3
  __syncthreads();
  Sums sums = {};
  multiply(ptx::shared_address(patch), ptx::shared_address(shared), sums);
  __syncthreads();
  __half* const staged = reinterpret_cast<__half*>(shared);
  if (p.activation == Activation::none || p.activation == Activation::relu)
    stage_results<false>(p, factors, sums, staged);
  else
    stage_results<true>(p, factors, sums, staged);
  __syncthreads();
  pool(p, b, y, x, first_channel, staged);
}

}  // namespace maskrt::kernels::cuda
