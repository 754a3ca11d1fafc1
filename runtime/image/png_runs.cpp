#include "png_runs.h"

#include <algorithm>

#include "byte_writer.h"

namespace maskrt::image {
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
  append_big32(b_ << 16 | a_, out_);
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

}  // namespace maskrt::image
