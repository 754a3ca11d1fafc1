// Mask logits on a CUDA device. The formula is in mask_product.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out[b, y, x, n] = sum over k of features[b, y, x, k] * kernels[b, n, k]; with `offset`, plus kernels[b, n, K].
/// kernels: a list [B, N, 1, K (+ 1 with `offset`)], fp32, channels innermost; features [B, h, w, K], NHWC, fp32 or
/// fp16;
/// out [B, h, w, N], NHWC, of features' type or fp32.
/// fp32 features: fp32 multiply-adds. fp16 features: kernels (but not the offset) are rounded to fp16 and multiplied on
/// tensor cores with fp32 accumulators; the result is rounded once.
/// Any alignment of elements; 16-byte accesses where base addresses and strides are multiples of 16 bytes. out must not
/// alias an input. No workspace. Padding channels of out are written as zeros. Batch at most 65535. One launch; bound
/// by memory.
void mask_product_cuda(CudaQueue& queue, const Tensor& kernels, const Tensor& features, bool offset, const Tensor& out);

}  // namespace maskrt::kernels
