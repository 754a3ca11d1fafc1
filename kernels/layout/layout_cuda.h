// Moving channels on a CUDA device. The formulas are in layout.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out[..., out_begin + c] = in[..., in_begin + c] for c < count.
/// NHWC, each fp32 or fp16. 16-byte accesses where bases, strides and the first channels are multiples of 16 bytes.
/// No element of out outside these channels is touched, but the copy that ends with out's last channel writes its
/// padding channels as zeros. One launch; bound by memory.
void copy_channels_cuda(CudaQueue& queue, const Tensor& in, std::int64_t in_begin, const Tensor& out,
                        std::int64_t out_begin, std::int64_t count);

/// out = in, in another layout or type: one of them NHWC (fp32 or fp16), the other NHWC too, or planes of fp32 (blocks
/// of one channel, dense pixels). Padding channels of an NHWC out are written as zeros. One launch; bound by memory.
void convert_cuda(CudaQueue& queue, const Tensor& in, const Tensor& out);

/// out[b, y, x] = (x, y) as coordinates from -1 to 1 inclusive. Two channels, NHWC, fp32 or fp16. One launch.
void coordinates_cuda(CudaQueue& queue, const Tensor& out);

}  // namespace maskrt::kernels
