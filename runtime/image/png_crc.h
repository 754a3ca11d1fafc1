// The checksum of PNG's chunks.
#pragma once

#include <array>
#include <cstdint>

#include "byte_reader.h"

namespace maskrt::image {

inline constexpr std::array<std::uint32_t, 256> kPngCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320u : value >> 1;
    table[i] = value;
  }
  return table;
}();

/// The checksum of a chunk's type and data.
inline std::uint32_t png_crc(Bytes bytes) {
  std::uint32_t value = 0xffffffffu;
  for (const std::byte byte : bytes)
    value = kPngCrcTable[(value ^ static_cast<std::uint8_t>(byte)) & 0xff] ^ value >> 8;
  return ~value;
}

}  // namespace maskrt::image
