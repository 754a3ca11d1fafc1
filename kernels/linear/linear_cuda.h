// Linear layers over lists of vectors on a CUDA device. The formula is in linear.h.
#pragma once

#include <span>

#include "kernels/activation.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// One layer of a launch.
struct LinearHead {
  /// [O, linear_weight_stride(I)] on the device, row-major, of the launch's weight type, aligned to 16 bytes; columns
  /// from I on are zeros.
  const void* weight = nullptr;
  const float* bias = nullptr;               ///< [O] on the device, or null
  Activation activation = Activation::none;  ///< a short one (activation.h)
  Tensor out;                                ///< a list [B, N, 1, O], fp32 or fp16
};

/// Row pitch of a packed weight in elements.
inline std::int64_t linear_weight_stride(std::int64_t in_channels) { return (in_channels + 7) / 8 * 8; }

/// Reads a list [B, R, 1, C] as the list that Regroup would make of it (regroup.h), without materialising that list.
struct RegroupedList {
  std::int64_t blocks = 1, instances = 1;
};

/// out = activation(in weight^T + bias) for every head; all heads read `in`. 1 to 4 heads.
/// in: a list [B, N, 1, I], fp32, channels innermost; with `regroup` a list [B, R, 1, C] of dense rows that is read as
/// [B, instances, 1, R * C / instances]. out of head h: [B, N, 1, O_h], fp32 or fp16.
/// weight_type fp32: fp32 multiply-adds; fp16: `in` is rounded to fp16 and multiplied on tensor cores with fp32
/// accumulators. Sums run in a fixed order.
/// Weights are aligned to 16 bytes. 16-byte loads of `in` where I (with `regroup` a segment: R * C / (blocks *
/// instances) elements) is a multiple of 32 and base and strides are multiples of 16 bytes; any other alignment of
/// elements is read one by one. Outputs must not alias `in`. No workspace. Padding channels of outputs are written as
/// zeros. At most 65535 * 32 rows, B * N. One launch; bound by L2.
void linear_cuda(CudaQueue& queue, const Tensor& in, const RegroupedList* regroup, DataType weight_type,
                 std::span<const LinearHead> heads);

}  // namespace maskrt::kernels
