// Where a tensor lies in a program: a buffer, an offset, a layout.
#pragma once

#include <cstddef>

#include "device.h"

namespace maskrt {

struct View {
  int buffer = -1;         ///< -1: no tensor at all
  std::size_t offset = 0;  ///< bytes
  kernels::Tensor tensor;  ///< `data` is null

  /// In a running program; null where there is no tensor.
  std::byte* address(const Addresses& addresses) const { return buffer < 0 ? nullptr : addresses[buffer] + offset; }
  /// The tensor in a running program.
  kernels::Tensor at(const Addresses& addresses) const {
    kernels::Tensor bound = tensor;
    bound.data = address(addresses);
    return bound;
  }
  /// The tensor for planners, which look at its address for the alignment alone.
  kernels::Tensor planned() const {
    kernels::Tensor planned = tensor;
    planned.data = reinterpret_cast<void*>(offset);
    return planned;
  }
  /// Channels begin .. begin + count - 1 in place. They are whole blocks, so that no element moves, or part of a pixel
  /// whose channels lie in one block: what follows them is then no padding of theirs.
  View channels(std::int64_t begin, std::int64_t count) const {
    if (begin == 0 && count == tensor.channels) return *this;
    View view = *this;
    const std::int64_t first = begin / tensor.block * tensor.block_stride + begin % tensor.block;
    view.offset += static_cast<std::size_t>(first) * size_of(tensor.type);
    view.tensor.channels = count;
    if (tensor.block >= tensor.channels) view.tensor.block = count;
    return view;
  }
};

}  // namespace maskrt
