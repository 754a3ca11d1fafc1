// BMP files: Windows' and OS/2's, uncompressed, with bit fields, or run-length coded.
#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <vector>

#include "header.h"
#include "own_decoders.h"
#include "palette.h"

namespace maskrt::image {
namespace {

enum Compression : std::uint32_t { raw = 0, rle8 = 1, rle4 = 2, bit_fields = 3, alpha_bit_fields = 6 };

constexpr std::size_t kFileHeader = 14, kOldestInfo = 12, kInfo = 40;

struct Layout {
  std::int64_t width = 0, height = 0;
  bool top_down = false;
  std::uint32_t bits = 0, compression = raw;
  std::array<std::uint32_t, 3> masks{};  ///< red, green and blue of pixels of 16 and 32 bits
  std::size_t palette = 0, palette_entry = 4, colours = 0;
  std::size_t pixels = 0;  ///< offset of the first row that is stored

  bool run_length() const { return compression == rle8 || compression == rle4; }
  std::int64_t row_bytes() const { return (width * bits + 31) / 32 * 4; }
};

void read_masks(Bytes file, std::size_t info_size, Layout& layout) {
  // In a header of 40 bytes they come behind it, in larger ones at the same place inside.
  if (!has(file, kFileHeader + kInfo, 12)) throw Error("the BMP file is truncated: it ends inside its header");
  for (std::size_t c = 0; c < 3; ++c) layout.masks[c] = little32(file, kFileHeader + kInfo + 4 * c);
  if (info_size == kInfo) layout.palette += 12;
  const auto& [red, green, blue] = layout.masks;
  const auto in_one_piece = [](std::uint32_t mask) {
    const std::uint32_t shifted = mask == 0 ? 0 : mask >> std::countr_zero(mask);
    return mask != 0 && (shifted & (shifted + 1)) == 0;
  };
  if (red == 0 && green == 0 && blue == 0 && layout.bits == 32) {
    layout.masks = {0xff0000, 0xff00, 0xff};
  } else if (!in_one_piece(red) || !in_one_piece(green) || !in_one_piece(blue)) {
    throw Error("expected masks of neighbouring bits for red, green and blue in the BMP file, found others");
  }
}

Layout read_layout(Bytes file) {
  Layout layout;
  if (!has(file, 0, kFileHeader + kOldestInfo)) throw Error("the BMP file is truncated: it ends inside its header");
  const std::size_t info_size = little32(file, kFileHeader);
  layout.pixels = little32(file, 10);
  layout.palette = kFileHeader + info_size;
  std::size_t colours = 0;
  if (info_size == kOldestInfo) {
    layout.width = little16(file, 18);
    layout.height = little16(file, 20);
    layout.bits = little16(file, 24);
    layout.palette_entry = 3;
  } else {
    if (info_size < kInfo || info_size > 124)
      throw Error("expected a BMP header of 12 or of 40 to 124 bytes, found " + std::to_string(info_size));
    if (!has(file, kFileHeader, info_size)) throw Error("the BMP file is truncated: it ends inside its header");
    layout.width = static_cast<std::int32_t>(little32(file, 18));
    layout.height = static_cast<std::int32_t>(little32(file, 22));
    layout.bits = little16(file, 28);
    layout.compression = little32(file, 30);
    colours = little32(file, 46);
  }
  layout.top_down = layout.height < 0;
  if (layout.top_down) layout.height = -layout.height;
  check_size(layout.width, layout.height);
  const std::uint32_t bits = layout.bits;
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
    throw Error("expected a BMP of 1, 4, 8, 16, 24 or 32 bits a pixel, found " + std::to_string(bits));
  }
  if (layout.compression == alpha_bit_fields) layout.compression = bit_fields;
  const bool possible = layout.compression == raw || (layout.compression == rle8 && bits == 8) ||
                        (layout.compression == rle4 && bits == 4) || (layout.compression == bit_fields && bits >= 16);
  if (!possible)
    throw Error("expected a BMP that is uncompressed, run-length coded or with bit fields, found compression " +
                std::to_string(layout.compression) + " of " + std::to_string(bits) + " bits a pixel");
  if (bits == 16) layout.masks = {0x7c00, 0x3e0, 0x1f};
  if (bits == 32) layout.masks = {0xff0000, 0xff00, 0xff};
  if (layout.compression == bit_fields && bits != 24) read_masks(file, info_size, layout);
  if (bits <= 8) {
    if (colours == 0) colours = std::size_t{1} << bits;
    layout.colours = std::min<std::size_t>(colours, 256);
    if (!has(file, layout.palette, colours * layout.palette_entry))
      throw Error("the BMP file is truncated: it ends inside its palette");
  }
  const std::size_t behind = layout.palette + (bits <= 8 ? colours * layout.palette_entry : 0);
  // Some writers leave the offset out, or forget the palette in it.
  if (layout.pixels == 0 || layout.pixels == kFileHeader + info_size) layout.pixels = behind;
  return layout;
}

Palette read_palette(Bytes file, const Layout& layout) {
  return Palette(layout.colours, [&](std::size_t i) {
    const std::size_t at = layout.palette + i * layout.palette_entry;
    return std::array{byte_at(file, at + 2), byte_at(file, at + 1), byte_at(file, at)};
  });
}

/// A colour of a few bits, spread to 8.
struct Field {
  int shift;
  std::uint32_t most;  ///< value
  explicit Field(std::uint32_t mask) : shift(std::countr_zero(mask)), most(mask >> shift) {}
  std::uint8_t of(std::uint32_t pixel) const {
    return static_cast<std::uint8_t>(std::uint64_t{pixel >> shift & most} * 255 / most);
  }
};

void decode_row(Bytes row, const Layout& layout, const Palette& palette, std::uint8_t* rgb) {
  const auto width = static_cast<std::size_t>(layout.width);
  const std::uint32_t bits = layout.bits;
  if (bits <= 8) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t first = x * bits;
      palette.write(byte_at(row, first / 8) >> (8 - bits - first % 8) & ((1u << bits) - 1), rgb + 3 * x);
    }
  } else if (bits == 24) {
    for (std::size_t x = 0; x < width; ++x)
      for (std::size_t c = 0; c < 3; ++c) rgb[3 * x + c] = byte_at(row, 3 * x + 2 - c);
  } else {
    const Field fields[] = {Field(layout.masks[0]), Field(layout.masks[1]), Field(layout.masks[2])};
    for (std::size_t x = 0; x < width; ++x) {
      const std::uint32_t pixel = bits == 16 ? little16(row, 2 * x) : little32(row, 4 * x);
      for (std::size_t c = 0; c < 3; ++c) rgb[3 * x + c] = fields[c].of(pixel);
    }
  }
}

/// Indices of pixels in the order in which they are stored, 0 where a file leaves some out. Reads as Pillow does: runs
/// of one colour end at the row's end, others go on in the next row.
std::vector<std::uint8_t> decode_runs(Bytes file, const Layout& layout) {
  const auto width = static_cast<std::size_t>(layout.width), total = width * static_cast<std::size_t>(layout.height);
  const bool nibbles = layout.compression == rle4;
  std::vector<std::uint8_t> indices(total);
  std::size_t at = layout.pixels, filled = 0, x = 0;
  const auto put = [&](std::uint32_t index) {
    if (filled < total) indices[filled++] = static_cast<std::uint8_t>(index);
  };
  const auto truncated = [] { return Error("the BMP file is truncated: it ends before its last pixel"); };
  while (filled < total) {
    if (!has(file, at, 2)) throw truncated();
    const std::uint32_t count = byte_at(file, at), value = byte_at(file, at + 1);
    at += 2;
    if (count != 0) {
      const std::size_t run = std::min<std::size_t>(count, width - std::min(x, width));
      for (std::size_t i = 0; i < run; ++i) put(nibbles ? (i % 2 == 0 ? value >> 4 : value & 15) : value);
      x += run;
    } else if (value == 0) {  // end of the row
      filled = std::min(total, (filled + width - 1) / width * width);
      x = 0;
    } else if (value == 1) {  // end of the picture
      break;
    } else if (value == 2) {  // right and up
      if (!has(file, at, 2)) throw truncated();
      filled = std::min(total, filled + byte_at(file, at) + byte_at(file, at + 1) * width);
      x = filled % width;
      at += 2;
    } else {  // pixels one by one
      const std::size_t pixels = std::min<std::size_t>(value, total - filled);
      const std::size_t bytes = nibbles ? (pixels + 1) / 2 : pixels;
      if (!has(file, at, bytes)) throw truncated();
      for (std::size_t i = 0; i < pixels; ++i) {
        const std::uint32_t byte = byte_at(file, at + (nibbles ? i / 2 : i));
        put(nibbles ? (i % 2 == 0 ? byte >> 4 : byte & 15) : byte);
      }
      x += value;
      at += bytes;
      at += at % 2;
    }
  }
  return indices;
}

}  // namespace

Header read_bmp_header(Bytes file) {
  const Layout layout = read_layout(file);
  Header header;
  header.container = Container::bmp;
  header.width = layout.width;
  header.height = layout.height;
  if (layout.run_length()) {
    check_expansion(header, header.width * header.height, file.size());
  } else if (!has(file, layout.pixels, static_cast<std::size_t>(layout.row_bytes() * layout.height))) {
    throw Error("the BMP file is truncated: expected " + std::to_string(header.height) + " rows of " +
                std::to_string(layout.row_bytes()) + " bytes from byte " + std::to_string(layout.pixels) +
                " on, found a file of " + std::to_string(file.size()) + " bytes");
  }
  return header;
}

void decode_bmp(Bytes file, std::uint8_t* rgb) {
  const Layout layout = read_layout(file);
  const Palette palette = read_palette(file, layout);
  const auto width = static_cast<std::size_t>(layout.width), height = static_cast<std::size_t>(layout.height);
  const auto row_bytes = static_cast<std::size_t>(layout.row_bytes());
  const std::vector<std::uint8_t> indices =
      layout.run_length() ? decode_runs(file, layout) : std::vector<std::uint8_t>();
  for (std::size_t stored = 0; stored < height; ++stored) {
    std::uint8_t* row = rgb + 3 * width * (layout.top_down ? stored : height - 1 - stored);
    if (layout.run_length()) {
      for (std::size_t x = 0; x < width; ++x) palette.write(indices[stored * width + x], row + 3 * x);
    } else {
      decode_row(file.subspan(layout.pixels + stored * row_bytes, row_bytes), layout, palette, row);
    }
  }
}

}  // namespace maskrt::image
