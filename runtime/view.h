// Where a tensor lies in a program: a buffer or prepared weights, an offset, a layout.
#pragma once

#include <cstddef>
#include <memory>

#include "device.h"

namespace maskrt {

struct View {
  int buffer = -1;         ///< -1: no tensor at all
  std::size_t offset = 0;  ///< bytes
  kernels::Tensor tensor;  ///< `data` is null
  /// In place of a buffer: weights on the device, which no step writes. The owner keeps them, or whoever has a view.
  std::shared_ptr<const std::byte[]> prepared;

  /// In a running program; null where there is no tensor.
  std::byte* address(const Addresses& addresses) const {
    // Kernels take what they read and what they write as one type.
    if (prepared != nullptr) return const_cast<std::byte*>(prepared.get()) + offset;
    return buffer < 0 ? nullptr : addresses[buffer] + offset;
  }
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
  /// Rows begin .. begin + count - 1 of a list in place. Images of a batch are then as far apart as before.
  View rows(std::int64_t begin, std::int64_t count) const {
    View view = *this;
    view.offset += static_cast<std::size_t>(begin * tensor.width * tensor.pixel_stride) * size_of(tensor.type);
    view.tensor.height = count;
    return view;
  }
};

}  // namespace maskrt
