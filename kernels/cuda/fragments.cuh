// mma.sync products for every architecture from sm_75 on, and operand fragments loaded straight from global memory,
// eight neighbouring elements along k at a time.
//
// In a product over 32 elements of k, lane l holds k = 8 (l % 4) .. 8 (l % 4) + 7 of its rows, although mma.m16n8k16's
// fragment layout assigns k differently. The sum over k does not depend on the order as long as both operands are
// permuted alike. So a lane loads its fragment with one 16-byte access where the instruction's own layout would take
// four accesses of 4 bytes.
#pragma once

#include <cuda_fp16.h>

#include <cstdint>

#include "kernels/ptx/mma.cuh"

namespace maskrt::kernels::cuda {

/// Eight fp16 values in ascending order of k: one lane's share of a row in a product over 32 elements of k.
struct Eight {
  std::uint32_t pair[4];
};

__device__ inline std::uint32_t packed(float low, float high) {
  const __half2 both = __floats2half2_rn(low, high);
  return *reinterpret_cast<const std::uint32_t*>(&both);
}

/// Loads eight values from an address that is a multiple of 16 bytes.
__device__ inline Eight load_eight(const __half* from) {
  const uint4 bits = *reinterpret_cast<const uint4*>(from);
  return {{bits.x, bits.y, bits.z, bits.w}};
}

/// Loads `count` values (at most 8) from an address of any alignment and fills the rest with zeros.
template <typename T>
__device__ Eight load_some(const T* from, int count) {
  Eight e;
#pragma unroll
  for (int i = 0; i < 4; ++i)
    e.pair[i] = packed(2 * i < count ? static_cast<float>(from[2 * i]) : 0.0f,
                       2 * i + 1 < count ? static_cast<float>(from[2 * i + 1]) : 0.0f);
  return e;
}

/// Loads eight fp32 values, elements 0..3 and 16..19 from `from` on, and rounds them to fp16. `from` is a multiple of
/// 16 bytes. Four neighbouring lanes whose addresses are four elements apart thus read whole 32-byte sectors.
__device__ inline Eight load_fours(const float* from) {
  const float4 a = *reinterpret_cast<const float4*>(from), b = *reinterpret_cast<const float4*>(from + 16);
  return {{packed(a.x, a.y), packed(a.z, a.w), packed(b.x, b.y), packed(b.z, b.w)}};
}
/// The same elements of fp16 data; `from` is a multiple of 8 bytes.
__device__ inline Eight load_fours(const __half* from) {
  const uint2 a = *reinterpret_cast<const uint2*>(from), b = *reinterpret_cast<const uint2*>(from + 16);
  return {{a.x, a.y, b.x, b.y}};
}

/// Eight neighbouring fp32 values of each lane, rounded to fp16: `even` + 8 * (lane % 2) .., where even lanes pass
/// their own address and odd ones that of the lane before; a multiple of 32 bytes. Two lanes read whole sectors
/// together and exchange halves. Lanes whose values do not exist get zeros: `first`, `second` say which of the two do.
/// Called by whole warps.
__device__ inline Eight load_in_pairs(const float* even, bool first, bool second) {
  const bool odd = threadIdx.x % 2 != 0;
  const float* const from = even + (odd ? 4 : 0);
  const float4 a = first ? *reinterpret_cast<const float4*>(from) : float4{};
  const float4 b = second ? *reinterpret_cast<const float4*>(from + 8) : float4{};
  const std::uint32_t of_first[2] = {packed(a.x, a.y), packed(a.z, a.w)},
                      of_second[2] = {packed(b.x, b.y), packed(b.z, b.w)};
  std::uint32_t got[2];
#pragma unroll
  for (int i = 0; i < 2; ++i) got[i] = __shfl_xor_sync(0xffffffffu, odd ? of_first[i] : of_second[i], 1);
  if (odd) return {{got[0], got[1], of_second[0], of_second[1]}};
  return {{of_first[0], of_first[1], got[0], got[1]}};
}

/// d += a * b with a 16 x 16 and b 16 x 8 in the fragment layout of mma.m16n8k16; sm_75 issues two mma.m16n8k8.
__device__ inline void multiply_16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
#if __CUDA_ARCH__ >= 800
  ptx::mma_m16n8k16(d, a, b0, b1);
#else
  ptx::mma_m16n8k8(d, a[0], a[1], b0);
  ptx::mma_m16n8k8(d, a[2], a[3], b1);
#endif
}

/// d += a * b with a 16 x 32 and b 32 x 8. Lane l passes rows l / 4 (`upper`) and l / 4 + 8 (`lower`) of a and column
/// l / 4 of b, each at k = 8 (l % 4) .. 8 (l % 4) + 7. d has the accumulator layout of mma.m16n8k16: d[0] and d[1] are
/// row l / 4, columns 2 (l % 4) and 2 (l % 4) + 1; d[2] and d[3] are the same columns of row l / 4 + 8.
__device__ inline void multiply_32(float (&d)[4], const Eight& upper, const Eight& lower, const Eight& b) {
  multiply_16(d, {upper.pair[0], lower.pair[0], upper.pair[1], lower.pair[1]}, b.pair[0], b.pair[1]);
  multiply_16(d, {upper.pair[2], lower.pair[2], upper.pair[3], lower.pair[3]}, b.pair[2], b.pair[3]);
}

}  // namespace maskrt::kernels::cuda
