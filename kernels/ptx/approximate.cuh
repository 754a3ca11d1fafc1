// Functions of the special function unit, whose results are exact in about 22 bits. Subnormal numbers count as zeros.
#pragma once

namespace maskrt::ptx {

/// 2^x. PTX ISA, "ex2".
__device__ __forceinline__ float exp2_approximate(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// 1 / x. PTX ISA, "rcp".
__device__ __forceinline__ float reciprocal_approximate(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

}  // namespace maskrt::ptx
