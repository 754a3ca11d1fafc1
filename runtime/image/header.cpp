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

void check_expansion(const Header& header, std::int64_t pixels, std::size_t file_size) {
  constexpr std::int64_t always_taken = std::int64_t{1} << 26, pixels_a_byte = 64;
  if (pixels <= always_taken || pixels / pixels_a_byte <= static_cast<std::int64_t>(file_size)) return;
  throw Error("expected a picture of this size in a file of at least " + std::to_string(pixels / pixels_a_byte) +
              " bytes, found " + std::to_string(header.width) + " x " + std::to_string(header.height) + " pixels in " +
              std::to_string(file_size) + " bytes");
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
