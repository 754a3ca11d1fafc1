// Group normalisation on a CUDA device. The formula is in group_norm.h.
#pragma once

#include "kernels/activation.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out = activation((in - mean) / sqrt(variance + epsilon) * weight[c] + bias[c]), mean and variance being those of all
/// positions of an image and of the channels of c's group, which are C / groups consecutive ones; `slope` is the
/// negative slope of leaky ReLU. in and out: [B, H, W, C], NHWC, one shape; weight and bias [C] on the device; `groups`
/// divides C. in and out fp32 or fp16, one type, weight and bias fp32; computed in fp32 in a fixed order, the variance
/// from the distances from the mean, and rounded once. GELU is within 2^-23 (1 + |x|). Any alignment of elements; fast
/// where base addresses and strides are multiples of 16 bytes. out may be in. No workspace. Padding channels of in may
/// hold anything, those of out are written as zeros. C up to 8192, and beyond where groups are whole vectors of 16
/// bytes; batch at most 65535, groups at most 65535. One launch; bound by memory. On sm_90 up to 8 blocks share the
/// groups that fill a sector and keep what they read in shared memory: a map is read once. Elsewhere one block has
/// them, and reads what does not fit three times.
void group_norm_cuda(CudaQueue& queue, const Tensor& in, const float* weight, const float* bias, int groups,
                     double epsilon, Activation activation, const Tensor& out, float slope = 0);

}  // namespace maskrt::kernels
