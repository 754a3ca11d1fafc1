#include <algorithm>
#include <string_view>

#include "png_crc.h"
#include "regular.h"

namespace maskrt::image {
namespace {

constexpr std::size_t frame = 12;  // length, type and checksum around a chunk's data

void append(Bytes bytes, std::vector<std::byte>& out) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void append_big32(std::uint32_t value, std::vector<std::byte>& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift & 0xff));
}

}  // namespace

std::vector<std::byte> regular_png(Bytes file) {
  constexpr std::string_view end{"\0\0\0\0IEND\xae\x42\x60\x82", frame};
  std::size_t offset = 8;
  while (has(file, offset, frame) && has(file, offset + frame, big32(file, offset)))
    offset += frame + big32(file, offset);
  std::vector<std::byte> out(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(offset));
  if (has(file, offset, 8) && starts_with(file.subspan(offset + 4), "IDAT")) {
    const std::size_t rest = file.size() - offset - 8;
    const Bytes type_and_data = file.subspan(offset + 4, 4 + std::min<std::size_t>(rest, big32(file, offset)));
    append_big32(static_cast<std::uint32_t>(type_and_data.size() - 4), out);
    append(type_and_data, out);
    append_big32(png_crc(type_and_data), out);
  }
  append(std::as_bytes(std::span(end.data(), end.size())), out);
  return out;
}

}  // namespace maskrt::image
