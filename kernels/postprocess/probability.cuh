// Probabilities of mask pixels, and how far computing with them can move them.
#pragma once

namespace maskrt::kernels::cuda {

/// 1 / (1 + e^-x), within 1e-6 of itself.
__device__ inline float probability_of(float logit) { return __fdividef(1.0f, 1.0f + __expf(-logit)); }

/// a + (b - a) * weight; exact where the weight is 0.
__device__ inline float between(float a, float b, float weight) { return a * (1.0f - weight) + b * weight; }

}  // namespace maskrt::kernels::cuda
