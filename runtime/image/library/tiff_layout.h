// How a TIFF file stores its pixels, and rows of them as RGB.
#pragma once

#include <tiffio.h>

#include <cstddef>
#include <cstdint>

#include "codecs.h"

namespace maskrt::image_library {

/// Layout of the rows of a block (a strip or a tile).
struct TiffLayout {
  std::uint16_t photometric, compression, bits, samples, format;
  bool planar;         ///< each sample in blocks of its own
  bool premultiplied;  ///< colours have been multiplied with the alpha that follows them
  /// Colour tables of palettes, 16 bits a value.
  const std::uint16_t *red, *green, *blue;

  /// Samples of a pixel that are read: inks, or colours and their alpha where it counts.
  unsigned used_samples() const;
  /// True for chroma that is stored otherwise than as samples of a pixel, which libtiff's own conversion reads.
  bool needs_conversion() const;
};

/// Reads the tags of the current directory; returns 0 with a reason for what Pillow does not read either, and for what
/// is left out here.
int read_layout(TIFF* tiff, TiffLayout& layout, MaskrtReason& reason);

/// `count` pixels of a row with all samples side by side. Where the samples are planar, `plane` says which they are:
/// rows of planes 0, 1, ... are given one after another for the same pixels.
void convert_row(const TiffLayout& layout, const std::uint8_t* row, std::size_t count, unsigned plane,
                 std::uint8_t* rgb);

}  // namespace maskrt::image_library
