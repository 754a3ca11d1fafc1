// CRC-32 as zlib and PNG compute it.
#pragma once

#include <cstdint>
#include <span>

namespace maskrt::testing {

inline std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t value = 0xffffffffu;
  for (const std::uint8_t byte : bytes) {
    value ^= byte;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320u : value >> 1;
  }
  return ~value;
}

}  // namespace maskrt::testing
