// Tensor-core products for every architecture from sm_75 on, and operand fragments that come straight from memory,
// eight neighbouring k at a time.
//
// In a product over 32 k, lane l holds k = 8 (l % 4) .. + 7 of its rows, although the instruction's layout spreads
// these columns differently: as long as both operands are permuted alike, the sum over k is the same. So a lane loads
// 16 bytes of fp16 where the plain layout would take four loads of 4 bytes.
#pragma once

#include <cuda_fp16.h>

#include <cstdint>

#include "kernels/ptx/mma.cuh"

namespace maskrt::kernels::cuda {

/// Eight fp16 values, k ascending.
struct Eight {
  std::uint32_t pair[4];
};

__device__ inline std::uint32_t packed(float low, float high) {
  const __half2 both = __floats2half2_rn(low, high);
  return *reinterpret_cast<const std::uint32_t*>(&both);
}

/// From an address that is a multiple of 16 bytes.
__device__ inline Eight load_eight(const __half* from) {
  const uint4 bits = *reinterpret_cast<const uint4*>(from);
  return {{bits.x, bits.y, bits.z, bits.w}};
}

/// The first `count` values from any address, then zeros.
template <typename T>
__device__ Eight load_some(const T* from, int count) {
  Eight e;
#pragma unroll
  for (int i = 0; i < 4; ++i)
    e.pair[i] = packed(2 * i < count ? static_cast<float>(from[2 * i]) : 0.0f,
                       2 * i + 1 < count ? static_cast<float>(from[2 * i + 1]) : 0.0f);
  return e;
}

/// Eight fp32 values as fp16, k = 0 .. 3 and 16 .. 19 from addresses that are multiples of 16: neighbouring lanes that
/// start four apart read whole sectors.
__device__ inline Eight load_fours(const float* from) {
  const float4 a = *reinterpret_cast<const float4*>(from), b = *reinterpret_cast<const float4*>(from + 16);
  return {{packed(a.x, a.y), packed(a.z, a.w), packed(b.x, b.y), packed(b.z, b.w)}};
}
/// As above, from addresses that are multiples of 8.
__device__ inline Eight load_fours(const __half* from) {
  const uint2 a = *reinterpret_cast<const uint2*>(from), b = *reinterpret_cast<const uint2*>(from + 16);
  return {{a.x, a.y, b.x, b.y}};
}

/// d += a * b over 16 k, fragments as in mma.m16n8k16.
__device__ inline void multiply_16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
#if __CUDA_ARCH__ >= 800
  ptx::mma_m16n8k16(d, a, b0, b1);
#else
  ptx::mma_m16n8k8(d, a[0], a[1], b0);
  ptx::mma_m16n8k8(d, a[2], a[3], b1);
#endif
}

/// d += the product over 32 k of 16 rows and 8 columns. Lane l gives row l / 4 and row l / 4 + 8 of a, column l / 4 of
/// b, each at k = 8 (l % 4) .. + 7. d is laid out as the instruction has it: d[0], d[1] are row l / 4 and columns
/// 2 (l % 4) and + 1; d[2], d[3] the same of row l / 4 + 8.
__device__ inline void multiply_32(float (&d)[4], const Eight& upper, const Eight& lower, const Eight& b) {
  multiply_16(d, {upper.pair[0], lower.pair[0], upper.pair[1], lower.pair[1]}, b.pair[0], b.pair[1]);
  multiply_16(d, {upper.pair[2], lower.pair[2], upper.pair[3], lower.pair[3]}, b.pair[2], b.pair[3]);
}

}  // namespace maskrt::kernels::cuda
