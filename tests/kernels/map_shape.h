// The shape of a map that kernels are tested with.
#pragma once

#include <cstdint>
#include <ostream>

namespace maskrt::testing {

struct MapShape {
  std::int64_t batch, height, width, channels;
};

inline std::ostream& operator<<(std::ostream& stream, const MapShape& s) {
  return stream << s.batch << "x" << s.height << "x" << s.width << "x" << s.channels;
}

}  // namespace maskrt::testing
