// Resizing of feature maps on a CUDA device. The formulas are in resize.h.
#pragma once

#include <span>

#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// Each pixel `factor` x `factor` times.
/// NHWC, fp32 or fp16, one type; any alignment, 16-byte accesses where bases and strides are multiples of 16 bytes.
/// out must not alias in; its padding channels are written as zeros. One launch; bound by memory.
void upsample_nearest_cuda(CudaQueue& queue, const Tensor& in, int factor, const Tensor& out);

/// out = sum of the inputs, each resized bilinearly to out's height and width. Summed in the order of the inputs, in
/// fp32, rounded once. At most 8 inputs of one type; out is of theirs, or fp32. Otherwise as upsample_nearest_cuda.
void resize_bilinear_sum_cuda(CudaQueue& queue, std::span<const Tensor> inputs, const Tensor& out);

/// One map with source step 1 / factor: out has floor(n * factor) rows and columns. As resize_bilinear_sum_cuda.
void resize_bilinear_factor_cuda(CudaQueue& queue, const Tensor& in, double factor, const Tensor& out);

}  // namespace maskrt::kernels
