// Probabilities of mask pixels.
#pragma once

#include "kernels/ptx/approximate.cuh"

namespace maskrt::kernels::cuda {

/// Logits are multiplied by -log2(e) before they are blended, so that sigmoid(x) = 1 / (1 + 2^x).
constexpr float kToExponent = -1.4426950408889634f;

/// 1 / (1 + 2^x), within 1e-6.
__device__ inline float probability_of(float exponent) {
  return ptx::reciprocal_approximate(1.0f + ptx::exp2_approximate(exponent));
}

}  // namespace maskrt::kernels::cuda
