// Numbers as bytes of a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace maskrt::image {

inline void append_big32(std::uint32_t value, std::vector<std::byte>& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift & 0xff));
}

}  // namespace maskrt::image
