// Elementwise operations on a CUDA device. The formulas are in elementwise.h.
#pragma once

#include "kernels/activation.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out = activation(in); `slope` is the negative slope of leaky ReLU. GELU is within 2^-23 (1 + |in|).
/// in and out: [B, H, W, C], NHWC, one shape. fp32 or fp16, one type; fp16 is computed in fp32 and rounded once.
/// Any alignment of elements; 16-byte accesses where base addresses and strides are multiples of 16 bytes. out may be
/// in. Padding channels of out are written as zeros; channels outside of a slice are left alone. Batch at most 65535.
/// One launch; bound by memory.
void activate_cuda(CudaQueue& queue, Activation activation, const Tensor& in, const Tensor& out, float slope = 0);

/// out = a + b. As activate_cuda; out may be a or b.
void add_cuda(CudaQueue& queue, const Tensor& a, const Tensor& b, const Tensor& out);

/// out = in * scale[c] + shift[c]; scale and shift [channels], fp32, on the device. As activate_cuda; of an
/// fp16 input the output may be fp32.
void scale_shift_cuda(CudaQueue& queue, const Tensor& in, const float* scale, const float* shift, const Tensor& out);

}  // namespace maskrt::kernels
