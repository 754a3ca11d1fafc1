// The EXIF orientation, and pictures turned by it.
#include "exif.h"

#include <utility>

namespace maskrt::image {

int exif_orientation(Bytes tiff) {
  constexpr std::uint32_t orientation_tag = 0x0112, byte_type = 1, short_type = 3, long_type = 4;
  constexpr std::size_t entry_size = 12;
  const bool little = starts_with(tiff, "II"), big = starts_with(tiff, "MM");
  if ((!little && !big) || !has(tiff, 0, 8)) return 1;
  const auto read16 = [&](std::size_t i) { return little ? little16(tiff, i) : big16(tiff, i); };
  const auto read32 = [&](std::size_t i) { return little ? little32(tiff, i) : big32(tiff, i); };
  if (read16(2) != 42) return 1;

  const std::size_t directory = read32(4);
  if (!has(tiff, directory, 2)) return 1;
  const std::size_t entries = read16(directory);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + entry_size * i;
    if (!has(tiff, entry, entry_size)) return 1;
    if (read16(entry) != orientation_tag) continue;
    if (read32(entry + 4) != 1) return 1;
    std::uint32_t value = 1;
    switch (read16(entry + 2)) {
      case byte_type:
        value = byte_at(tiff, entry + 8);
        break;
      case short_type:
        value = read16(entry + 8);
        break;
      case long_type:
        value = read32(entry + 8);
        break;
      default:
        break;
    }
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Raster oriented(const std::uint8_t* rgb, int width, int height, int orientation) {
  const bool transposed = orientation >= 5 && orientation <= 8;
  // Where the output's first row and column come from: the far end of the source's axes or the near one.
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Raster out{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
  if (transposed) std::swap(out.width, out.height);
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(width) * 3;
  const std::uint8_t* first = rgb + (from_bottom ? row * (height - 1) : 0) + (from_right ? row - 3 : 0);
  const std::ptrdiff_t step_x = from_right ? -3 : 3, step_y = from_bottom ? -row : row;
  std::uint8_t* to = out.pixels.data();
  for (int y = 0; y < out.height; ++y) {
    const std::uint8_t* from = first + (transposed ? step_x : step_y) * y;
    for (int x = 0; x < out.width; ++x, from += transposed ? step_y : step_x, to += 3) {
      to[0] = from[0];
      to[1] = from[1];
      to[2] = from[2];
    }
  }
  return out;
}

}  // namespace maskrt::image
