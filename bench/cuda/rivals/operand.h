// Device memory full of numbers that keep multipliers busy: zeros would let a chip run at higher clocks.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/cuda/session_stream.h"

namespace maskrt::bench {

/// `count` fp16 numbers of either sign between 1/2 and 1.
inline cuda::DeviceMemory random_halves(cuda::SessionStream& stream, std::int64_t count) {
  std::vector<std::uint16_t> halves(static_cast<std::size_t>(count));
  std::uint32_t state = 1;
  for (std::uint16_t& half : halves) {
    state = state * 1664525u + 1013904223u;
    half = static_cast<std::uint16_t>(((state >> 16) & 0x83ff) | 0x3800);
  }
  cuda::DeviceMemory memory(stream.context(), halves.size() * sizeof halves[0]);
  stream.upload(memory.data(), halves.data(), memory.bytes());
  stream.synchronize();
  return memory;
}

}  // namespace maskrt::bench
