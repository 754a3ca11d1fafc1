// Conversion of the host's Tensor to the Map that kernels take, and the checks that launchers share.
#pragma once

#include <string_view>

#include "kernels/activation.h"
#include "kernels/tensor.h"
#include "map.h"

namespace maskrt::kernels::cuda {

/// The tensor as a Map, whatever its type: which ones there are kernels for, KernelFamily tells. Throws Error, which
/// names `what`, where the tensor is not NHWC (one block, as wide as its channels at least) or has extents beyond 32
/// bits.
Map map_of(const Tensor& tensor, std::string_view what);

/// A list [B, N, 1, C] as a Map of height N and width 1. Throws Error where it is no list or not fp32.
Map list_of(const Tensor& tensor, std::string_view what);

/// Throws Error where the activation is not short, of kernels that have no other.
void require_short(Activation activation, std::string_view what);

/// Throws Error where the two have different types.
void require_same_type(const Tensor& a, std::string_view what_a, const Tensor& b, std::string_view what_b);

/// Throws Error where the two have different batch, height, width or channels.
void require_same_shape(const Tensor& a, std::string_view what_a, const Tensor& b, std::string_view what_b);

}  // namespace maskrt::kernels::cuda
