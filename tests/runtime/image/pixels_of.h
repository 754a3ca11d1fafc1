// A picture's pixels, row after row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "maskrt/maskrt.hpp"

namespace maskrt {

inline std::vector<std::uint8_t> pixels_of(const Image& image) {
  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < image.height(); ++y) {
    pixels.insert(pixels.end(), image.row(y), image.row(y) + static_cast<std::ptrdiff_t>(image.width()) * 3);
  }
  return pixels;
}

}  // namespace maskrt
