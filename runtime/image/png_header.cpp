// The chunks of a PNG file, walked from the first to the last.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "exif.h"
#include "header.h"
#include "png_crc.h"

namespace maskrt::image {
namespace {

/// Bits of a pixel; throws Error for a combination that PNG does not have.
std::int64_t bits_per_pixel(std::uint32_t depth, std::uint32_t color) {
  constexpr std::array<int, 7> channels = {1, 0, 3, 1, 2, 0, 4};
  const bool valid_depth = depth == 8 || (depth == 16 && color != 3) ||
                           ((depth == 1 || depth == 2 || depth == 4) && (color == 0 || color == 3));
  if (color >= channels.size() || channels[color] == 0 || !valid_depth) {
    throw Error("expected a PNG colour type and depth, found type " + std::to_string(color) + " with depth " +
                std::to_string(depth));
  }
  return static_cast<std::int64_t>(channels[color]) * depth;
}

/// The XMP packet that a text chunk holds uncompressed: tEXt is keyword, 0, text; iTXt is keyword, 0, whether and how
/// it is compressed, language, 0, translated keyword, 0, text.
std::optional<Bytes> xmp_in_text_chunk(Bytes type, Bytes data) {
  constexpr std::string_view keyword{"XML:com.adobe.xmp\0", 18};
  if (!starts_with(data, keyword)) return std::nullopt;
  data = data.subspan(keyword.size());
  if (starts_with(type, "tEXt")) return data;
  if (!starts_with(type, "iTXt") || data.size() < 2 || byte_at(data, 0) != 0) return std::nullopt;
  data = data.subspan(2);
  for (int i = 0; i < 2; ++i) {
    const auto end = std::find(data.begin(), data.end(), std::byte{0});
    if (end == data.end()) return std::nullopt;
    data = data.subspan(static_cast<std::size_t>(end - data.begin()) + 1);
  }
  return data;
}

}  // namespace

Header read_png_header(Bytes file) {
  Header header;
  header.container = Container::png;
  constexpr std::size_t frame = 12;  // length, type and checksum around a chunk's data
  std::int64_t row_bits = 0;
  std::size_t compressed = 0, offset = 8, colours = 0, depth = 0;
  bool indexed = false;
  Bytes exif, xmp;
  for (bool first = true, ended = false; !ended; first = false) {
    const bool fits = has(file, offset, frame) && has(file, offset + frame, big32(file, offset));
    // A file that is cut off behind or in its pixels' data may hold them all; a decoder sees whether some are missing.
    if (!fits && (compressed > 0 || (has(file, offset, 8) && starts_with(file.subspan(offset + 4), "IDAT")))) {
      if (has(file, offset, 8) && starts_with(file.subspan(offset + 4), "IDAT")) compressed += file.size() - offset - 8;
      header.ended = false;
      break;
    }
    if (!has(file, offset, frame)) throw Error("the PNG file is truncated: it ends before its IEND chunk");
    const std::size_t length = big32(file, offset);
    const Bytes tail = file.subspan(offset + 4);
    if (!fits || length > 0x7fffffffu) {
      throw Error("the PNG file is truncated or damaged: the chunk at byte " + std::to_string(offset) +
                  " does not fit");
    }
    const bool critical = (byte_at(tail, 0) & 0x20) == 0;
    if (critical && png_crc(tail.first(4 + length)) != big32(tail, 4 + length)) {
      throw Error("the PNG file is damaged: the checksum of the chunk at byte " + std::to_string(offset) +
                  " does not match");
    }
    if (critical && !starts_with(tail, "IHDR") && !starts_with(tail, "PLTE") && !starts_with(tail, "IDAT") &&
        !starts_with(tail, "IEND")) {
      throw Error("expected the PNG chunks IHDR, PLTE, IDAT and IEND, found another critical one at byte " +
                  std::to_string(offset));
    }
    if (first != starts_with(tail, "IHDR") || (first && length != 13)) {
      throw Error("expected the PNG file to begin with its one IHDR chunk, found another order");
    }
    const Bytes data = tail.subspan(4, length);
    if (first) {
      header.width = big32(data, 0);
      header.height = big32(data, 4);
      check_size(header.width, header.height);
      indexed = byte_at(data, 9) == 3;
      depth = byte_at(data, 8);
      row_bits = header.width * bits_per_pixel(byte_at(data, 8), byte_at(data, 9));
    } else if (starts_with(tail, "PLTE")) {
      colours = length / 3;
    } else if (starts_with(tail, "IDAT")) {
      compressed += length;
      if (length == 0) header.suits_stb = false;
    } else if (starts_with(tail, "eXIf")) {
      exif = data;
    } else if (const auto text = xmp_in_text_chunk(tail.first(4), data)) {
      xmp = *text;
    }
    ended = starts_with(tail, "IEND");
    offset += frame + length;
  }
  if (indexed && colours < std::size_t{1} << depth) header.suits_stb = false;
  header.orientation = orientation_of(exif, xmp);
  // Deflate makes at most 258 bytes of two bits.
  constexpr std::int64_t most_expansion = 4 * 258;
  const std::int64_t raw = ((row_bits + 7) / 8 + 1) * header.height;
  if (raw / most_expansion > static_cast<std::int64_t>(compressed)) {
    throw Error("the PNG file is damaged: " + std::to_string(compressed) + " bytes of pixel data cannot hold " +
                std::to_string(header.width) + " x " + std::to_string(header.height) + " pixels");
  }
  check_expansion(header, std::max(header.width * header.height, raw / 4), file.size());
  // The compressed data twice (a buffer that doubles), the raw rows twice, and pixels in three forms of at most 8
  // bytes.
  header.decoder_memory = 4 * compressed + 4 * static_cast<std::size_t>(raw) +
                          24 * static_cast<std::size_t>(header.width * header.height) + (std::size_t{1} << 20);
  return header;
}

}  // namespace maskrt::image
