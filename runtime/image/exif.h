// Which way up a picture is, and pictures turned by it.
#pragma once

#include <optional>
#include <vector>

#include "byte_reader.h"

namespace maskrt::image {

/// The orientation (1 to 8) that a file's metadata name, as Pillow's getexif finds it: EXIF's, or where that names none
/// XMP's. 1 where neither does or they are damaged: a picture is worth showing without.
int orientation_of(Bytes exif, Bytes xmp);

/// The orientation in an EXIF block: a TIFF header and its first directory, behind none, one or two "Exif\0\0". None
/// where the directory lacks one; 1 where it has another value or is no directory.
std::optional<int> exif_orientation(Bytes exif);

/// The first tiff:Orientation="6" or >6 in a text; 1 for a digit that is no orientation.
std::optional<int> xmp_orientation(Bytes xmp);

/// RGB pixels, dense rows.
struct Raster {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;
};

/// The picture as it should be seen: 2 mirrored, 3 turned by 180 degrees, 4 upside down, 5 transposed, 6 turned
/// clockwise, 7 transposed over the other diagonal, 8 turned anticlockwise; anything else as it is.
Raster oriented(const std::uint8_t* rgb, int width, int height, int orientation);

}  // namespace maskrt::image
