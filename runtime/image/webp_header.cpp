// The chunks of a WebP file.
#include <string>

#include "exif.h"
#include "header.h"

namespace maskrt::image {
namespace {

std::int64_t little24(Bytes bytes, std::size_t i) { return little16(bytes, i) | byte_at(bytes, i + 2) << 16u; }

/// Width and height in the chunk that a file begins with; `data` holds at least 10 bytes.
void read_size(Bytes type, Bytes data, Header& header) {
  if (starts_with(type, "VP8X")) {
    header.width = little24(data, 4) + 1;
    header.height = little24(data, 7) + 1;
  } else if (starts_with(type, "VP8 ")) {
    header.width = little16(data, 6) & 0x3fff;
    header.height = little16(data, 8) & 0x3fff;
  } else if (starts_with(type, "VP8L")) {
    const std::uint32_t sizes = little32(data, 1);
    header.width = (sizes & 0x3fff) + 1;
    header.height = (sizes >> 14 & 0x3fff) + 1;
  } else {
    throw Error("expected a WebP file that begins with a chunk VP8, VP8L or VP8X, found another one");
  }
}

}  // namespace

Header read_webp_header(Bytes file) {
  Header header;
  header.container = Container::webp;
  header.needs_library = "a WebP picture";
  constexpr std::size_t chunk_header = 8;
  const auto truncated = [] { return Error("the WebP file is truncated: it ends before its last chunk"); };
  if (!has(file, chunk_header, little32(file, 4))) throw truncated();
  const Bytes chunks = file.first(chunk_header + little32(file, 4));
  Bytes exif, xmp;
  // 12: RIFF, its size, WEBP.
  for (std::size_t offset = 12; has(chunks, offset, chunk_header);) {
    const Bytes type = chunks.subspan(offset, 4);
    const std::size_t size = little32(chunks, offset + 4);
    if (!has(chunks, offset + chunk_header, size)) throw truncated();
    const Bytes data = chunks.subspan(offset + chunk_header, size);
    if (offset == 12) {
      if (data.size() < 10) throw truncated();
      read_size(type, data, header);
    } else if (starts_with(type, "EXIF") && exif.empty()) {
      exif = data;
    } else if (starts_with(type, "XMP ") && xmp.empty()) {
      xmp = data;
    }
    offset += chunk_header + size + size % 2;
  }
  if (header.width == 0) throw truncated();
  check_size(header.width, header.height);
  check_expansion(header, header.width * header.height, file.size());
  header.orientation = orientation_of(exif, xmp);
  return header;
}

}  // namespace maskrt::image
