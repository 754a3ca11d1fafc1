// Adaptive average pooling on a CUDA device. The formula is in pool.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out[b, i, j, c] = mean of in over rows [floor(i H / h), ceil((i + 1) H / h)) and columns likewise.
/// in [B, H, W, C], out [B, h, w, C], NHWC. fp32 or fp16, one type; summed in fp32 in a fixed order, rounded once.
/// Any alignment of elements; 16-byte accesses where base addresses and strides are multiples of 16 bytes. out must not
/// alias in. Padding channels of out are written as zeros. Batch at most 65535. One launch; bound by memory, and for a
/// small map by the latency of the block with the largest cell.
void adaptive_average_pool_cuda(CudaQueue& queue, const Tensor& in, const Tensor& out);

}  // namespace maskrt::kernels
