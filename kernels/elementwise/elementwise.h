// Elementwise operations.
#pragma once

#include "kernels/activation.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out = activation(in). One shape; fp32 or bf16, any blocking each; out may alias in where their layouts are equal.
/// Padding channels of out are left alone. `slope` is the negative slope of leaky ReLU.
void activate_ref(Activation activation, const Tensor& in, const Tensor& out, float slope = 0);

/// As activate_ref. The fast path is for fp32 and equal blockings. Sigmoid is within 4 ulp of the exact one, and so is
/// GELU. Splits rows over OpenMP threads.
void activate_cpu(Activation activation, const Tensor& in, const Tensor& out, float slope = 0);

/// out = a + b. One shape; fp32 or bf16, any blocking each; out may alias either where their layouts are equal.
void add_ref(const Tensor& a, const Tensor& b, const Tensor& out);
void add_cpu(const Tensor& a, const Tensor& b, const Tensor& out);

/// out = in * scale[c] + shift[c]. fp32 or bf16, any blocking each. What a batch norm is once its statistics are known.
void scale_shift_ref(const Tensor& in, const float* scale, const float* shift, const Tensor& out);
void scale_shift_cpu(const Tensor& in, const float* scale, const float* shift, const Tensor& out);

}  // namespace maskrt::kernels
