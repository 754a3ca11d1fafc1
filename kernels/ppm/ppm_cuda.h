// Pyramid pooling on a CUDA device: of each size an adaptive average pool, a 1x1 convolution with its activation, and
// the slice of the bottleneck's 1x1 convolution that reads it.
#pragma once

#include <span>

#include "kernels/activation.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// One size of the pyramid. Weights are on the device, of the maps' type, row-major, aligned to 16 bytes.
struct PyramidBranch {
  const void* stage_weight = nullptr;  ///< [H, pyramid_weight_stride(C)]; columns from C on are zeros
  const float* stage_bias = nullptr;   ///< [H], or null
  Activation activation = Activation::relu;
  std::int64_t hidden = 0;                  ///< H
  const void* bottleneck_weight = nullptr;  ///< [O, pyramid_weight_stride(H)]; columns from H on are zeros
  const float* bottleneck_bias = nullptr;   ///< [O], or null
  Tensor out;                               ///< [B, size, size, O]
};

/// Elements from one row of a weight to the next.
inline std::int64_t pyramid_weight_stride(std::int64_t in_channels) { return (in_channels + 7) / 8 * 8; }

/// out = bottleneck_weight activation(stage_weight mean + stage_bias) + bottleneck_bias, mean over each cell of an
/// adaptive average pool to out's height and width.
/// in [B, h, w, C], NHWC, fp32 or fp16, outs of its type; C, H and O together at most 4000 (sm_75) to 40000; 1 to 8
/// branches. What is between is fp32; sums in a fixed order. Padding channels of outs are written as zeros. Outs must
/// not alias in. One launch; bound by the time that one block needs to read the map for the 1 x 1 pool.
void pyramid_pool_cuda(CudaQueue& queue, const Tensor& in, std::span<const PyramidBranch> branches);

}  // namespace maskrt::kernels
