// Where a tensor lies in a program: a buffer or prepared weights, an offset, a layout.
#pragma once

#include <cstddef>

#include "aligned_bytes.h"
#include "kernels/element.h"
#include "runtime/device.h"

namespace maskrt::cpu {

struct View {
  int buffer = -1;
  std::size_t offset = 0;  ///< bytes
  kernels::Tensor tensor;  ///< `data` is null
  AlignedBytes prepared;   ///< in place of a buffer: weights, which no step writes

  std::byte* address(const Addresses& addresses) const {
    return (prepared != nullptr ? prepared.get() : addresses[buffer]) + offset;
  }
  /// The tensor in a running program.
  kernels::Tensor at(const Addresses& addresses) const {
    kernels::Tensor bound = tensor;
    bound.data = address(addresses);
    return bound;
  }
  /// Channels begin .. begin + count - 1 in place. `begin` is a multiple of the block, so that no element moves.
  View channels(std::int64_t begin, std::int64_t count) const {
    View view = *this;
    const std::int64_t first = begin / tensor.block * tensor.block_stride + begin % tensor.block;
    view.offset += static_cast<std::size_t>(first) * size_of(tensor.type);
    view.tensor.channels = count;
    if (tensor.block == tensor.channels) view.tensor.block = count;
    return view;
  }
};

/// How a value is stored, where its shape is known.
struct Format {
  DataType type = DataType::f32;
  std::int64_t block = 0;  ///< 0: channels innermost (NHWC)
  bool operator==(const Format&) const = default;
};

}  // namespace maskrt::cpu
