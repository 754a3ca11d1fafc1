// Layer normalisation of each position's channels: out = activation((in - mean) / sqrt(variance + epsilon) * weight[c]
// + bias[c]); in and out [B, H, W, C], NHWC, fp32 or fp16; computed in fp32 and rounded once.
//
// A group of 1 to 32 lanes has a position, each lane some of its vectors of 16 bytes (8 channels of fp16, 4 of fp32),
// which it keeps in registers: the mean is summed first and the squares of the distances from it second, so that no
// digits cancel, whatever the mean. Two shuffled reductions; the order of the sums does not depend on scheduling. The
// weights and biases are staged in shared memory once a block, before the preceding grid has completed (programmatic
// dependent launch), each as a row of first and a row of second fours of channels: the lanes' reads of 16 bytes then
// are neighbours.
// layer_norm_any, a block for each position, takes more channels than 8 vectors for each of 32 lanes, and maps whose
// vectors are not aligned. It reads a position three times, from L1 after the first.
// Example: 20 x 27 positions of 320 channels in fp16 are 40 vectors: 8 lanes have 5 each, of the 8 that the kernel has
// room for. A block of 256 threads has 32 positions at a time, the last of 17 blocks 28. With 321 channels there are 41
// vectors: the first lane has a sixth, of whose 8 channels one exists; the other seven count in no sum and are written
// as zeros, like all padding.
// Bound by memory: each number is read and written once. GELU takes longer than the rest of the arithmetic.
// Launch: grid [ceil(positions / (256 / lanes * passes)), B], B at most 65535; 256 threads, dynamic shared memory for 2
// parameters of each / 4 rows of norm_row_pitch() floats (layer_norm_any: grid [positions, B] and none).
#include "kernels/cuda/activate.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "layer_norm_params.h"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kThreads = kLayerNormThreads;

/// A vector's numbers of a parameter in shared memory: rows of fours, `pitch` floats apart. In fp16 a vector's second
/// four is in the row after its first.
template <int each>
__device__ Channels<each> staged(const float* from, int pitch, int vector) {
  Channels<each> o;
#pragma unroll
  for (int i = 0; i < each; i += 4) {
    const float4 four = *reinterpret_cast<const float4*>(from + i / 4 * pitch + vector * 4);
    o.v[i] = four.x, o.v[i + 1] = four.y, o.v[i + 2] = four.z, o.v[i + 3] = four.w;
  }
  return o;
}

/// Copies a parameter's `channels` numbers to shared memory in the order of staged(), with zeros to the end of the last
/// vector.
template <int each>
__device__ void stage(const float* from, int channels, int vectors, int pitch, float* to) {
  for (int c = static_cast<int>(threadIdx.x); c < vectors * each; c += kThreads)
    to[c / 4 % (each / 4) * pitch + c / each * 4 + c % 4] = c < channels ? from[c] : 0.0f;
}

template <int each>
__device__ float sum_of(const Channels<each>& x) {
  float sum = 0;
#pragma unroll
  for (const float v : x.v) sum += v;
  return sum;
}
template <int each>
__device__ float sum_of_squares(const Channels<each>& x) {
  float sum = 0;
#pragma unroll
  for (const float v : x.v) sum = fmaf(v, v, sum);
  return sum;
}
template <int each>
__device__ void subtract(Channels<each>& x, float mean) {
#pragma unroll
  for (float& v : x.v) v -= mean;
}

/// The sum of `value` over groups of `lanes` neighbouring lanes; each gets the same bits.
__device__ float sum_over(float value, int lanes) {
  for (int step = lanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}

/// Distances from the mean become results, but for the activation.
template <int each>
__device__ void scale_and_shift(Channels<each>& x, float scale, const Channels<each>& weight,
                                const Channels<each>& bias) {
#pragma unroll
  for (int i = 0; i < each; ++i) x.v[i] = fmaf(x.v[i] * scale, weight.v[i], bias.v[i]);
}

template <typename T, int most>
__device__ void layer_norm(const LayerNormParams& p) {
  constexpr int each = kChannelsOfThread<T>;
  extern __shared__ __align__(16) float parameters[];
  ptx::let_next_grid_start();
  const int channels = p.in.channels, vectors = (channels + each - 1) / each;
  float* const weight = parameters;
  const int pitch = norm_row_pitch(vectors);
  float* const bias = parameters + each / 4 * pitch;
  stage<each>(p.weight, channels, vectors, pitch, weight);
  stage<each>(p.bias, channels, vectors, pitch, bias);
  __syncthreads();
  ptx::wait_for_previous_grid();

  const int stored = p.out.block / each;  // vectors
  const bool ragged = channels != p.out.block;
  const int lanes = 1 << p.lanes_log2, groups = kThreads >> p.lanes_log2, thread = static_cast<int>(threadIdx.x);
  const int group = thread >> p.lanes_log2, lane = thread & (lanes - 1), positions = p.out.height * p.out.width,
            b = static_cast<int>(blockIdx.y);
  const auto vector_of = [&](int i) { return lane + i * lanes; };
  int position = static_cast<int>(blockIdx.x) * groups * p.passes + group;
#pragma unroll 1
  for (int pass = 0; pass < p.passes; ++pass, position += groups) {
    // Lanes of a warp whose position does not exist take part in the shuffles.
    const bool exists = position < positions;
    const T* const from = pixel_of<const T>(p.in, b, exists ? position : 0);
    Channels<each> x[most];
#pragma unroll
    for (int i = 0; i < most; ++i)
      x[i] = exists && vector_of(i) * each < channels ? load_wide<each>(from + vector_of(i) * each) : Channels<each>{};
    float sum = 0, squares = 0;
#pragma unroll
    for (int i = 0; i < most; ++i) {
      if (ragged) clear_beyond(channels, vector_of(i) * each, x[i]);  // padding may hold anything
      sum += sum_of(x[i]);
    }
    const float mean = sum_over(sum, lanes) * p.inverse_channels;
#pragma unroll
    for (int i = 0; i < most; ++i) {
      if (vector_of(i) * each >= channels) continue;
      subtract(x[i], mean);
      if (ragged) clear_beyond(channels, vector_of(i) * each, x[i]);
      squares += sum_of_squares(x[i]);
    }
    const float scale = rsqrtf(fmaf(sum_over(squares, lanes), p.inverse_channels, p.epsilon));
    if (!exists) continue;
#pragma unroll
    for (int i = 0; i < most; ++i)
      if (vector_of(i) < vectors)
        scale_and_shift(x[i], scale, staged<each>(weight, pitch, vector_of(i)),
                        staged<each>(bias, pitch, vector_of(i)));
    activate(x, p.activation, p.slope);
    T* const to = pixel_of<T>(p.out, b, position);
#pragma unroll
    for (int i = 0; i < most; ++i) {
      if (vector_of(i) >= stored) continue;
      if (ragged) clear_beyond(channels, vector_of(i) * each, x[i]);
      store_wide(to + vector_of(i) * each, x[i]);
    }
  }
}

/// The sum of `value` over the block's threads, in the same order every time.
__device__ float sum_over_block(float value, float (&of_warps)[kThreads / 32]) {
  value = sum_over(value, 32);
  __syncthreads();  // all threads have read the sums of the call before
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = value;
  __syncthreads();
  float sum = 0;
#pragma unroll
  for (const float of_warp : of_warps) sum += of_warp;
  return sum;
}

template <typename T>
__device__ void layer_norm_any(const LayerNormParams& p) {
  constexpr int each = kChannelsOfThread<T>;
  __shared__ float of_warps[kThreads / 32];
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int position = static_cast<int>(blockIdx.x), b = static_cast<int>(blockIdx.y), channels = p.in.channels;
  const T* const from = pixel_of<const T>(p.in, b, position);
  T* const to = pixel_of<T>(p.out, b, position);
  const auto for_vectors = [&](int end, auto&& f) {
    for (int c = static_cast<int>(threadIdx.x) * each; c < end; c += kThreads * each) {
      Channels<each> x[] = {{}};
      if (c < channels) x[0] = load_channels<each>(p.in, from, c);
      clear_beyond(channels, c, x[0]);
      f(x, c);
    }
  };
  float sum = 0, squares = 0;
  for_vectors(channels, [&](Channels<each>(&x)[1], int) { sum += sum_of(x[0]); });
  const float mean = sum_over_block(sum, of_warps) * p.inverse_channels;
  for_vectors(channels, [&](Channels<each>(&x)[1], int c) {
    subtract(x[0], mean);
    clear_beyond(channels, c, x[0]);
    squares += sum_of_squares(x[0]);
  });
  const float scale = rsqrtf(fmaf(sum_over_block(squares, of_warps), p.inverse_channels, p.epsilon));
  for_vectors(p.out.block, [&](Channels<each>(&x)[1], int c) {
    subtract(x[0], mean);
    Channels<each> weight{}, bias{};
#pragma unroll
    for (int i = 0; i < each; ++i)
      if (c + i < channels) weight.v[i] = p.weight[c + i], bias.v[i] = p.bias[c + i];
    scale_and_shift(x[0], scale, weight, bias);
    activate(x, p.activation, p.slope);
    store_channels(p.out, to, c, x[0]);
  });
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(kThreads, 4) layer_norm_f32_x2(const __grid_constant__ LayerNormParams p) {
  layer_norm<float, kFewNormVectors>(p);
}
__global__ void __launch_bounds__(kThreads, 4) layer_norm_f16_x2(const __grid_constant__ LayerNormParams p) {
  layer_norm<__half, kFewNormVectors>(p);
}
__global__ void __launch_bounds__(kThreads, 2) layer_norm_f32_x8(const __grid_constant__ LayerNormParams p) {
  layer_norm<float, kManyNormVectors>(p);
}
__global__ void __launch_bounds__(kThreads, 2) layer_norm_f16_x8(const __grid_constant__ LayerNormParams p) {
  layer_norm<__half, kManyNormVectors>(p);
}
__global__ void __launch_bounds__(kThreads) layer_norm_f32_any(const __grid_constant__ LayerNormParams p) {
  layer_norm_any<float>(p);
}
__global__ void __launch_bounds__(kThreads) layer_norm_f16_any(const __grid_constant__ LayerNormParams p) {
  layer_norm_any<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
