#include "driver/objects/zstandard_codes.h"

#include <cstdlib>

namespace vgpu::driver::zstandard {

FseTable FseTable::from(const std::vector<int>& probabilities, std::uint32_t log) {
  FseTable table;
  table.log = log;
  const std::uint32_t size = 1u << log;
  table.entries.resize(size);
  std::vector<std::uint32_t> next(probabilities.size());
  std::uint32_t high = size;
  for (std::size_t s = 0; s < probabilities.size(); ++s) {
    if (probabilities[s] != -1) continue;
    table.entries[--high].symbol = static_cast<std::uint8_t>(s);
    next[s] = 1;
  }
  std::uint32_t position = 0;
  for (std::size_t s = 0; s < probabilities.size(); ++s) {
    if (probabilities[s] <= 0) continue;
    next[s] = static_cast<std::uint32_t>(probabilities[s]);
    for (int i = 0; i < probabilities[s]; ++i) {
      table.entries[position].symbol = static_cast<std::uint8_t>(s);
      do {
        position = (position + (size >> 1) + (size >> 3) + 3) & (size - 1);
      } while (position >= high);
    }
  }
  expect(position == 0);
  for (Entry& entry : table.entries) {
    const std::uint32_t state = next[entry.symbol]++;
    entry.bits = static_cast<std::uint8_t>(log + 1 - static_cast<std::uint32_t>(std::bit_width(state)));
    entry.base = static_cast<std::uint16_t>((state << entry.bits) - size);
  }
  return table;
}

FseTable FseTable::read(Reader& reader, std::uint32_t most_log) {
  const Bytes data = reader.rest();
  std::int64_t at = 0;
  const auto take = [&](std::uint32_t bits) {
    at += bits;
    return static_cast<int>(bits_at(data, at - bits, bits));
  };
  const std::uint32_t log = static_cast<std::uint32_t>(take(4)) + 5;
  expect(log <= most_log);
  std::vector<int> probabilities;
  int left = 1 << log;
  while (left > 0) {
    const auto bits = static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint32_t>(left + 1)));
    int value = take(bits);
    const int low = (1 << (bits - 1)) - 1;
    const int threshold = (1 << bits) - 1 - (left + 1);
    if ((value & low) < threshold) {
      --at;
      value &= low;
    } else if (value > low) {
      value -= threshold;
    }
    probabilities.push_back(value - 1);
    left -= std::abs(value - 1);
    if (value == 1) {
      int repeats = 3;
      while (repeats == 3) {
        repeats = take(2);
        probabilities.insert(probabilities.end(), static_cast<std::size_t>(repeats), 0);
      }
    }
    expect(probabilities.size() <= 256);
  }
  expect(left == 0);
  reader.take(static_cast<std::size_t>((at + 7) / 8));
  return from(probabilities, log);
}

namespace {

/// 4.2.1.2: weights that are themselves compressed, two interleaved states.
std::vector<std::uint8_t> fse_weights(Bytes data) {
  Reader reader(data);
  const FseTable table = FseTable::read(reader, 6);
  BackwardBits bits(reader.rest());
  std::array<FseState, 2> states{FseState(table, bits), FseState(table, bits)};
  std::vector<std::uint8_t> weights;
  for (std::size_t turn = 0;; turn ^= 1) {
    expect(weights.size() < 255);
    weights.push_back(states[turn].symbol());
    states[turn].advance(bits);
    if (bits.overrun()) {
      weights.push_back(states[turn ^ 1].symbol());
      return weights;
    }
  }
}

}  // namespace

HuffmanTable HuffmanTable::read(Reader& reader) {
  const auto header = static_cast<std::size_t>(reader.number(1));
  std::vector<std::uint8_t> weights;
  if (header < 128) {
    weights = fse_weights(reader.take(header));
  } else {
    const std::size_t n = header - 127;
    const Bytes packed = reader.take((n + 1) / 2);
    for (std::size_t i = 0; i < n; ++i) weights.push_back(i % 2 == 0 ? packed[i / 2] >> 4 : packed[i / 2] & 15);
  }
  // The last weight is what completes a power of two.
  std::uint32_t sum = 0;
  for (const std::uint8_t weight : weights) sum += weight > 0 ? 1u << (weight - 1) : 0;
  expect(sum > 0);
  HuffmanTable table;
  table.log = static_cast<std::uint32_t>(std::bit_width(sum));
  expect(table.log <= 11);
  const std::uint32_t rest = (1u << table.log) - sum;
  expect(std::has_single_bit(rest));
  weights.push_back(static_cast<std::uint8_t>(std::bit_width(rest)));
  for (std::uint32_t weight = 1; weight <= table.log; ++weight) {
    for (std::size_t s = 0; s < weights.size(); ++s) {
      if (weights[s] != weight) continue;
      const Entry entry{static_cast<std::uint8_t>(s), static_cast<std::uint8_t>(table.log + 1 - weight)};
      table.entries.insert(table.entries.end(), std::size_t{1} << (weight - 1), entry);
    }
  }
  expect(table.entries.size() == std::size_t{1} << table.log);
  return table;
}

void HuffmanTable::decode(Bytes stream, std::size_t count, std::string& into) const {
  BackwardBits bits(stream);
  for (std::size_t i = 0; i < count; ++i) {
    const Entry entry = entries[bits.take(log)];
    bits.give_back(log - entry.bits);
    into.push_back(static_cast<char>(entry.symbol));
  }
  expect(bits.finished());
}

}  // namespace vgpu::driver::zstandard
