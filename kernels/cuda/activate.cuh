// Activation functions on the device.
#pragma once

#include "kernels/activation.h"

namespace maskrt::kernels::cuda {

/// 1 / (1 + e^-x), within a few ulp; saturates to 0 and 1.
__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

/// The activation of one value; `slope` is the negative slope of leaky ReLU.
__device__ inline float activated(Activation activation, float value, float slope = 0) {
  if (activation == Activation::relu) return fmaxf(value, 0.0f);
  if (activation == Activation::sigmoid) return sigmoid(value);
  if (activation == Activation::leaky_relu) return value > 0 ? value : value * slope;
  return value;
}

}  // namespace maskrt::kernels::cuda
