// Depthwise convolution with its epilogue: out[b, y, x, c] = activation(sum over taps of in[b, y s - p + ky d, x s - p
// + kx d, c] * weight[tap, c] * factor[c] + bias[c]); in [B, H, W, C], out [B, H', W', C], NHWC, fp32 or fp16, summed
// in fp32 and rounded once.
//
// Each thread has 16 bytes of channels (8 of fp16, 4 of fp32).
// depthwise_3x3 (stride and dilation 1): a thread computes a column of up to 16 output pixels, one below the other. It
// keeps its 9 weights, times the factors, in registers, and goes down the input rows: of each it loads three pixels,
// one row ahead (software pipelining), and adds them to the three output rows that they reach, whose sums are a sliding
// window of registers. So every pixel is loaded three times, two of them from L1, and widened three times.
// depthwise_any: a thread computes one pixel; weights come from L1.
// Example: 40 x 54 pixels of 320 channels in fp16, strips of 16 rows. A pixel has 40 vectors: blocks of 32 x 4 threads,
// the second in grid.y with 8 of 32 lanes at work. 54 columns x 3 strips are 162 items: 41 blocks in grid.x. The last
// strip has 8 rows. Taps beyond the map count as zeros.
// Bound by memory; with GELU as much by arithmetic, about 215 instructions for 16 bytes (SASS of sm_80: 72
// multiply-adds of the taps, 24 conversions, 96 of GELU).
// Launch: grid [ceil(items / block.y), chunks of a pixel's channels, B], B at most 65535; block of block.x channel
// lanes (a power of two, at most 32) x items, 128 threads, no shared memory.
#include "kernels/conv/cuda/depthwise_params.h"
#include "kernels/cuda/activate.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kThreads = DepthwiseTile::kThreads;

/// What of the packed weights a thread reads: its channels' factors and biases, and its vector of each tap.
template <typename T>
class Weights {
 public:
  static constexpr int each = kChannelsOfThread<T>;

  __device__ Weights(const DepthwiseParams& p, int c)
      : rows_(static_cast<const float*>(p.weights) + c / each * 4),
        row_((p.out.channels + each - 1) / each * 4),
        taps_(reinterpret_cast<const T*>(static_cast<const float*>(p.weights) + each / 2 * row_) + c) {}

  __device__ Channels<each> factors() const { return per_channel(0); }
  __device__ Channels<each> biases() const { return per_channel(each / 4); }
  __device__ Channels<each> tap(int tap) const {
    return load_wide<each>(taps_ + static_cast<std::int64_t>(tap) * (row_ / 4 * each));
  }

 private:
  __device__ Channels<each> per_channel(int row) const {
    Channels<each> o;
#pragma unroll
    for (int i = 0; i < each; i += 4) {
      const Channels<4> four = load_wide<4>(rows_ + (row + i / 4) * row_);
#pragma unroll
      for (int k = 0; k < 4; ++k) o.v[i + k] = four.v[k];
    }
    return o;
  }

  const float* rows_;
  int row_;  // floats of a row of fours
  const T* taps_;
};

/// A thread's place: output column x, rows from y on, channels from c on; where all of these are padding, it reads
/// channels from read_c on and writes zeros.
struct Work {
  int c, read_c, y, x;
  bool exists;
};
template <int each>
__device__ Work work_of(const DepthwiseParams& p) {
  const int c = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x) * each;
  const int item = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y);
  const int strip = p.width.quotient(item);
  return {c, min(c, (p.out.channels - 1) / each * each), strip * p.rows, p.width.remainder(item, strip),
          c < p.out.block && item < p.items};
}

template <int each>
__device__ void multiply_add(Channels<each>& sum, const Channels<each>& x, const Channels<each>& weight) {
#pragma unroll
  for (int i = 0; i < each; ++i) sum.v[i] = fmaf(x.v[i], weight.v[i], sum.v[i]);
}

/// The three input pixels of one row under a thread's taps as they lie in memory, zeros beyond the map.
struct Row {
  uint4 pixel[3];
};

template <typename T>
__device__ void depthwise_3x3(const DepthwiseParams& p) {
  constexpr int each = kChannelsOfThread<T>;
  ptx::let_next_grid_start();
  const Work work = work_of<each>(p);
  if (!work.exists) return;
  const Weights<T> weights(p, work.read_c);
  const Channels<each> factors = weights.factors(), biases = weights.biases();
  Channels<each> taps[9];
#pragma unroll
  for (int tap = 0; tap < 9; ++tap) {
    taps[tap] = weights.tap(tap);
#pragma unroll
    for (int i = 0; i < each; ++i) taps[tap].v[i] *= factors.v[i];
  }
  ptx::wait_for_previous_grid();

  const int b = static_cast<int>(blockIdx.z), left = work.x - p.padding, top = work.y - p.padding;
  const int rows = min(p.rows, p.out.height - work.y);
  const T* from = pixel_of<const T>(p.in, b, 0) +
                  (static_cast<std::int64_t>(top) * p.in.width + left) * p.in.pixel_stride + work.read_c;
  const std::int64_t row_stride = static_cast<std::int64_t>(p.in.width) * p.in.pixel_stride;
  const auto load = [&](int row) {
    Row o;
#pragma unroll
    for (int kx = 0; kx < 3; ++kx) {
      const bool inside = static_cast<unsigned>(top + row) < static_cast<unsigned>(p.in.height) &&
                          static_cast<unsigned>(left + kx) < static_cast<unsigned>(p.in.width);
      o.pixel[kx] = inside ? *reinterpret_cast<const uint4*>(from + kx * p.in.pixel_stride) : make_uint4(0, 0, 0, 0);
    }
    from += row_stride;
    return o;
  };

  T* to = pixel_of<T>(p.out, b, work.y * p.out.width + work.x) + work.c;
  // Sums of the output rows whose last and whose middle tap row the next input row is; their first: `biases`.
  Channels<each> last{}, middle{};
  Row next = load(0);
#pragma unroll 1
  for (int row = 0; row < rows + 2; ++row) {
    Channels<each> x[3];
#pragma unroll
    for (int kx = 0; kx < 3; ++kx) x[kx] = load_wide<each>(reinterpret_cast<const T*>(&next.pixel[kx]));
    if (row <= rows) next = load(row + 1);
    if (row >= 2) {
#pragma unroll
      for (int kx = 0; kx < 3; ++kx) multiply_add(last, x[kx], taps[6 + kx]);
      Channels<each> result[] = {last};
      activate(result, p.activation, p.slope);
      clear_beyond(p.out.channels, work.c, result[0]);
      store_wide(to, result[0]);
      to += static_cast<std::int64_t>(p.out.width) * p.out.pixel_stride;
    }
    last = middle;
    middle = biases;
#pragma unroll
    for (int kx = 0; kx < 3; ++kx) {
      multiply_add(last, x[kx], taps[3 + kx]);
      multiply_add(middle, x[kx], taps[kx]);
    }
  }
}

template <typename T>
__device__ void depthwise_any(const DepthwiseParams& p) {
  constexpr int each = kChannelsOfThread<T>;
  ptx::let_next_grid_start();
  const Work work = work_of<each>(p);
  if (!work.exists) return;
  ptx::wait_for_previous_grid();
  const Weights<T> weights(p, work.read_c);
  const int b = static_cast<int>(blockIdx.z), left = work.x * p.stride - p.padding, top = work.y * p.stride - p.padding;
  Channels<each> sum{};
  for (int ky = 0; ky < p.kernel_height; ++ky) {
    const int y = top + ky * p.dilation;
    if (static_cast<unsigned>(y) >= static_cast<unsigned>(p.in.height)) continue;
    for (int kx = 0; kx < p.kernel_width; ++kx) {
      const int x = left + kx * p.dilation;
      if (static_cast<unsigned>(x) >= static_cast<unsigned>(p.in.width)) continue;
      multiply_add(sum, load_channels<each>(p.in, pixel_of<const T>(p.in, b, y * p.in.width + x), work.read_c),
                   weights.tap(ky * p.kernel_width + kx));
    }
  }
  Channels<each> result[] = {weights.biases()};
  multiply_add(result[0], sum, weights.factors());
  activate(result, p.activation, p.slope);
  store_channels(p.out, pixel_of<T>(p.out, b, work.y * p.out.width + work.x), work.c, result[0]);
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(kThreads, 4) depthwise_3x3_f32(const __grid_constant__ DepthwiseParams p) {
  depthwise_3x3<float>(p);
}
__global__ void __launch_bounds__(kThreads, 3) depthwise_3x3_f16(const __grid_constant__ DepthwiseParams p) {
  depthwise_3x3<__half>(p);
}
__global__ void __launch_bounds__(kThreads, 8) depthwise_any_f32(const __grid_constant__ DepthwiseParams p) {
  depthwise_any<float>(p);
}
__global__ void __launch_bounds__(kThreads, 8) depthwise_any_f16(const __grid_constant__ DepthwiseParams p) {
  depthwise_any<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
