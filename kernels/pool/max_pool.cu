// Max pooling of NHWC maps. A thread takes the maximum of one vector of channels over one window; neighbouring threads
// hold neighbouring channels, so every access of a warp is one stretch of memory. Rows that windows share are read
// again from the caches.
#include <cuda_fp16.h>

#include "max_pool_params.h"

namespace maskrt::kernels {
namespace {

// The largest so far, NaN apart, as the reference has it: fmaxf and __hmax return the operand that is a number.
struct One32 {
  float value = -INFINITY;
  __device__ void take(One32 other) { value = fmaxf(value, other.value); }
};

struct alignas(16) Four32 {
  float value[4] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
  __device__ void take(const Four32& other) {
    for (int i = 0; i < 4; ++i) value[i] = fmaxf(value[i], other.value[i]);
  }
};

struct One16 {
  __half value = __ushort_as_half(0xfc00);
  __device__ void take(One16 other) { value = __hmax(value, other.value); }
};

struct alignas(16) Eight16 {
  __half2 pair[4];
  __device__ Eight16() {
    for (__half2& two : pair) two = __half2half2(One16{}.value);
  }
  __device__ void take(const Eight16& other) {
    for (int i = 0; i < 4; ++i) pair[i] = __hmax2(pair[i], other.pair[i]);
  }
};

/// Vector of T; Element is what strides count. Grid [ceil(out_width * vectors / block), out_height, batch].
template <typename T, typename Element>
__device__ void max_pool(const MaxPoolParams& p) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned x = i / p.vectors, vector = i % p.vectors;
  if (x >= p.out_width) return;
  constexpr int width = sizeof(T) / sizeof(Element);
  const Element* in = static_cast<const Element*>(p.in) + blockIdx.z * p.in_batch_stride + vector * width;
  Element* out = static_cast<Element*>(p.out) + blockIdx.z * p.out_batch_stride + vector * width;

  const int top = static_cast<int>(blockIdx.y) * p.stride - p.padding,
            left = static_cast<int>(x) * p.stride - p.padding;
  const int first_row = max(top, 0), end_row = min(top + p.kernel, p.height);
  const int first_column = max(left, 0), end_column = min(left + p.kernel, p.width);
  T most;
  for (int row = first_row; row < end_row; ++row) {
    const Element* line = in + static_cast<long long>(row) * p.width * p.in_pixel_stride;
    for (int column = first_column; column < end_column; ++column)
      most.take(*reinterpret_cast<const T*>(line + static_cast<long long>(column) * p.in_pixel_stride));
  }
  *reinterpret_cast<T*>(out + (static_cast<long long>(blockIdx.y) * p.out_width + x) * p.out_pixel_stride) = most;
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256) max_pool_f32(const __grid_constant__ MaxPoolParams p) {
  max_pool<One32, float>(p);
}
extern "C" __global__ void __launch_bounds__(256) max_pool_f32x4(const __grid_constant__ MaxPoolParams p) {
  max_pool<Four32, float>(p);
}
extern "C" __global__ void __launch_bounds__(256) max_pool_f16(const __grid_constant__ MaxPoolParams p) {
  max_pool<One16, __half>(p);
}
extern "C" __global__ void __launch_bounds__(256) max_pool_f16x8(const __grid_constant__ MaxPoolParams p) {
  max_pool<Eight16, __half>(p);
}

}  // namespace maskrt::kernels
