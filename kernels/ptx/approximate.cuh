// Functions of the special function unit (SFU), accurate to about 22 bits. Subnormal inputs and results are flushed to
// zero.
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
