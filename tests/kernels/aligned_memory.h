// Memory for packed weights and scratch, aligned as the CPU's kernels ask for.
#pragma once

#include <cstddef>
#include <vector>

namespace maskrt::testing {

struct alignas(64) Line {
  std::byte bytes[64];
};

/// At least so many bytes, aligned to a cache line.
inline std::vector<Line> lines_for(std::size_t bytes) { return std::vector<Line>(bytes / sizeof(Line) + 1); }

}  // namespace maskrt::testing
