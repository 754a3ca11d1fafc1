// Times on the wall.
#pragma once

#include <chrono>

namespace maskrt {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace maskrt
