// The header of a BMP file.
#include <string>

#include "header.h"

namespace maskrt::image {

Header read_bmp_header(Bytes file) {
  Header header;
  header.container = Container::bmp;
  constexpr std::size_t file_header = 14, oldest_info = 12;
  if (!has(file, 0, file_header + 16)) throw Error("the BMP file is truncated: it ends inside its header");
  const std::size_t pixels = little32(file, 10), info_size = little32(file, 14);
  std::uint32_t bits = 0;
  if (info_size == oldest_info) {
    header.width = little16(file, 18);
    header.height = little16(file, 20);
    bits = little16(file, 24);
  } else {
    header.width = static_cast<std::int32_t>(little32(file, 18));
    header.height = static_cast<std::int32_t>(little32(file, 22));
    bits = little16(file, 28);
  }
  if (header.height < 0) header.height = -header.height;  // top row first
  check_size(header.width, header.height);
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
    throw Error("expected a BMP of 1, 4, 8, 16, 24 or 32 bits a pixel, found " + std::to_string(bits));
  }
  const std::int64_t row = (header.width * bits + 31) / 32 * 4;
  if (!has(file, pixels, static_cast<std::size_t>(row * header.height))) {
    throw Error("the BMP file is truncated: expected " + std::to_string(header.height) + " rows of " +
                std::to_string(row) + " bytes from byte " + std::to_string(pixels) + " on, found a file of " +
                std::to_string(file.size()) + " bytes");
  }
  header.decoder_memory = 8 * static_cast<std::size_t>(header.width * header.height) + (std::size_t{1} << 20);
  return header;
}

}  // namespace maskrt::image
