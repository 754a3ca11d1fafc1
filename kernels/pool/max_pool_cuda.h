// Max pooling on a CUDA device. The formula is in pool.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "pool.h"

namespace maskrt::kernels {

/// out [B, H', W', C]: largest of in [B, H, W, C] over each window, NaN apart; what lies outside is never the maximum.
/// NHWC, fp32 or fp16, one type; exact. Any alignment, 16-byte accesses where bases and strides are multiples of 16
/// bytes. Padding channels of out are written as zeros. in and out do not overlap. One launch; bound by memory.
/// Throws Error where the maps are not these.
void max_pool_cuda(CudaQueue& queue, const PoolGeometry& geometry, const Tensor& in, const Tensor& out);

}  // namespace maskrt::kernels
