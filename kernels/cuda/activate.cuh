// Activation functions on the device.
#pragma once

#include "kernels/activation.h"
#include "kernels/ptx/approximate.cuh"
#include "octet.cuh"

namespace maskrt::kernels::cuda {

/// 1 / (1 + e^-x), within a few ulp; saturates to 0 and 1.
__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

/// x Phi(x), Phi being the standard normal distribution, within 2^-23 (1 + |x|); from -5 on also within a ten
/// thousandth of itself. Phi(-|x|) is 2^q(|x|); the polynomial q is the minimax fit, weighted by the root of u Phi(-u),
/// of log2 Phi(-u) on [0, 5] that goes on falling beyond. No branch: 12 instructions, one of them on the special
/// function unit.
__device__ inline float gelu(float x) {
  constexpr float kTerms[] = {1.41651999e-05f,  -5.63150931e-05f, -4.79673152e-04f, 7.55651714e-03f,
                              -5.28748520e-02f, -4.59068805e-01f, -1.15112329f,     -1.0f};
  const float u = fabsf(x);
  float q = -8.78631283e-07f;
#pragma unroll
  for (const float term : kTerms) q = fmaf(q, u, term);
  const float beyond = ptx::exp2_approximate(q);
  return x * (x < 0 ? beyond : 1 - beyond);
}

/// The activation of one value, but for GELU; `slope` is the negative slope of leaky ReLU.
__device__ inline float activated(Activation activation, float value, float slope = 0) {
  if (activation == Activation::relu) return fmaxf(value, 0.0f);
  if (activation == Activation::sigmoid) return sigmoid(value);
  if (activation == Activation::leaky_relu) return value > 0 ? value : value * slope;
  return value;
}

/// The activation of each number of some vectors of channels, whichever it is; asked once for all of them.
template <int N, int count>
__device__ void activate(Channels<N> (&x)[count], Activation activation, float slope) {
  const auto each = [&x](auto&& f) {
#pragma unroll
    for (Channels<N>& vector : x)
#pragma unroll
      for (float& value : vector.v) value = f(value);
  };
  switch (activation) {
    case Activation::relu:
      return each([](float v) { return fmaxf(v, 0.0f); });
    case Activation::sigmoid:
      // Without the rare path of a division, which costs registers wherever there is a call.
      return each([](float v) { return ptx::reciprocal_approximate(1.0f + expf(-v)); });
    case Activation::leaky_relu:
      return each([=](float v) { return v > 0 ? v : v * slope; });
    case Activation::gelu:
      return each([](float v) { return gelu(v); });
    case Activation::none:
      return;
  }
}

}  // namespace maskrt::kernels::cuda
