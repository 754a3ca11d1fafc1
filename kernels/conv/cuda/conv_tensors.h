// What the launchers of convolutions ask about tensors.
#pragma once

#include <cstdint>

#include "kernels/tensor.h"

namespace maskrt::kernels {

/// Bytes from the last multiple of 16 to an address.
inline std::uintptr_t misalignment(const void* address) { return reinterpret_cast<std::uintptr_t>(address) % 16; }

/// Throws Error, which names `what`, unless the tensor is NHWC and has fewer than 2^31 elements.
void check_conv_tensor(const Tensor& tensor, const char* what);

/// Neighbouring channels that one access of the epilogue may load or store, from the first channel of any octet of any
/// group on: 8, 4 or 1. An octet of f32 takes two accesses of 16 bytes.
int epilogue_vector(const Tensor& tensor, std::int64_t group_stride, int groups);

}  // namespace maskrt::kernels
