// The EXIF orientation, and pictures turned by it.
#pragma once

#include <vector>

#include "byte_reader.h"

namespace maskrt::image {

/// The orientation (1 to 8) that an EXIF block names: a TIFF header and its first directory. 1 where it names none or
/// is damaged: a picture is worth showing without.
int exif_orientation(Bytes tiff);

/// RGB pixels, dense rows.
struct Raster {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;
};

/// The picture as it should be seen: 2 mirrored, 3 turned by 180 degrees, 4 upside down, 5 transposed, 6 turned
/// clockwise, 7 transposed over the other diagonal, 8 turned anticlockwise; anything else as it is.
Raster oriented(const std::uint8_t* rgb, int width, int height, int orientation);

}  // namespace maskrt::image
