// Where a tensor lies in a program: a buffer or prepared weights, an offset, strides.
#pragma once

#include <cstddef>

#include "runtime/device.h"

namespace maskrt::cuda {

struct View {
  int buffer = -1;
  std::size_t offset = 0;               ///< bytes
  kernels::Tensor tensor;               ///< NHWC; `data` is null
  const std::byte* prepared = nullptr;  ///< in place of a buffer: weights on the device, which no step writes

  std::byte* address(const Addresses& addresses) const {
    // Tensors that are read and tensors that are written are one type.
    return (prepared != nullptr ? const_cast<std::byte*>(prepared) : addresses[buffer]) + offset;
  }
  /// The tensor in a running program.
  kernels::Tensor at(const Addresses& addresses) const {
    kernels::Tensor bound = tensor;
    bound.data = address(addresses);
    return bound;
  }
  /// The tensor as planners want it: with an address of the right alignment and no meaning.
  kernels::Tensor planned() const {
    kernels::Tensor planned = tensor;
    planned.data = reinterpret_cast<void*>(offset);
    return planned;
  }
  /// Channels begin .. begin + count - 1 in place.
  View channels(std::int64_t begin, std::int64_t count) const {
    View view = *this;
    view.offset += static_cast<std::size_t>(begin) * size_of(tensor.type);
    view.tensor.channels = view.tensor.block = count;
    return view;
  }
};

}  // namespace maskrt::cuda
