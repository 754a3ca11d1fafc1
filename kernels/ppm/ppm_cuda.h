// Pyramid pooling module on a CUDA device: for each pyramid size an adaptive average pool, a 1x1 convolution with its
// activation, and the slice of the bottleneck's 1x1 convolution that reads this branch.
#pragma once

#include <span>

#include "kernels/activation.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// One branch of the pyramid. Weights are in device memory, of the maps' type, row-major, aligned to 16 bytes.
struct PyramidBranch {
  const void* stage_weight = nullptr;        ///< [H, pyramid_weight_stride(C)]; columns from C on are zeros
  const float* stage_bias = nullptr;         ///< [H], or null
  Activation activation = Activation::relu;  ///< a short one (activation.h)
  std::int64_t hidden = 0;                   ///< H
  const void* bottleneck_weight = nullptr;   ///< [O, pyramid_weight_stride(H)]; columns from H on are zeros
  const float* bottleneck_bias = nullptr;    ///< [O], or null
  Tensor out;                                ///< [B, size, size, O]
};

/// Row pitch of a packed weight in elements.
inline std::int64_t pyramid_weight_stride(std::int64_t in_channels) { return (in_channels + 7) / 8 * 8; }

/// For each branch: out = bottleneck_weight activation(stage_weight mean + stage_bias) + bottleneck_bias, where mean is
/// the adaptive average pool of `in` to out's height and width. 1 to 8 branches.
/// in [B, h, w, C], out [B, size, size, O], NHWC. fp32 or fp16, one type; means, hidden vectors and sums are fp32,
/// summed in a fixed order; out is rounded once. Weights are aligned to 16 bytes; `in` and out have any alignment of
/// elements, with 16-byte accesses where base addresses and strides are multiples of 16 bytes. Outputs must not alias
/// `in`. No workspace. Padding channels of outputs are written as zeros. Batch at most 65535;
/// PyramidBlock::shared_bytes(C, H, block of out) must fit a block's shared memory: C + H + O of about 5600 (64 KiB,
/// sm_75) to 42000 (227 KiB, sm_90). One launch; bound by the latency of the block that reads the whole map for the 1 x
/// 1 cell.
void pyramid_pool_cuda(CudaQueue& queue, const Tensor& in, std::span<const PyramidBranch> branches);

}  // namespace maskrt::kernels
