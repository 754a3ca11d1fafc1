// Which container, and the limits that all of them share.
#include "header.h"

#include <string>

namespace maskrt::image {

void check_size(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width > most_pixels || height > most_pixels || width * height > most_pixels) {
    throw Error("expected 1 to " + std::to_string(most_pixels) + " pixels, but the header says " +
                std::to_string(width) + " x " + std::to_string(height));
  }
}

Header read_header(Bytes file) {
  if (file.empty()) throw Error("expected a picture, found no bytes");
  if (starts_with(file, "\xff\xd8")) return read_jpeg_header(file);
  if (starts_with(file, "\x89PNG\r\n\x1a\n")) return read_png_header(file);
  if (starts_with(file, "BM")) return read_bmp_header(file);
  if (starts_with(file, "P5") || starts_with(file, "P6")) return read_pnm_header(file);
  throw Error("expected a JPEG, PNG, BMP, PGM or PPM picture, found other first bytes");
}

}  // namespace maskrt::image
