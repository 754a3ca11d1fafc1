// Resizing of feature maps on a CUDA device. The formulas are in resize.h.
#pragma once

#include <span>

#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out[b, y, x, c] = in[b, y / factor, x / factor, c].
/// in [B, H, W, C], out [B, factor * H, factor * W, C], NHWC. fp32 or fp16, one type; exact. Any alignment of elements;
/// 16-byte accesses where base addresses and strides are multiples of 16 bytes. out must not alias in. Padding channels
/// of out are written as zeros. Height of out and batch at most 65535. One launch; bound by memory.
void upsample_nearest_cuda(CudaQueue& queue, const Tensor& in, int factor, const Tensor& out);

/// out = sum of the inputs, each resized bilinearly to out's height and width.
/// 1 to 8 inputs [B, h_i, w_i, C], out [B, H, W, C], NHWC. Inputs of one type, fp32 or fp16; out of that type, or fp32.
/// Summed in fp32 in the order of the inputs, rounded once. Alignment, aliasing, padding and limits as for
/// upsample_nearest_cuda. One launch; bound by memory.
void resize_bilinear_sum_cuda(CudaQueue& queue, std::span<const Tensor> inputs, const Tensor& out);

/// out = in resized bilinearly with source step 1 / factor: out has floor(H * factor) rows and floor(W * factor)
/// columns.
/// Otherwise as resize_bilinear_sum_cuda with one input.
void resize_bilinear_factor_cuda(CudaQueue& queue, const Tensor& in, double factor, const Tensor& out);

}  // namespace maskrt::kernels
