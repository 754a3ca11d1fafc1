// Copies and conversions of channels on a CUDA device. The formulas are in layout.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out[..., out_begin + c] = in[..., in_begin + c] for c < count.
/// in [B, H, W, C], out [B, H, W, C'], NHWC, each fp32 or fp16. Any alignment of elements; 16-byte accesses where base
/// addresses, strides and the first channels are multiples of 16 bytes. The slices must not overlap. No element of out
/// outside of these channels is written, except that a copy that includes out's last channel also writes its padding
/// channels, as zeros. Batch at most 65535. One launch; bound by memory.
void copy_channels_cuda(CudaQueue& queue, const Tensor& in, std::int64_t in_begin, const Tensor& out,
                        std::int64_t out_begin, std::int64_t count);

/// out = in, in another layout or type.
/// [B, H, W, C]; both NHWC (each fp32 or fp16), or one NHWC and the other planar fp32 (NCHW: block 1, pixel stride 1).
/// Any alignment of elements. out must not alias in. Padding channels of an NHWC out are written as zeros. Batch at
/// most 65535. One launch; bound by memory.
void convert_cuda(CudaQueue& queue, const Tensor& in, const Tensor& out);

/// out[b, y, x] = (x, y) as coordinates from -1 to 1 inclusive, computed in double and rounded once.
/// out [B, H, W, 2], NHWC, fp32 or fp16; padding channels are written as zeros. One launch; bound by memory.
void coordinates_cuda(CudaQueue& queue, const Tensor& out);

}  // namespace maskrt::kernels
