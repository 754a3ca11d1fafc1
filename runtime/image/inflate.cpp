#include "inflate.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt::image {
namespace {

constexpr int kLongestCode = 15;

[[noreturn]] void damaged(const char* found) {
  throw Error(std::string("the picture is damaged: expected zlib data, found ") + found);
}

/// Bits of the stream, each byte's lowest first.
class BitReader {
 public:
  explicit BitReader(Bytes bytes) : bytes_(bytes) {}

  /// At least 48 bits are held after this, those behind the stream's end being 0.
  void fill() {
    while (held_ <= 56 && at_ < bytes_.size()) {
      bits_ |= std::uint64_t{byte_at(bytes_, at_++)} << held_;
      held_ += 8;
    }
  }
  std::uint64_t peek() const { return bits_; }
  /// At most what fill() promises between two calls of it.
  void drop(int count) {
    if (count > held_) damaged("an early end");
    bits_ >>= count;
    held_ -= count;
  }
  std::uint32_t take(int count) {
    if (held_ < count) fill();
    const auto value = static_cast<std::uint32_t>(bits_ & ((std::uint64_t{1} << count) - 1));
    drop(count);
    return value;
  }
  /// The bytes from the next whole byte on.
  Bytes rest() {
    const std::size_t whole = static_cast<std::size_t>(held_ / 8);
    return bytes_.subspan(at_ - whole);
  }
  void go_on_at(Bytes rest) {
    at_ = bytes_.size() - rest.size();
    bits_ = 0;
    held_ = 0;
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
  std::uint64_t bits_ = 0;
  int held_ = 0;
};

/// A prefix code: a table by the next `kBits` bits, and for longer codes the canonical order of their symbols.
class Code {
 public:
  /// `lengths`: bits of each symbol's code, 0 where it has none. A code may be incomplete: what it leaves out is an
  /// error when it is met.
  explicit Code(std::span<const std::uint8_t> lengths) {
    for (const std::uint8_t length : lengths) ++count_[length];
    count_[0] = 0;
    std::array<std::uint32_t, kLongestCode + 2> next{};
    std::array<std::uint16_t, kLongestCode + 2> offset{};
    for (std::size_t length = 1; length <= kLongestCode; ++length) {
      next[length + 1] = (next[length] + count_[length]) << 1;
      if (next[length] + count_[length] > std::uint32_t{1} << length) damaged("more codes than fit their lengths");
      offset[length + 1] = static_cast<std::uint16_t>(offset[length] + count_[length]);
    }
    for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      const std::size_t length = lengths[symbol];
      if (length == 0) continue;
      symbols_[offset[length]++] = static_cast<std::uint16_t>(symbol);
      const std::uint32_t code = next[length]++;
      if (length > kBits) continue;
      for (std::size_t entry = reversed(code, length); entry < table_.size(); entry += std::size_t{1} << length)
        table_[entry] = {static_cast<std::uint16_t>(symbol), static_cast<std::uint8_t>(length)};
    }
  }

  std::uint16_t read(BitReader& bits) const {
    bits.fill();
    const Entry entry = table_[bits.peek() & (table_.size() - 1)];
    if (entry.length != 0) {
      bits.drop(entry.length);
      return entry.symbol;
    }
    // Codes of one length are consecutive numbers, and those of the next length follow them.
    std::uint32_t code = 0, first = 0, before = 0;
    for (std::size_t length = 1; length <= kLongestCode; ++length) {
      code = code << 1 | static_cast<std::uint32_t>(bits.peek() >> (length - 1) & 1);
      if (code - first < count_[length]) {
        bits.drop(static_cast<int>(length));
        return symbols_[before + code - first];
      }
      before += count_[length];
      first = (first + count_[length]) << 1;
    }
    damaged("a code that stands for nothing");
  }

 private:
  static constexpr std::size_t kBits = 10;
  struct Entry {
    std::uint16_t symbol = 0;
    std::uint8_t length = 0;
  };

  /// Codes start with their highest bit.
  static std::size_t reversed(std::uint32_t code, std::size_t length) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < length; ++i) value |= std::size_t{code >> i & 1} << (length - 1 - i);
    return value;
  }

  std::array<Entry, 1 << kBits> table_{};
  std::array<std::uint16_t, kLongestCode + 1> count_{};
  std::array<std::uint16_t, 288> symbols_{};
};

struct Codes {
  Code lengths, distances;
};

Codes fixed_codes() {
  std::array<std::uint8_t, 288> lengths{};
  for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol)
    lengths[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
  std::array<std::uint8_t, 30> distances{};
  distances.fill(5);
  return {Code(lengths), Code(distances)};
}

/// The codes that stand at the front of a block, themselves coded.
Codes read_codes(BitReader& bits) {
  const std::size_t literals = bits.take(5) + 257, distances = bits.take(5) + 1, given = bits.take(4) + 4;
  if (literals > 286 || distances > 30) damaged("more symbols than there are");
  constexpr std::array<std::uint8_t, 19> order = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  std::array<std::uint8_t, 19> first{};
  for (std::size_t i = 0; i < given; ++i) first[order[i]] = static_cast<std::uint8_t>(bits.take(3));
  const Code code(first);
  std::array<std::uint8_t, 286 + 30> lengths{};
  for (std::size_t i = 0; i < literals + distances;) {
    const std::uint16_t symbol = code.read(bits);
    if (symbol < 16) {
      lengths[i++] = static_cast<std::uint8_t>(symbol);
      continue;
    }
    if (symbol == 16 && i == 0) damaged("a repetition of nothing");
    const std::uint8_t value = symbol == 16 ? lengths[i - 1] : std::uint8_t{0};
    const std::size_t times = symbol == 16 ? 3 + bits.take(2) : symbol == 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    if (times > literals + distances - i) damaged("more code lengths than symbols");
    std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(i), times, value);
    i += times;
  }
  const std::span<const std::uint8_t> all(lengths);
  return {Code(all.first(literals)), Code(all.subspan(literals, distances))};
}

/// What has been decompressed, with room for the rest.
class Output {
 public:
  explicit Output(std::span<std::uint8_t> out) : out_(out) {}

  void literal(std::uint16_t value) {
    expect_room(1);
    out_[size_++] = static_cast<std::uint8_t>(value);
  }
  void copy(std::size_t length, std::size_t distance) {
    if (distance > size_) damaged("a distance beyond its beginning");
    expect_room(length);
    std::uint8_t* const to = out_.data() + size_;
    if (distance == 1)
      std::memset(to, to[-1], length);
    else
      for (std::size_t i = 0; i < length; ++i) to[i] = to[static_cast<std::ptrdiff_t>(i - distance)];
    size_ += length;
  }
  void stored(Bytes bytes) {
    expect_room(bytes.size());
    if (!bytes.empty()) std::memcpy(out_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  bool is_full() const { return size_ == out_.size(); }

 private:
  void expect_room(std::size_t count) const {
    if (count > out_.size() - size_) damaged("more of it than the picture has pixels");
  }

  std::span<std::uint8_t> out_;
  std::size_t size_ = 0;
};

void inflate_stored(BitReader& bits, Output& out) {
  const Bytes rest = bits.rest();
  if (rest.size() < 4) damaged("an early end");
  const std::uint32_t size = little16(rest, 0);
  if (size != (~little16(rest, 2) & 0xffff)) damaged("a block whose length is not stated twice");
  if (size > rest.size() - 4) damaged("an early end");
  out.stored(rest.subspan(4, size));
  bits.go_on_at(rest.subspan(4 + size));
}

void inflate_coded(BitReader& bits, const Codes& codes, Output& out) {
  constexpr std::uint16_t end = 256, longest = 285;
  for (;;) {
    std::uint16_t symbol = codes.lengths.read(bits);
    if (symbol < end) {
      out.literal(symbol);
      continue;
    }
    if (symbol == end) return;
    if (symbol > longest) damaged("a length that there is not");
    // Lengths come in groups of four, and distances of two, that share a number of extra bits; the first groups have
    // none, and 258 has a symbol of its own.
    const std::uint32_t group = symbol < 265 || symbol == longest ? 0 : (symbol - 261u) / 4;
    std::size_t length = symbol == longest ? 258
                         : symbol < 265    ? symbol - 254u
                                           : ((4 + (symbol - 265u) % 4) << group) + 3;
    length += bits.take(static_cast<int>(group));
    symbol = codes.distances.read(bits);
    if (symbol > 29) damaged("a distance that there is not");
    const std::uint32_t pair = symbol < 4 ? 0 : symbol / 2u - 1;
    std::size_t distance = symbol < 4 ? symbol + 1u : ((2 + symbol % 2u) << pair) + 1;
    distance += bits.take(static_cast<int>(pair));
    out.copy(length, distance);
  }
}

std::uint32_t adler32(std::span<const std::uint8_t> bytes) {
  std::uint32_t a = 1, b = 0;
  constexpr std::size_t most = 5552;  // so many bytes cannot overflow b
  for (std::size_t at = 0; at < bytes.size(); at += most) {
    for (const std::uint8_t byte : bytes.subspan(at, std::min(most, bytes.size() - at))) {
      a += byte;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return b << 16 | a;
}

}  // namespace

void inflate(Bytes stream, std::span<std::uint8_t> out) {
  if (stream.size() < 2 || (byte_at(stream, 0) & 15) != 8 || big16(stream, 0) % 31 != 0 ||
      (byte_at(stream, 1) & 0x20) != 0)
    damaged("another beginning");
  BitReader bits(stream.subspan(2));
  Output made(out);
  for (bool last = false; !last;) {
    last = bits.take(1) != 0;
    switch (bits.take(2)) {
      case 0:
        inflate_stored(bits, made);
        break;
      case 1: {
        static const Codes fixed = fixed_codes();
        inflate_coded(bits, fixed, made);
        break;
      }
      case 2:
        inflate_coded(bits, read_codes(bits), made);
        break;
      default:
        damaged("a block of no kind");
    }
  }
  if (!made.is_full()) damaged("less of it than the picture has pixels");
  const Bytes rest = bits.rest();
  if (rest.size() < 4) damaged("an early end");
  if (adler32(out) != big32(rest, 0)) damaged("another checksum than its own");
}

}  // namespace maskrt::image
