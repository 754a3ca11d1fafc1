// A linear layer over lists of vectors.
#pragma once

#include "kernels/activation.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out = activation(in weight^T + bias). in: a list [B, N, 1, I], out: a list [B, N, 1, O]; weight [O, I] row-major;
/// bias [O] or null. fp32.
void linear_ref(const Tensor& in, const float* weight, const float* bias, Activation activation, const Tensor& out);

}  // namespace maskrt::kernels
