// Memory that lies as vector instructions like it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt::cpu {

/// Bytes aligned to 4096, shared by whoever runs on them.
using AlignedBytes = std::shared_ptr<std::byte[]>;

/// Throws Error when there is no memory.
inline AlignedBytes allocate_aligned(std::size_t bytes) {
  const std::size_t rounded = (bytes + 4095) / 4096 * 4096;
  void* memory = std::aligned_alloc(4096, rounded != 0 ? rounded : 4096);
  if (memory == nullptr)
    throw Error("cpu: expected " + std::to_string(bytes) + " bytes of memory, found that there is none left");
  return AlignedBytes(static_cast<std::byte*>(memory), [](std::byte* p) { std::free(p); });
}

}  // namespace maskrt::cpu
