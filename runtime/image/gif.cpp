// GIF files: the first frame. The decoder is our own because stb_image blends transparent pixels away where Pillow
// keeps their colours, and because a code table of 4096 entries is all that the format needs.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "header.h"
#include "own_decoders.h"
#include "palette.h"

namespace maskrt::image {
namespace {

struct Frame {
  std::int64_t width = 0, height = 0;  ///< size of the logical screen, enlarged to contain the frame
  std::size_t left = 0, top = 0, across = 0, down = 0;
  bool interlaced = false;
  std::optional<std::uint8_t> transparent;
  Palette palette;
  std::uint32_t code_bits = 0;  ///< bits of a colour index
  std::size_t data = 0;         ///< offset of the first sub-block
};

Error truncated() { return Error("the GIF file is truncated: it ends before its first frame's last pixel"); }

/// The offset behind the sub-blocks from `offset` on.
std::size_t skip_sub_blocks(Bytes file, std::size_t offset) {
  for (;;) {
    if (!has(file, offset, 1)) throw truncated();
    const std::size_t size = byte_at(file, offset);
    offset += 1 + size;
    if (size == 0) return offset;
  }
}

/// Reads a colour table whose size is in the lower bits of `flags`, and steps over it.
void read_colours(Bytes file, std::uint32_t flags, std::size_t& offset, Palette& palette) {
  const std::size_t count = std::size_t{2} << (flags & 7);
  if (!has(file, offset, 3 * count)) throw truncated();
  palette = Palette(count, [&](std::size_t i) {
    const std::size_t at = offset + 3 * i;
    return std::array{byte_at(file, at), byte_at(file, at + 1), byte_at(file, at + 2)};
  });
  offset += 3 * count;
}

Frame read_frame(Bytes file) {
  enum Block : std::uint8_t { extension = '!', image = ',', graphic_control = 0xf9 };
  constexpr std::uint32_t has_colours = 0x80, is_interlaced = 0x40, is_transparent = 1;
  Frame frame;
  std::size_t offset = 13;
  if (!has(file, 0, offset)) throw truncated();
  frame.width = little16(file, 6);
  frame.height = little16(file, 8);
  if (const std::uint32_t flags = byte_at(file, 10); (flags & has_colours) != 0)
    read_colours(file, flags, offset, frame.palette);
  for (;;) {
    if (!has(file, offset, 2)) throw truncated();
    const std::uint8_t block = byte_at(file, offset);
    if (block == image) break;
    if (block == ';') throw Error("expected a frame in the GIF file, found none");
    if (block == extension) {
      if (byte_at(file, offset + 1) == graphic_control && has(file, offset, 8) && byte_at(file, offset + 2) >= 4 &&
          (byte_at(file, offset + 3) & is_transparent) != 0)
        frame.transparent = byte_at(file, offset + 6);
      offset = skip_sub_blocks(file, offset + 2);
    } else {
      ++offset;  // Pillow, too, passes over what is no block
    }
  }
  if (!has(file, offset, 11)) throw truncated();
  frame.left = little16(file, offset + 1);
  frame.top = little16(file, offset + 3);
  frame.across = little16(file, offset + 5);
  frame.down = little16(file, offset + 7);
  const std::uint32_t flags = byte_at(file, offset + 9);
  frame.interlaced = (flags & is_interlaced) != 0;
  offset += 10;
  if ((flags & has_colours) != 0) read_colours(file, flags, offset, frame.palette);
  if (!has(file, offset, 1)) throw truncated();
  frame.code_bits = byte_at(file, offset);
  frame.data = offset + 1;
  if (frame.code_bits > 11)
    throw Error("expected GIF colours of at most 11 bits, found " + std::to_string(frame.code_bits));
  frame.width = std::max(frame.width, static_cast<std::int64_t>(frame.left + frame.across));
  frame.height = std::max(frame.height, static_cast<std::int64_t>(frame.top + frame.down));
  return frame;
}

/// Codes of any number of bits out of sub-blocks, the lowest bit first.
class Codes {
 public:
  Codes(Bytes file, std::size_t offset) : file_(file), offset_(offset) {}

  std::uint32_t next(std::uint32_t size) {
    while (count_ < size) {
      while (left_ == 0) {
        if (!has(file_, offset_, 1)) throw truncated();
        left_ = byte_at(file_, offset_++);
        if (left_ == 0) throw truncated();
      }
      if (!has(file_, offset_, 1)) throw truncated();
      bits_ |= std::uint32_t{byte_at(file_, offset_++)} << count_;
      count_ += 8;
      --left_;
    }
    const std::uint32_t code = bits_ & ((1u << size) - 1);
    bits_ >>= size;
    count_ -= size;
    return code;
  }

 private:
  Bytes file_;
  std::size_t offset_;
  std::uint32_t left_ = 0, bits_ = 0, count_ = 0;
};

/// Fills `indices` with the colours that the codes stand for. Each code is a string: that of an earlier code and one
/// more colour.
void decode_lzw(Bytes file, const Frame& frame, std::vector<std::uint8_t>& indices) {
  constexpr std::uint32_t most_codes = 4096, longest_code = 12;
  struct Entry {
    std::uint16_t prefix;
    std::uint8_t first, last;
    std::uint16_t length;
  };
  std::array<Entry, most_codes> table;
  const std::uint32_t clear = 1u << frame.code_bits, end = clear + 1;
  for (std::uint32_t i = 0; i < std::min(clear, most_codes); ++i)
    table[i] = {0, static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i), 1};
  Codes codes(file, frame.data);
  std::uint32_t next = clear + 2, size = frame.code_bits + 1;
  constexpr std::uint32_t none = most_codes;
  std::uint32_t previous = none;
  const auto damaged = [] { return Error("the GIF file is damaged: it has a code that stands for nothing yet"); };
  for (std::size_t filled = 0; filled < indices.size();) {
    const std::uint32_t code = codes.next(size);
    if (code == clear) {
      next = clear + 2;
      size = frame.code_bits + 1;
      previous = none;
      continue;
    }
    if (code == end) throw truncated();
    if (previous == none) {
      if (code >= clear) throw damaged();
    } else {
      if (code > next || (code == next && next == most_codes)) throw damaged();
      if (next < most_codes) {
        // The code that is being defined may be the one that is read: it then ends as it begins.
        const Entry& before = table[previous];
        table[next] = {static_cast<std::uint16_t>(previous), before.first,
                       code == next ? before.first : table[code].first, static_cast<std::uint16_t>(before.length + 1)};
        if (next == (1u << size) - 1 && size < longest_code) ++size;
        ++next;
      }
    }
    previous = code;
    const std::size_t length = table[code].length, stop = filled + length;
    std::uint32_t part = code;
    for (std::size_t i = stop; i-- > filled; part = table[part].prefix)
      if (i < indices.size()) indices[i] = table[part].last;
    filled = stop;
  }
}

/// Rows in the order in which an interlaced frame stores them: every eighth, then those between.
std::vector<std::size_t> interlaced_rows(std::size_t count) {
  std::vector<std::size_t> rows;
  rows.reserve(count);
  constexpr std::array<std::array<std::size_t, 2>, 4> passes = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
  for (const auto& [first, step] : passes)
    for (std::size_t y = first; y < count; y += step) rows.push_back(y);
  return rows;
}

}  // namespace

Header read_gif_header(Bytes file) {
  const Frame frame = read_frame(file);
  Header header;
  header.container = Container::gif;
  header.width = frame.width;
  header.height = frame.height;
  check_size(header.width, header.height);
  check_size(static_cast<std::int64_t>(frame.across), static_cast<std::int64_t>(frame.down));
  check_expansion(header, header.width * header.height, file.size());
  return header;
}

void decode_gif(Bytes file, std::uint8_t* rgb) {
  const Frame frame = read_frame(file);
  std::vector<std::uint8_t> indices(frame.across * frame.down);
  decode_lzw(file, frame, indices);
  const auto width = static_cast<std::size_t>(frame.width), height = static_cast<std::size_t>(frame.height);
  if (frame.across != width || frame.down != height) {
    for (std::size_t x = 0; x < width; ++x) frame.palette.write(frame.transparent.value_or(0), rgb + 3 * x);
    for (std::size_t y = 1; y < height; ++y) std::memcpy(rgb + 3 * width * y, rgb, 3 * width);
  }
  const std::vector<std::size_t> rows = frame.interlaced ? interlaced_rows(frame.down) : std::vector<std::size_t>();
  for (std::size_t stored = 0; stored < frame.down; ++stored) {
    const std::size_t y = frame.top + (frame.interlaced ? rows[stored] : stored);
    std::uint8_t* row = rgb + 3 * (y * width + frame.left);
    for (std::size_t x = 0; x < frame.across; ++x) frame.palette.write(indices[stored * frame.across + x], row + 3 * x);
  }
}

}  // namespace maskrt::image
