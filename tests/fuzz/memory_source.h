// Tensor files, fed from memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "graph/byte_source.h"

namespace maskrt::fuzz {

/// A copy of exactly that size, so that a sanitizer sees what is read behind it.
inline std::shared_ptr<const graph::ByteSource> memory_source(std::span<const std::uint8_t> bytes) {
  const std::shared_ptr<std::byte[]> copy(new std::byte[bytes.size()]);
  if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
  return graph::in_memory(copy, bytes.size(), "model");
}

}  // namespace maskrt::fuzz
