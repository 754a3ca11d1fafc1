// Numbers out of bytes that may end anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace maskrt::image {

using Bytes = std::span<const std::byte>;

inline std::uint8_t byte_at(Bytes bytes, std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); }

/// True where `size` bytes from `offset` on lie inside; no sum that could overflow.
inline bool has(Bytes bytes, std::size_t offset, std::size_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

inline bool starts_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

// The callers of these have asked has() before.
inline std::uint32_t big16(Bytes bytes, std::size_t i) { return byte_at(bytes, i) << 8u | byte_at(bytes, i + 1); }
inline std::uint32_t big32(Bytes bytes, std::size_t i) { return big16(bytes, i) << 16u | big16(bytes, i + 2); }
inline std::uint32_t little16(Bytes bytes, std::size_t i) { return byte_at(bytes, i) | byte_at(bytes, i + 1) << 8u; }
inline std::uint32_t little32(Bytes bytes, std::size_t i) { return little16(bytes, i) | little16(bytes, i + 2) << 16u; }

}  // namespace maskrt::image
