#include "mask_png.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace maskrt::cli {
namespace {

void append_word(std::vector<std::byte>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift & 0xff));
}

/// A zlib stream (RFC 1950, 1951) of runs of bytes: one block with the fixed codes, and matches at distance 1 alone.
class RunDeflate {
 public:
  explicit RunDeflate(std::vector<std::byte>& out) : out_(out) {
    for (const int byte : {0x78, 0x01}) out_.push_back(static_cast<std::byte>(byte));
    put(1, 1);  // the last block
    put(1, 2);  // a block of fixed codes
  }

  /// `length` times `value`, which the run before has not.
  void run(std::uint8_t value, std::int64_t length) {
    sum(value, length);
    literal(value);
    for (std::int64_t left = length - 1; left > 0;) {
      if (left < 3) {
        literal(value);
        --left;
        continue;
      }
      const auto match = static_cast<unsigned>(std::min<std::int64_t>(left, 258));
      repeat(match);
      left -= match;
    }
  }

  void finish() {
    put(0, 7);  // the block's end
    if (used_ > 0) put(0, 8 - used_);
    append_word(out_, b_ << 16 | a_);
  }

 private:
  void put(std::uint32_t bits, int count) {
    held_ |= bits << used_;
    used_ += count;
    for (; used_ >= 8; used_ -= 8, held_ >>= 8) out_.push_back(static_cast<std::byte>(held_ & 0xff));
  }

  /// Huffman codes start with their highest bit.
  void put_code(std::uint32_t code, int count) {
    std::uint32_t reversed = 0;
    for (int i = 0; i < count; ++i) reversed |= (code >> i & 1) << (count - 1 - i);
    put(reversed, count);
  }

  void literal(std::uint8_t value) {
    if (value < 144)
      put_code(0x30u + value, 8);
    else
      put_code(0x190u + value - 144, 9);
  }

  /// The last byte again, 3 to 258 times. Lengths from 3 have symbols from 257 on, in groups of four that share a
  /// number of extra bits; the first eight have none, and 258 has a symbol of its own.
  void repeat(unsigned length) {
    unsigned symbol = 285, extra = 0;
    int extra_bits = 0;
    if (length < 11) {
      symbol = 254 + length;
    } else if (length < 258) {
      const unsigned beyond = length - 3;
      for (extra_bits = 1; beyond >> (extra_bits + 3) != 0; ++extra_bits) {
      }
      symbol = 257 + 4 * static_cast<unsigned>(extra_bits) + (beyond >> extra_bits);
      extra = beyond & ((1u << extra_bits) - 1);
    }
    if (symbol < 280)
      put_code(symbol - 256, 7);
    else
      put_code(0xc0 + symbol - 280, 8);
    put(extra, extra_bits);
    put_code(0, 5);  // distance 1
  }

  /// Adler-32 of the whole run: b adds up a, which grows by value with each byte.
  void sum(std::uint8_t value, std::int64_t length) {
    constexpr std::uint64_t modulus = 65521;
    const auto n = static_cast<std::uint64_t>(length) % modulus;
    // n (n + 1) / 2 of the length itself, not of its rest: one of the two factors is even.
    const auto whole = static_cast<std::uint64_t>(length);
    const std::uint64_t half = whole % 2 == 0 ? whole / 2 : whole, other = whole % 2 == 0 ? whole + 1 : (whole + 1) / 2;
    const std::uint64_t triangle = (half % modulus) * (other % modulus) % modulus;
    b_ = static_cast<std::uint32_t>((b_ + n * a_ + triangle * value) % modulus);
    a_ = static_cast<std::uint32_t>((a_ + n * value) % modulus);
  }

  std::vector<std::byte>& out_;
  std::uint32_t held_ = 0;
  int used_ = 0;
  std::uint32_t a_ = 1, b_ = 0;
};

/// CRC-32 as PNG has it.
std::uint32_t checksum(const std::byte* bytes, std::size_t size) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int k = 0; k < 8; ++k) value = (value & 1) != 0 ? 0xedb88320 ^ value >> 1 : value >> 1;
      made[i] = value;
    }
    return made;
  }();
  std::uint32_t crc = 0xffffffff;
  for (std::size_t i = 0; i < size; ++i) crc = table[(crc ^ static_cast<std::uint32_t>(bytes[i])) & 0xff] ^ crc >> 8;
  return ~crc;
}

/// Appends a chunk whose data `fill` appends.
template <typename Fill>
void append_chunk(std::vector<std::byte>& file, std::string_view type, const Fill& fill) {
  const std::size_t start = file.size();
  append_word(file, 0);
  for (const char c : type) file.push_back(static_cast<std::byte>(c));
  fill();
  const std::size_t size = file.size() - start - 8;
  for (std::size_t i = 0; i < 4; ++i) file[start + i] = static_cast<std::byte>(size >> (24 - 8 * i) & 0xff);
  append_word(file, checksum(file.data() + start + 4, size + 4));
}

/// Calls run(value, length) for the file's bytes: each row is 0, its filter, and its pixels. Neighbouring runs differ.
template <typename Run>
void for_each_run(const Mask& mask, const Run& run) {
  const std::vector<std::uint8_t> bitmap = mask.bitmap();
  const auto width = static_cast<std::size_t>(mask.width());
  std::uint8_t value = 0;
  std::int64_t length = 0;
  for (std::size_t y = 0; y < static_cast<std::size_t>(mask.height()); ++y) {
    const std::uint8_t* const row = bitmap.data() + y * width;
    if (value != 0) {
      run(std::uint8_t{255}, length);
      value = 0;
      length = 0;
    }
    ++length;
    for (std::size_t x = 0; x < width;) {
      const void* const other = std::memchr(row + x, value == 0 ? 1 : 0, width - x);
      const std::size_t end =
          other == nullptr ? width : static_cast<std::size_t>(static_cast<const std::uint8_t*>(other) - row);
      length += static_cast<std::int64_t>(end - x);
      x = end;
      if (x == width) break;
      run(value == 0 ? std::uint8_t{0} : std::uint8_t{255}, length);
      value = value == 0 ? 1 : 0;
      length = 0;
    }
  }
  if (length > 0) run(value == 0 ? std::uint8_t{0} : std::uint8_t{255}, length);
}

}  // namespace

std::vector<std::byte> encode_mask(const Mask& mask) {
  std::vector<std::byte> file;
  for (const int byte : {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a}) file.push_back(static_cast<std::byte>(byte));
  append_chunk(file, "IHDR", [&] {
    append_word(file, static_cast<std::uint32_t>(mask.width()));
    append_word(file, static_cast<std::uint32_t>(mask.height()));
    for (const int byte : {8, 0, 0, 0, 0}) file.push_back(static_cast<std::byte>(byte));  // 8-bit grey
  });
  append_chunk(file, "IDAT", [&] {
    RunDeflate deflate(file);
    for_each_run(mask, [&](std::uint8_t value, std::int64_t length) { deflate.run(value, length); });
    deflate.finish();
  });
  append_chunk(file, "IEND", [] {});
  return file;
}

}  // namespace maskrt::cli
