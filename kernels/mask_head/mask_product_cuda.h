// Mask logits on a CUDA device. The formula is in mask_product.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out[b, y, x, n] = sum over k of features[b, y, x, k] * kernels[b, n, k]; with `offset` the kernels have one number
/// more, which is added to the whole map.
/// kernels: a list [B, N, 1, K (+ 1)], fp32, channels innermost; features [B, h, w, K], NHWC, fp32 or fp16; out
/// [B, h, w, N], NHWC, of features' type or fp32; its padding channels are written as zeros. fp16: kernels (but not the
/// offset) are rounded to fp16 and multiplied on tensor cores, accumulated in fp32, rounded once. 16-byte accesses
/// where bases and strides are multiples of 16 bytes. out must not alias an input. One launch; bound by memory.
void mask_product_cuda(CudaQueue& queue, const Tensor& kernels, const Tensor& features, bool offset, const Tensor& out);

}  // namespace maskrt::kernels
