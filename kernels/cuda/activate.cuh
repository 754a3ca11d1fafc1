// What an epilogue applies to each element, on the device.
#pragma once

#include "kernels/activation.h"

namespace maskrt::kernels::cuda {

/// 1 / (1 + e^-x), within a few units in the last place; 0 and 1 at the ends.
__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

/// `slope` is leaky ReLU's.
__device__ inline float activated(Activation activation, float value, float slope = 0) {
  if (activation == Activation::relu) return fmaxf(value, 0.0f);
  if (activation == Activation::sigmoid) return sigmoid(value);
  if (activation == Activation::leaky_relu) return value > 0 ? value : value * slope;
  return value;
}

}  // namespace maskrt::kernels::cuda
