// Zstandard decompression, as RFC 8878 describes it; section numbers are the RFC's. Dictionaries aside, all of it is
// here: nvcc compresses the PTX in fat binaries that way.
#include <algorithm>
#include <array>
#include <vector>

#include "driver/objects/decompress.h"
#include "driver/objects/zstandard_codes.h"

namespace vgpu::driver {
namespace zstandard {
namespace {

/// 3.1.1.3.2.1: what a code stands for: a base, and a number in so many more bits.
struct Code {
  std::uint32_t base, bits;
};
Code literal_length(std::uint32_t code) {
  if (code < 16) return {code, 0};
  constexpr std::array<Code, 20> codes{{{16, 1},    {18, 1},    {20, 1},     {22, 1},     {24, 2},
                                        {28, 2},    {32, 3},    {40, 3},     {48, 4},     {64, 6},
                                        {128, 7},   {256, 8},   {512, 9},    {1024, 10},  {2048, 11},
                                        {4096, 12}, {8192, 13}, {16384, 14}, {32768, 15}, {65536, 16}}};
  expect(code < 36);
  return codes[code - 16];
}
Code match_length(std::uint32_t code) {
  if (code < 32) return {code + 3, 0};
  constexpr std::array<Code, 21> codes{{{35, 1},     {37, 1},     {39, 1},    {41, 1},    {43, 2},    {47, 2},
                                        {51, 3},     {59, 3},     {67, 4},    {83, 4},    {99, 5},    {131, 7},
                                        {259, 8},    {515, 9},    {1027, 10}, {2051, 11}, {4099, 12}, {8195, 13},
                                        {16387, 14}, {32771, 15}, {65539, 16}}};
  expect(code < 53);
  return codes[code - 32];
}

/// 3.1.1.3.2.2
const std::vector<int> kLiteralLengths{4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,  1,  2,  2,
                                       2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1};
const std::vector<int> kMatchLengths{1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1,  1,  1,  1,  1,  1,  1, 1,
                                     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1, 1,
                                     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1};
const std::vector<int> kOffsets{1, 1, 1, 1, 1, 1, 2, 2, 2, 1,  1,  1,  1,  1, 1,
                                1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1};

class Frame {
 public:
  explicit Frame(std::size_t plain_bytes) : most_(plain_bytes) { text_.reserve(plain_bytes); }

  /// 3.1.1
  std::string decode(Bytes data) {
    Reader reader(data);
    expect(reader.number(4) == 0xfd2fb528);
    const auto descriptor = static_cast<std::uint32_t>(reader.number(1));
    const bool single_segment = (descriptor >> 5 & 1) != 0;
    constexpr std::array<std::size_t, 4> dictionary_bytes{0, 1, 2, 4};
    const std::array<std::size_t, 4> size_bytes{single_segment ? std::size_t{1} : 0, 2, 4, 8};
    if (!single_segment) reader.take(1);  // the window: everything is kept here
    reader.take(dictionary_bytes[descriptor & 3] + size_bytes[descriptor >> 6]);
    for (bool last = false; !last;) {
      const auto header = static_cast<std::uint32_t>(reader.number(3));
      last = (header & 1) != 0;
      const std::uint32_t type = header >> 1 & 3, size = header >> 3;
      if (type == 0) {
        append(reader.take(size));
      } else if (type == 1) {
        append(reader.take(1), size);
      } else {
        expect(type == 2);
        block(reader.take(size));
      }
    }
    expect(text_.size() == most_);
    return std::move(text_);
  }

 private:
  void append(Bytes bytes, std::size_t times = 1) {
    expect(bytes.size() * times <= most_ - text_.size());
    for (std::size_t i = 0; i < times; ++i) text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  /// 3.1.1.3.1
  std::string literals(Reader& reader) {
    const auto first = static_cast<std::uint32_t>(reader.rest().empty() ? 0 : reader.rest()[0]);
    const std::uint32_t type = first & 3, format = first >> 2 & 3;
    if (type < 2) {
      const std::size_t bytes = format == 1 ? 2 : format == 3 ? 3 : 1;
      const std::uint64_t header = reader.number(bytes);
      const auto size = static_cast<std::size_t>(bytes == 1 ? header >> 3 : header >> 4);
      const Bytes data = reader.take(type == 0 ? size : 1);
      expect(size <= most_);
      return type == 0 ? std::string(data.begin(), data.end()) : std::string(size, static_cast<char>(data[0]));
    }
    const std::size_t bytes = format < 2 ? 3 : format + 2;
    const std::uint32_t bits = format < 2 ? 10 : format == 2 ? 14 : 18;
    const std::uint64_t header = reader.number(bytes) >> 4;
    const auto size = static_cast<std::size_t>(header & ((1u << bits) - 1));
    Reader streams(reader.take(static_cast<std::size_t>(header >> bits)));
    if (type == 2) huffman_ = HuffmanTable::read(streams);
    expect(!huffman_.entries.empty());
    std::string text;
    if (format == 0) {
      huffman_.decode(streams.rest(), size, text);
      return text;
    }
    std::array<std::size_t, 3> sizes{};
    for (std::size_t& s : sizes) s = static_cast<std::size_t>(streams.number(2));
    const std::size_t quarter = (size + 3) / 4;
    expect(3 * quarter <= size);
    for (const std::size_t s : sizes) huffman_.decode(streams.take(s), quarter, text);
    huffman_.decode(streams.rest(), size - 3 * quarter, text);
    return text;
  }

  /// 3.1.1.3.2.1: the table that a mode names.
  static void choose(FseTable& table, std::uint32_t mode, Reader& reader, const std::vector<int>& usual,
                     std::uint32_t usual_log, std::uint32_t most_log) {
    if (mode == 0) table = FseTable::from(usual, usual_log);
    if (mode == 1) table = FseTable::single(static_cast<std::uint8_t>(reader.number(1)));
    if (mode == 2) table = FseTable::read(reader, most_log);
    expect(!table.empty());
  }

  /// 3.1.1.3
  void block(Bytes data) {
    Reader reader(data);
    const std::string text = literals(reader);
    Bytes unused(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    auto count = static_cast<std::uint32_t>(reader.number(1));
    if (count == 255) {
      count = static_cast<std::uint32_t>(reader.number(2)) + 0x7f00;
    } else if (count >= 128) {
      count = (count - 128) << 8 | static_cast<std::uint32_t>(reader.number(1));
    }
    if (count > 0) {
      const auto modes = static_cast<std::uint32_t>(reader.number(1));
      choose(literal_lengths_, modes >> 6, reader, kLiteralLengths, 6, 9);
      choose(offsets_, modes >> 4 & 3, reader, kOffsets, 5, 8);
      choose(match_lengths_, modes >> 2 & 3, reader, kMatchLengths, 6, 9);
      sequences(reader.rest(), count, unused);
    }
    append(unused);
  }

  /// 3.1.1.4: literals, then a copy of what came before, and so on.
  void sequences(Bytes data, std::uint32_t count, Bytes& unused) {
    BackwardBits bits(data);
    FseState literal(literal_lengths_, bits), offset(offsets_, bits), match(match_lengths_, bits);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t offset_bits = offset.symbol();
      expect(offset_bits < 32);
      const std::uint64_t offset_value = (std::uint64_t{1} << offset_bits) + bits.take(offset_bits);
      const Code matched = match_length(match.symbol()), literals_before = literal_length(literal.symbol());
      const std::uint64_t length = matched.base + bits.take(matched.bits);
      const std::uint64_t literal_count = literals_before.base + bits.take(literals_before.bits);
      expect(literal_count <= unused.size());
      append(unused.first(literal_count));
      unused = unused.subspan(literal_count);
      copy_back(distance(offset_value, literal_count), length);
      if (i + 1 == count) break;
      literal.advance(bits);
      match.advance(bits);
      offset.advance(bits);
    }
    expect(bits.finished());
  }

  /// 3.1.1.5: values up to 3 name one of the last three distances.
  std::uint64_t distance(std::uint64_t value, std::uint64_t literal_count) {
    std::uint64_t found = value - 3;
    std::size_t index = 2;
    if (value <= 3) {
      index = static_cast<std::size_t>(value) - 1 + (literal_count == 0 ? 1 : 0);
      found = index < 3 ? recent_[index] : recent_[0] - 1;
      index = std::min<std::size_t>(index, 2);
    }
    std::rotate(recent_.begin(), recent_.begin() + static_cast<std::ptrdiff_t>(index),
                recent_.begin() + static_cast<std::ptrdiff_t>(index) + 1);
    recent_[0] = found;
    return found;
  }

  void copy_back(std::uint64_t distance, std::uint64_t length) {
    expect(distance > 0 && distance <= text_.size() && length <= most_ - text_.size());
    for (std::uint64_t i = 0; i < length; ++i) text_.push_back(text_[text_.size() - distance]);
  }

  std::size_t most_;
  std::string text_;
  HuffmanTable huffman_;
  FseTable literal_lengths_, offsets_, match_lengths_;
  std::array<std::uint64_t, 3> recent_{1, 4, 8};
};

}  // namespace
}  // namespace zstandard

std::string decompress_zstandard(std::span<const std::uint8_t> data, std::size_t plain_bytes) {
  return zstandard::Frame(plain_bytes).decode(data);
}

}  // namespace vgpu::driver
