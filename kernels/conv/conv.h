// Convolution with its epilogue.
#pragma once

#include "kernels/activation.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

struct ConvGeometry {
  int kernel_height = 1, kernel_width = 1;
  int stride = 1, padding = 0, dilation = 1, groups = 1;
  bool operator==(const ConvGeometry&) const = default;
};

/// Output extent of one axis.
inline std::int64_t conv_output_size(std::int64_t size, int kernel, const ConvGeometry& g) {
  return (size + 2 * g.padding - g.dilation * (kernel - 1) - 1) / g.stride + 1;
}

/// out = activation(conv(in, weight) + bias + coordinate term + residual), accumulated in double.
/// in [B, H, W, I], out and residual [B, H', W', O], fp32 or bf16, any blocking; out may alias residual.
/// weight [O, I / groups, kh, kw]; bias [O] or null. coordinate_weight [O, 2, kh, kw] or null: weights of the
/// coordinate term, the contribution of two more input channels, x and y, each from -1 to 1 inclusive over the map and
/// 0 in the padding. Padding channels of out are not written. `slope` is the negative slope of leaky ReLU.
void conv_ref(const ConvGeometry& geometry, const Tensor& in, const float* weight, const float* bias,
              const float* coordinate_weight, const Tensor* residual, Activation activation, const Tensor& out,
              float slope = 0);

}  // namespace maskrt::kernels
