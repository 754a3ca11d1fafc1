// Printing inks to RGB, as Pillow does it without a colour profile.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maskrt::image_library {

/// a * b / 255, rounded.
inline unsigned scaled(unsigned a, unsigned b) {
  const unsigned product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/// `count` pixels of four inks, 0 for none; `flip` is 255 for pixels in which 255 is none, otherwise 0.
inline void rgb_from_cmyk(const std::uint8_t* cmyk, std::size_t count, std::uint8_t flip, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < count; ++i, cmyk += 4, rgb += 3) {
    const unsigned light = 255u - (cmyk[3] ^ flip);
    for (int c = 0; c < 3; ++c) rgb[c] = static_cast<std::uint8_t>(light - scaled(cmyk[c] ^ flip, light));
  }
}

}  // namespace maskrt::image_library
