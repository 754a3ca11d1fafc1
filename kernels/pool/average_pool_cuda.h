// Adaptive average pooling on a CUDA device. The formula is in pool.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out [B, h, w, C]: means of in [B, H, W, C] over rows floor(i H / h) .. ceil((i + 1) H / h) and columns likewise.
/// NHWC, fp32 or fp16, one type; summed in fp32 in a fixed order, rounded once. Any alignment, 16-byte accesses where
/// bases and strides are multiples of 16 bytes. Padding channels of out are written as zeros. One launch; bound by
/// memory, and where the map is small by the time that one block needs for the largest cell.
void adaptive_average_pool_cuda(CudaQueue& queue, const Tensor& in, const Tensor& out);

}  // namespace maskrt::kernels
