// Colours by index.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace maskrt::image {

/// 256 colours. Indices that a file's palette leaves out are black, as Pillow has them; without a palette, and where
/// all of it are greys of their own index, an index is a grey.
class Palette {
 public:
  Palette() {
    for (std::size_t i = 0; i < colours_.size(); ++i) colours_[i].fill(static_cast<std::uint8_t>(i));
  }

  /// The first `count` colours, each of which color(i) gives as red, green and blue.
  template <typename Colour>
  Palette(std::size_t count, const Colour& colour) : Palette() {
    const Palette greys = *this;
    for (std::size_t i = 0; i < count; ++i) colours_[i] = colour(i);
    if (colours_ == greys.colours_) return;
    for (std::size_t i = count; i < colours_.size(); ++i) colours_[i].fill(0);
  }

  /// Writes the colour of `index` to rgb[0], rgb[1] and rgb[2].
  void write(std::size_t index, std::uint8_t* rgb) const { std::memcpy(rgb, colours_[index].data(), 3); }

 private:
  std::array<std::array<std::uint8_t, 3>, 256> colours_;
};

}  // namespace maskrt::image
