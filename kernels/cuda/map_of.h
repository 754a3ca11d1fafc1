// From the tensors of the host's interface to what kernels read.
#pragma once

#include <string_view>

#include "kernels/tensor.h"
#include "map.h"

namespace maskrt::kernels::cuda {

/// The tensor as a Map. Throws Error, which names `what`, where the tensor is not NHWC (one block, as wide as its
/// channels at least), is not fp32 or fp16, or has extents beyond 32 bits.
Map map_of(const Tensor& tensor, std::string_view what);

/// A list [B, N, 1, C] as a Map of height N and width 1. Throws Error where it is no list or not fp32.
Map list_of(const Tensor& tensor, std::string_view what);

/// "f32" or "f16": the suffix of the kernels that store that type. Throws Error for other types.
std::string_view suffix_of(DataType type);

/// Throws Error where the two have different types.
void require_same_type(const Tensor& a, std::string_view what_a, const Tensor& b, std::string_view what_b);

/// Throws Error where the two have different batch, height, width or channels.
void require_same_shape(const Tensor& a, std::string_view what_a, const Tensor& b, std::string_view what_b);

}  // namespace maskrt::kernels::cuda
