// PNG files of pictures that are mostly runs: masks, label maps, ids of segments.
//
// Deflate with its fixed codes and matches at distance 1 alone, in which a run of up to 258 equal bytes takes 13 bits:
// time and size follow the edges in the picture more than its pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace maskrt::image {

/// A zlib stream (RFC 1950, 1951) of runs of bytes, appended to `out`.
class RunDeflate {
 public:
  explicit RunDeflate(std::vector<std::byte>& out);
  /// `length` times `value`.
  void run(std::uint8_t value, std::int64_t length);
  /// The last call.
  void finish();

 private:
  void put(std::uint32_t bits, int count);
  void put_code(std::uint32_t code, int count);
  void literal(std::uint8_t value);
  void repeat(unsigned length);
  void sum(std::uint8_t value, std::int64_t length);

  std::vector<std::byte>& out_;
  std::uint32_t held_ = 0;
  int used_ = 0;
  std::uint32_t a_ = 1, b_ = 0;
};

/// A PNG file that is made chunk by chunk, between its first bytes and its end.
class PngFile {
 public:
  /// `bits` and `type` as in IHDR.
  PngFile(int width, int height, int bits, int type);
  /// A chunk whose data `fill(bytes)` appends.
  template <typename Fill>
  void chunk(std::string_view type, const Fill& fill) {
    const std::size_t start = begin_chunk(type);
    fill(bytes_);
    end_chunk(start);
  }
  std::vector<std::byte> finish();

 private:
  std::size_t begin_chunk(std::string_view type);
  void end_chunk(std::size_t start);

  std::vector<std::byte> bytes_;
};

/// A PNG file of `bits` a sample and PNG's colour `type`, of which `rows` are the pixels as PNG packs them, without
/// gaps; `palette` is its colours, red, green and blue of each. Rows are filtered by what is above them, so that only
/// the edges of areas are no zeros.
std::vector<std::byte> encode_areas(std::span<const std::uint8_t> rows, int width, int height, int bits, int type,
                                    std::span<const std::uint8_t> palette = {});

}  // namespace maskrt::image
