// Which container, and the limits that all of them share.
#include "header.h"

#include <string>

namespace maskrt::image {

void check_size(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width > kMostPixels || height > kMostPixels || width * height > kMostPixels) {
    throw Error("expected 1 to " + std::to_string(kMostPixels) + " pixels, but the header says " +
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
  using namespace std::string_view_literals;
  if (file.empty()) throw Error("expected a picture, found no bytes");
  if (starts_with(file, "\xff\xd8\xff")) return read_jpeg_header(file);
  if (starts_with(file, "\x89PNG\r\n\x1a\n")) return read_png_header(file);
  if (starts_with(file, "BM")) return read_bmp_header(file);
  if (starts_with(file, "GIF87a") || starts_with(file, "GIF89a")) return read_gif_header(file);
  if (starts_with(file, "RIFF") && has(file, 8, 4) && starts_with(file.subspan(8), "WEBP"))
    return read_webp_header(file);
  for (const std::string_view magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
    if (starts_with(file, magic)) return read_tiff_header(file);
  for (const std::string_view magic : {"P1", "P2", "P3", "P4", "P5", "P6"})
    if (starts_with(file, magic)) return read_pnm_header(file);
  throw Error("expected a JPEG, PNG, BMP, PNM, GIF, WebP or TIFF picture, found " + other_format(file));
}

}  // namespace maskrt::image
