// Layer normalisation on a CUDA device. The formula is in layer_norm.h.
#pragma once

#include "kernels/activation.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out = activation((in - mean) / sqrt(variance + epsilon) * weight[c] + bias[c]), mean and variance being those of the
/// C channels of one position; `slope` is the negative slope of leaky ReLU.
/// in and out: [B, H, W, C], NHWC, one shape; weight and bias [C] on the device. A list is a map of width 1.
/// in and out fp32 or fp16, one type, weight and bias fp32; computed in fp32 in a fixed order, the variance from the
/// distances from the mean, and rounded once. GELU is within 2^-23 (1 + |x|).
/// Any alignment of elements; fast where base addresses and strides are multiples of 16 bytes and a pixel's last 16
/// bytes belong to it (its block is long enough).
/// out may be in. No workspace. Padding channels of in may hold anything, those of out are written as zeros.
/// Any number of channels; up to 2048 in fp16, 1024 in fp32, a position is read once. Batch at most 65535.
/// One launch; bound by memory.
void layer_norm_cuda(CudaQueue& queue, const Tensor& in, const float* weight, const float* bias, double epsilon,
                     Activation activation, const Tensor& out, float slope = 0);

}  // namespace maskrt::kernels
