#include <algorithm>
#include <string_view>

#include "byte_writer.h"
#include "png_crc.h"
#include "regular.h"

namespace maskrt::image {
namespace {

constexpr std::size_t kFrame = 12;  // length, type and checksum around a chunk's data

void append_chunk(Bytes type_and_data, std::vector<std::byte>& out) {
  append_big32(static_cast<std::uint32_t>(type_and_data.size() - 4), out);
  out.insert(out.end(), type_and_data.begin(), type_and_data.end());
  append_big32(png_crc(type_and_data), out);
}

}  // namespace

std::vector<std::byte> regular_png(Bytes file) {
  constexpr std::size_t most_colours = 256;
  std::vector<std::byte> out(file.begin(), file.begin() + 8);
  std::size_t offset = 8;
  for (; has(file, offset, kFrame) && has(file, offset + kFrame, big32(file, offset));
       offset += kFrame + big32(file, offset)) {
    const std::size_t length = big32(file, offset);
    const Bytes type_and_data = file.subspan(offset + 4, 4 + length);
    if (starts_with(type_and_data, "IEND")) break;
    if (starts_with(type_and_data, "IDAT") && length == 0) continue;
    if (starts_with(type_and_data, "PLTE")) {
      std::vector<std::byte> palette(type_and_data.begin(), type_and_data.end());
      palette.resize(4 + 3 * most_colours);
      append_chunk(palette, out);
    } else {
      append_chunk(type_and_data, out);
    }
  }
  if (has(file, offset, 9) && starts_with(file.subspan(offset + 4), "IDAT")) {
    const std::size_t rest = file.size() - offset - 8;
    append_chunk(file.subspan(offset + 4, 4 + std::min<std::size_t>(rest, big32(file, offset))), out);
  }
  constexpr std::string_view end = "IEND";
  append_chunk(std::as_bytes(std::span(end.data(), end.size())), out);
  return out;
}

}  // namespace maskrt::image
