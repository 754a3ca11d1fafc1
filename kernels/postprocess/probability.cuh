// Probabilities of mask pixels.
#pragma once

#include "kernels/ptx/approximate.cuh"

namespace maskrt::kernels::cuda {

/// What logits are multiplied by before they are blended, so that the sigmoid's exponential is one of 2.
constexpr float kToExponent = -1.4426950408889634f;

/// 1 / (1 + 2^x), within 1e-6.
__device__ inline float probability_of(float exponent) {
  return ptx::reciprocal_approximate(1.0f + ptx::exp2_approximate(exponent));
}

}  // namespace maskrt::kernels::cuda
