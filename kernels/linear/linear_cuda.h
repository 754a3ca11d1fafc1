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
  const float* bias = nullptr;  ///< [O] on the device, or null
  Activation activation = Activation::none;
  Tensor out;  ///< a list [B, N, 1, O], fp32 or fp16
};

/// Elements from one row of a weight to the next.
inline std::int64_t linear_weight_stride(std::int64_t in_channels) { return (in_channels + 7) / 8 * 8; }

/// How a list [B, R, 1, C] is read as the list that Regroup makes of it (regroup.h), without making it.
struct RegroupedList {
  std::int64_t blocks = 1, instances = 1;
};

/// out = activation(in weight^T + bias) for every head; all heads read `in`.
/// in: a list [B, N, 1, I], fp32, channels innermost; with `regroup` a list [B, R, 1, C] of dense rows that is read as
/// [B, instances, 1, R * C / instances]. 1 to 4 heads. weight_type fp32: multiply-adds in fp32; fp16: in is rounded to
/// fp16 and multiplied on tensor cores, accumulated in fp32. Sums in a fixed order. Outputs must not alias `in`.
/// Vector loads where I (regrouped: what of a row is side by side) is a multiple of 32 and rows of `in` are multiples
/// of 16 bytes. One launch; bound by the caches at few rows.
void linear_cuda(CudaQueue& queue, const Tensor& in, const RegroupedList* regroup, DataType weight_type,
                 std::span<const LinearHead> heads);

}  // namespace maskrt::kernels
