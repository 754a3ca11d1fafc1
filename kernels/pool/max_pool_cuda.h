// Max pooling on a CUDA device. The formula is in pool.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "pool.h"

namespace maskrt::kernels {

/// out[b, y, x, c] = max of in over the window at (y, x); positions outside of the map and NaNs are left out.
/// in [B, H, W, C], out [B, H', W', C] with H' = (H + 2 * padding - kernel) / stride + 1, NHWC. fp32 or fp16, one type;
/// exact. Any alignment of elements; 16-byte accesses where base addresses and strides are multiples of 16 bytes. out
/// must not alias in. Padding channels of out are written as zeros. Batch at most 65535. One launch; bound by memory.
/// Throws Error where shapes or types are not these.
void max_pool_cuda(CudaQueue& queue, const PoolGeometry& geometry, const Tensor& in, const Tensor& out);

}  // namespace maskrt::kernels
