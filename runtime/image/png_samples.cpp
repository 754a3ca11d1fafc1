#include "png_samples.h"

#include <array>
#include <cstdlib>
#include <string_view>

#include "header.h"
#include "inflate.h"
#include "png_crc.h"

namespace maskrt::image {
namespace {

constexpr std::size_t kFrame = 12;  // length, type and checksum around a chunk's data

std::size_t channels(PngType type) {
  switch (type) {
    case PngType::rgb:
      return 3;
    case PngType::grey_alpha:
      return 2;
    case PngType::rgba:
      return 4;
    default:
      return 1;
  }
}

bool exists(std::uint32_t type, std::uint32_t bits) {
  const bool small = bits == 1 || bits == 2 || bits == 4;
  switch (type) {
    case 0:
      return small || bits == 8 || bits == 16;
    case 3:
      return small || bits == 8;
    case 2:
    case 4:
    case 6:
      return bits == 8 || bits == 16;
    default:
      return false;
  }
}

PngSamples read_first_chunk(Bytes data, std::size_t file_size) {
  if (data.size() != 13) throw Error("the PNG file is damaged: expected an IHDR chunk of 13 bytes");
  const std::uint32_t width = big32(data, 0), height = big32(data, 4);
  const std::uint64_t pixels = std::uint64_t{width} * height;
  constexpr std::uint64_t always_taken = std::uint64_t{1} << 26, pixels_a_byte = 64;
  if (pixels < 1 || pixels > static_cast<std::uint64_t>(kMostPixels))
    throw Error("expected 1 to " + std::to_string(kMostPixels) + " pixels, but the header says " +
                std::to_string(width) + " x " + std::to_string(height));
  if (pixels > always_taken && pixels / pixels_a_byte > file_size)
    throw Error("expected a picture of this size in a file of at least " + std::to_string(pixels / pixels_a_byte) +
                " bytes, found " + std::to_string(width) + " x " + std::to_string(height) + " pixels in " +
                std::to_string(file_size) + " bytes");
  const std::uint32_t bits = byte_at(data, 8), type = byte_at(data, 9);
  if (!exists(type, bits))
    throw Error("expected a PNG colour type and depth, found type " + std::to_string(type) + " with depth " +
                std::to_string(bits));
  PngSamples picture;
  picture.type = static_cast<PngType>(type);
  picture.bits = static_cast<int>(bits);
  picture.width = static_cast<int>(width);
  picture.height = static_cast<int>(height);
  picture.row_bytes = (width * channels(picture.type) * bits + 7) / 8;
  if (byte_at(data, 12) != 0) throw Error("expected a PNG file that is not interlaced, found an interlaced one");
  return picture;
}

/// The one of left, above and upper left that is nearest to left + above - upper left.
int paeth(int left, int above, int corner) {
  const int estimate = left + above - corner;
  const int to_left = std::abs(estimate - left), to_above = std::abs(estimate - above);
  const int to_corner = std::abs(estimate - corner);
  if (to_left <= to_above && to_left <= to_corner) return left;
  return to_above <= to_corner ? above : corner;
}

/// A row from its filter's number and what the filter left; `above` is the row before, zeros above the first.
void unfilter(int filter, const std::uint8_t* from, const std::uint8_t* above, std::uint8_t* to, std::size_t size,
              std::size_t pixel) {
  for (std::size_t i = 0; i < size; ++i) {
    const int left = i < pixel ? 0 : to[i - pixel], corner = i < pixel ? 0 : above[i - pixel];
    int predicted = 0;
    if (filter == 1) predicted = left;
    if (filter == 2) predicted = above[i];
    if (filter == 3) predicted = (left + above[i]) / 2;
    if (filter == 4) predicted = paeth(left, above[i], corner);
    to[i] = static_cast<std::uint8_t>(from[i] + predicted);
  }
}

void read_rows(Bytes compressed, PngSamples& picture) {
  const std::size_t row = picture.row_bytes, height = static_cast<std::size_t>(picture.height);
  // Deflate makes at most 258 bytes of two bits.
  constexpr std::size_t most_expansion = 4 * 258;
  if ((row + 1) * height / most_expansion > compressed.size())
    throw Error("the PNG file is damaged: " + std::to_string(compressed.size()) + " bytes of pixel data cannot hold " +
                std::to_string(picture.width) + " x " + std::to_string(picture.height) + " pixels");
  std::vector<std::uint8_t> filtered((row + 1) * height);
  inflate(compressed, filtered);
  const std::size_t pixel = (channels(picture.type) * static_cast<std::size_t>(picture.bits) + 7) / 8;
  picture.rows.resize(row * height);
  const std::vector<std::uint8_t> zeros(row);
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* const from = filtered.data() + y * (row + 1);
    if (*from > 4) throw Error("the PNG file is damaged: it has rows of filter " + std::to_string(*from));
    std::uint8_t* const to = picture.rows.data() + y * row;
    unfilter(*from, from + 1, y == 0 ? zeros.data() : to - row, to, row, pixel);
  }
}

}  // namespace

std::uint16_t PngSamples::sample(int x, int y) const {
  const std::uint8_t* const from = row(y);
  const auto i = static_cast<std::size_t>(x);
  if (bits == 16) return static_cast<std::uint16_t>(from[2 * i] << 8 | from[2 * i + 1]);
  if (bits == 8) return from[i];
  const std::size_t in_byte = static_cast<std::size_t>(8 / bits);
  const std::size_t shift = 8 - static_cast<std::size_t>(bits) * (i % in_byte + 1);
  return static_cast<std::uint16_t>(from[i / in_byte] >> shift & ((1 << bits) - 1));
}

std::string PngSamples::kind() const {
  const char* name = "grey";
  if (type == PngType::rgb) name = "RGB";
  if (type == PngType::palette) name = "palette";
  if (type == PngType::grey_alpha) name = "grey with alpha";
  if (type == PngType::rgba) name = "RGB with alpha";
  return std::to_string(bits) + "-bit " + name;
}

PngSamples read_png_samples(Bytes file) {
  if (!starts_with(file, "\x89PNG\r\n\x1a\n"))
    throw Error("expected a PNG file, found " + std::string(file.empty() ? "no bytes" : "another beginning"));
  PngSamples picture;
  std::vector<std::byte> compressed;
  bool first = true, has_palette = false;
  for (std::size_t offset = 8;; first = false) {
    if (!has(file, offset, kFrame) || !has(file, offset + kFrame, big32(file, offset)))
      throw Error("the PNG file is truncated: it ends before its IEND chunk");
    const std::size_t length = big32(file, offset);
    const Bytes chunk = file.subspan(offset + 4, 4 + length), data = chunk.subspan(4);
    const bool critical = (byte_at(chunk, 0) & 0x20) == 0;
    if (critical && png_crc(chunk) != big32(file, offset + 8 + length))
      throw Error("the PNG file is damaged: the checksum of the chunk at byte " + std::to_string(offset) +
                  " does not match");
    if (first != starts_with(chunk, "IHDR"))
      throw Error("expected the PNG file to begin with its one IHDR chunk, found another order");
    if (first) {
      picture = read_first_chunk(data, file.size());
    } else if (starts_with(chunk, "PLTE")) {
      has_palette = true;
    } else if (starts_with(chunk, "IDAT")) {
      compressed.insert(compressed.end(), data.begin(), data.end());
    } else if (starts_with(chunk, "IEND")) {
      break;
    } else if (critical) {
      throw Error("expected the PNG chunks IHDR, PLTE, IDAT and IEND, found another critical one at byte " +
                  std::to_string(offset));
    }
    offset += kFrame + length;
  }
  if (picture.type == PngType::palette && !has_palette)
    throw Error("the PNG file is damaged: expected a palette, found none");
  read_rows(compressed, picture);
  return picture;
}

}  // namespace maskrt::image
