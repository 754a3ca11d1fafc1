// The two codes of Zstandard, RFC 8878: finite state entropy and Huffman. Section numbers are the RFC's.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "driver/objects/status.h"

namespace vgpu::driver::zstandard {

using Bytes = std::span<const std::uint8_t>;

/// Throws Status with CUDA_ERROR_INVALID_IMAGE unless `holds`.
inline void expect(bool holds) {
  require(holds, CUDA_ERROR_INVALID_IMAGE, "expected a Zstandard frame in the fat binary, found damaged data");
}

/// Takes bytes from the front.
class Reader {
 public:
  explicit Reader(Bytes data) : data_(data) {}
  std::size_t left() const { return data_.size(); }
  Bytes take(std::size_t n) {
    expect(n <= data_.size());
    const Bytes taken = data_.first(n);
    data_ = data_.subspan(n);
    return taken;
  }
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    std::size_t shift = 0;
    for (const std::uint8_t byte : take(bytes)) {
      value |= std::uint64_t{byte} << shift;
      shift += 8;
    }
    return value;
  }
  Bytes rest() const { return data_; }

 private:
  Bytes data_;
};

/// `bits` bits from bit `at` on, the lowest first; what lies outside the data is 0.
inline std::uint64_t bits_at(Bytes data, std::int64_t at, std::uint32_t bits) {
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < bits; ++i) {
    const std::int64_t position = at + i;
    if (position < 0 || position >= static_cast<std::int64_t>(data.size()) * 8) continue;
    value |= std::uint64_t{data[static_cast<std::size_t>(position / 8)]} >> position % 8 << 63 >> (63 - i);
  }
  return value;
}

/// A bitstream that is read from its end; its last set bit marks the end. 4.1
class BackwardBits {
 public:
  explicit BackwardBits(Bytes data) : data_(data) {
    expect(!data.empty() && data.back() != 0);
    position_ = static_cast<std::int64_t>(data.size()) * 8 - std::countl_zero(data.back()) - 1;
  }
  std::uint64_t take(std::uint32_t bits) {
    position_ -= bits;
    return bits_at(data_, position_, bits);
  }
  /// Takes back what was read too much.
  void give_back(std::uint32_t bits) { position_ += bits; }
  bool overrun() const { return position_ < 0; }
  bool finished() const { return position_ == 0; }

 private:
  Bytes data_;
  std::int64_t position_ = 0;
};

/// A table of finite state entropy coding. 4.1
struct FseTable {
  struct Entry {
    std::uint8_t symbol;
    std::uint8_t bits;
    std::uint16_t base;
  };
  std::uint32_t log = 0;
  std::vector<Entry> entries;

  bool empty() const { return entries.empty(); }
  static FseTable single(std::uint8_t symbol) {
    FseTable table;
    table.entries = {{symbol, 0, 0}};
    return table;
  }
  /// 4.1.1: from the probabilities of the symbols, in units of 1 / 2^log; -1 is less than one unit.
  static FseTable from(const std::vector<int>& probabilities, std::uint32_t log);
  /// 4.1.1: from their description.
  static FseTable read(Reader& reader, std::uint32_t most_log);
};

/// A decoder's state in a table.
class FseState {
 public:
  FseState(const FseTable& table, BackwardBits& bits) : table_(&table), state_(bits.take(table.log)) {}
  std::uint8_t symbol() const { return table_->entries[state_].symbol; }
  void advance(BackwardBits& bits) {
    const FseTable::Entry& entry = table_->entries[state_];
    state_ = entry.base + bits.take(entry.bits);
  }

 private:
  const FseTable* table_;
  std::uint64_t state_;
};

/// 4.2: entry by the next `log` bits.
struct HuffmanTable {
  struct Entry {
    std::uint8_t symbol = 0, bits = 0;
  };
  std::uint32_t log = 0;
  std::vector<Entry> entries;

  static HuffmanTable read(Reader& reader);
  void decode(Bytes stream, std::size_t count, std::string& into) const;
};

}  // namespace vgpu::driver::zstandard
