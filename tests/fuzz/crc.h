// CRC-32 for mutators, a byte at a time from a table.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace maskrt::fuzz {

inline std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320u : value >> 1;
      made[i] = value;
    }
    return made;
  }();
  std::uint32_t value = 0xffffffffu;
  for (const std::uint8_t byte : bytes) value = table[(value ^ byte) & 0xff] ^ value >> 8;
  return ~value;
}

}  // namespace maskrt::fuzz
