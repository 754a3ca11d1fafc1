// Pictures of any size for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "maskrt/maskrt.hpp"

namespace maskrt::testing {

/// An RGB picture of its own pixels.
class Picture {
 public:
  /// `tile` repeated in both directions and cut.
  Picture(const Image& tile, int width, int height)
      : pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3),
        width_(width),
        height_(height) {
    for (int y = 0; y < height; ++y) {
      const std::uint8_t* from = tile.row(y % tile.height());
      std::uint8_t* to = pixels_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width) * 3;
      for (int x = 0; x < width; ++x)
        for (int c = 0; c < 3; ++c) to[3 * x + c] = from[3 * (x % tile.width()) + c];
    }
  }

  Image image() const { return Image::from_pixels(pixels_.data(), width_, height_, PixelFormat::rgb); }

 private:
  std::vector<std::uint8_t> pixels_;
  int width_, height_;
};

}  // namespace maskrt::testing
