#include "png_runs.h"

#include <algorithm>

#include "png_crc.h"

namespace maskrt::image {
namespace {

void append_word(std::vector<std::byte>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift & 0xff));
}

}  // namespace

RunDeflate::RunDeflate(std::vector<std::byte>& out) : out_(out) {
  for (const int byte : {0x78, 0x01}) out_.push_back(static_cast<std::byte>(byte));
  put(1, 1);  // the last block
  put(1, 2);  // a block of fixed codes
}

void RunDeflate::run(std::uint8_t value, std::int64_t length) {
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

void RunDeflate::finish() {
  put(0, 7);  // the block's end
  if (used_ > 0) put(0, 8 - used_);
  append_word(out_, b_ << 16 | a_);
}

void RunDeflate::put(std::uint32_t bits, int count) {
  held_ |= bits << used_;
  used_ += count;
  for (; used_ >= 8; used_ -= 8, held_ >>= 8) out_.push_back(static_cast<std::byte>(held_ & 0xff));
}

/// Huffman codes start with their highest bit.
void RunDeflate::put_code(std::uint32_t code, int count) {
  std::uint32_t reversed = 0;
  for (int i = 0; i < count; ++i) reversed |= (code >> i & 1) << (count - 1 - i);
  put(reversed, count);
}

void RunDeflate::literal(std::uint8_t value) {
  if (value < 144)
    put_code(0x30u + value, 8);
  else
    put_code(0x190u + value - 144, 9);
}

/// The last byte again, 3 to 258 times. Lengths from 3 have symbols from 257 on, in groups of four that share a number
/// of extra bits; the first eight have none, and 258 has a symbol of its own.
void RunDeflate::repeat(unsigned length) {
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
void RunDeflate::sum(std::uint8_t value, std::int64_t length) {
  constexpr std::uint64_t modulus = 65521;
  const auto n = static_cast<std::uint64_t>(length) % modulus;
  // n (n + 1) / 2 of the length itself, not of its rest: one of the two factors is even.
  const auto whole = static_cast<std::uint64_t>(length);
  const std::uint64_t half = whole % 2 == 0 ? whole / 2 : whole, other = whole % 2 == 0 ? whole + 1 : (whole + 1) / 2;
  const std::uint64_t triangle = (half % modulus) * (other % modulus) % modulus;
  b_ = static_cast<std::uint32_t>((b_ + n * a_ + triangle * value) % modulus);
  a_ = static_cast<std::uint32_t>((a_ + n * value) % modulus);
}

PngFile::PngFile(int width, int height, int bits, int type) {
  for (const int byte : {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a})
    bytes_.push_back(static_cast<std::byte>(byte));
  chunk("IHDR", [&](std::vector<std::byte>& out) {
    append_word(out, static_cast<std::uint32_t>(width));
    append_word(out, static_cast<std::uint32_t>(height));
    for (const int byte : {bits, type, 0, 0, 0}) out.push_back(static_cast<std::byte>(byte));
  });
}

std::vector<std::byte> PngFile::finish() {
  chunk("IEND", [](std::vector<std::byte>& /*out*/) {});
  return std::move(bytes_);
}

std::size_t PngFile::begin_chunk(std::string_view type) {
  const std::size_t start = bytes_.size();
  append_word(bytes_, 0);
  for (const char c : type) bytes_.push_back(static_cast<std::byte>(c));
  return start;
}

void PngFile::end_chunk(std::size_t start) {
  const std::size_t size = bytes_.size() - start - 8;
  for (std::size_t i = 0; i < 4; ++i) bytes_[start + i] = static_cast<std::byte>(size >> (24 - 8 * i) & 0xff);
  append_word(bytes_, png_crc(Bytes(bytes_).subspan(start + 4)));
}

std::vector<std::byte> encode_areas(std::span<const std::uint8_t> rows, int width, int height, int bits, int type,
                                    std::span<const std::uint8_t> palette) {
  PngFile file(width, height, bits, type);
  if (!palette.empty()) {
    file.chunk("PLTE", [&](std::vector<std::byte>& out) {
      for (const std::uint8_t byte : palette) out.push_back(static_cast<std::byte>(byte));
    });
  }
  file.chunk("IDAT", [&](std::vector<std::byte>& out) {
    RunDeflate deflate(out);
    std::uint8_t value = 0;
    std::int64_t length = 0;
    const auto add = [&](std::uint8_t byte) {
      if (byte == value) {
        ++length;
        return;
      }
      if (length > 0) deflate.run(value, length);
      value = byte;
      length = 1;
    };
    constexpr std::uint8_t filter_up = 2;
    const std::size_t row = rows.size() / static_cast<std::size_t>(height);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i % row == 0) add(filter_up);
      add(static_cast<std::uint8_t>(rows[i] - (i < row ? 0 : rows[i - row])));
    }
    deflate.run(value, length);
    deflate.finish();
  });
  return file.finish();
}

}  // namespace maskrt::image
