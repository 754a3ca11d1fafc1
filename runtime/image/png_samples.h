// PNG files whose pixels are numbers rather than colours: classes, and ids of segments.
//
// The usual decoders make RGB of everything, for which palettes are looked up and 16 bits are cut to 8. Here samples
// stay what the file stores. Of libraries it needs zlib alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "byte_reader.h"

namespace maskrt::image {

/// PNG's colour types.
enum class PngType : std::uint8_t { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgba = 6 };

struct PngSamples {
  PngType type = PngType::grey;
  int bits = 8;  ///< of a sample: 1, 2, 4, 8 or 16
  int width = 0, height = 0;
  std::size_t row_bytes = 0;
  std::vector<std::uint8_t> rows;  ///< as PNG packs them: channels interleaved, 16 bits with the upper byte first

  const std::uint8_t* row(int y) const { return rows.data() + static_cast<std::size_t>(y) * row_bytes; }
  /// A sample of a picture with one, grey or the place in a palette.
  std::uint16_t sample(int x, int y) const;
  /// "8-bit RGB", "16-bit grey with alpha", "4-bit palette"
  std::string kind() const;
};

/// Reads a PNG file of any type and depth that is not interlaced. Bad checksums are errors, those of pixels too, and so
/// is a picture of more than 2^26 pixels with less than a byte of file for every 64 of them. Throws Error: a reason
/// without the file's name.
PngSamples read_png_samples(Bytes file);

}  // namespace maskrt::image
