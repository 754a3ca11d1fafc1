// The coordinates that CoordConv adds to a map.
#pragma once

#include <cstdint>

namespace maskrt::kernels {

/// -1 to 1 inclusive over `size` positions; -1 where there is one.
inline double coordinate(std::int64_t position, std::int64_t size) {
  return size > 1 ? -1.0 + 2.0 * static_cast<double>(position) / static_cast<double>(size - 1) : -1.0;
}

}  // namespace maskrt::kernels
