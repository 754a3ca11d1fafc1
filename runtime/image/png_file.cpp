#include "png_file.h"

#include <utility>

#include "byte_writer.h"
#include "png_crc.h"

namespace maskrt::image {

PngFile::PngFile(int width, int height, int bits, int type) {
  for (const int byte : {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a})
    bytes_.push_back(static_cast<std::byte>(byte));
  chunk("IHDR", [&](std::vector<std::byte>& out) {
    append_big32(static_cast<std::uint32_t>(width), out);
    append_big32(static_cast<std::uint32_t>(height), out);
    for (const int byte : {bits, type, 0, 0, 0}) out.push_back(static_cast<std::byte>(byte));
  });
}

std::vector<std::byte> PngFile::finish() {
  chunk("IEND", [](std::vector<std::byte>& /*out*/) {});
  return std::move(bytes_);
}

std::size_t PngFile::begin_chunk(std::string_view type) {
  const std::size_t start = bytes_.size();
  append_big32(0, bytes_);
  for (const char c : type) bytes_.push_back(static_cast<std::byte>(c));
  return start;
}

void PngFile::end_chunk(std::size_t start) {
  const std::size_t size = bytes_.size() - start - 8;
  for (std::size_t i = 0; i < 4; ++i) bytes_[start + i] = static_cast<std::byte>(size >> (24 - 8 * i) & 0xff);
  append_big32(png_crc(Bytes(bytes_).subspan(start + 4)), bytes_);
}

}  // namespace maskrt::image
