// Average pooling by windows of one size on a CUDA device. The formula is in pool.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "pool.h"

namespace maskrt::kernels {

/// out[b, y, x, c] = mean of in over the part of the window from (y * stride, x * stride) on that lies inside of the
/// map. in [B, H, W, C], out [B, H', W', C] with H' = average_pool_output_size(H, geometry), NHWC. fp32 or fp16, one
/// type; summed in fp32 in a fixed order, rounded once. Any alignment of elements; 16-byte accesses where base
/// addresses and strides are multiples of 16 bytes. out must not alias in. Padding channels of out are written as
/// zeros. Batch at most 65535. One launch; bound by memory. Throws Error where shapes or types are not these, or where
/// the stride exceeds the kernel.
void average_pool_cuda(CudaQueue& queue, const AveragePoolGeometry& geometry, const Tensor& in, const Tensor& out);

}  // namespace maskrt::kernels
