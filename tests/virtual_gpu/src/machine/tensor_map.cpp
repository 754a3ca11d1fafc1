#include "machine/tensor_map.h"

#include <algorithm>
#include <cstring>

#include "machine/access.h"

namespace vgpu {
namespace {

constexpr std::uint32_t kMagic = 0x4d544756;  // "VGTM"

/// How the 128 bytes are used.
struct Encoded {
  std::uint32_t magic;
  std::uint8_t rank, element_bytes, flags, swizzle;
  std::uint64_t unused;  ///< programs clear a bit of this word, which works around drivers before 13.1
  std::uint64_t address;
  std::uint32_t size_minus_one[5];
  std::uint32_t stride_16[4];  ///< in units of 16 bytes, low 32 bits
  std::uint8_t stride_high[4];
  std::uint16_t box[5];
  std::uint8_t steps[5];
  Type type;
  std::int16_t lower[3], upper[3];
  std::uint16_t channels, pixels;
  std::uint8_t rest[32];
};
static_assert(sizeof(Encoded) == 128);

std::uint32_t extent(const TensorMap& map, std::uint32_t i) { return (map.box[i] + map.steps[i] - 1) / map.steps[i]; }

/// Calls f(row, global address or 0 where outside, valid elements, skipped elements in front) for each run of the
/// innermost dimension.
template <class F>
void for_each_row(const TensorMap& map, const std::int32_t* coordinates, F f) {
  std::array<std::uint32_t, 5> at{};
  std::uint32_t rows = 1;
  for (std::uint32_t i = 1; i < map.rank; ++i) rows *= extent(map, i);
  for (std::uint32_t row = 0; row < rows; ++row) {
    std::uint64_t address = map.address;
    bool inside = true;
    std::uint32_t rest = row;
    for (std::uint32_t i = 1; i < map.rank; ++i) {
      at[i] = rest % extent(map, i);
      rest /= extent(map, i);
      const std::int64_t position = std::int64_t{coordinates[i]} + std::int64_t{at[i]} * map.steps[i];
      inside &= position >= 0 && position < static_cast<std::int64_t>(map.sizes[i]);
      address += static_cast<std::uint64_t>(position) * map.strides[i];
    }
    f(row, inside ? address : 0);
  }
}

void fill(const TensorMap& map, std::uint8_t* bytes, std::uint32_t count) {
  if (map.fill == TensorMap::Fill::zero) {
    std::memset(bytes, 0, count);
    return;
  }
  // The NaN that out-of-bounds fill gives has all bits but the sign set.
  for (std::uint32_t i = 0; i < count; ++i) bytes[i] = (i + 1) % map.element_bytes == 0 ? 0x7f : 0xff;
}

/// Elements [first, first + count) of a line of the innermost dimension that starts at `address`.
void read_line(Warp& w, const Instr& instr, Lanes lanes, const TensorMap& map, std::uint64_t address,
               std::int64_t first, std::uint32_t count, std::uint32_t step, std::uint8_t* bytes, std::uint8_t* states) {
  const std::uint32_t size = map.element_bytes;
  fill(map, bytes, count * size);
  std::memset(states, static_cast<int>(ByteState::defined), std::size_t{count} * size);
  if (address == 0) return;
  if (step == 1) {
    const std::int64_t from = std::max<std::int64_t>(first, 0);
    const std::int64_t to = std::min<std::int64_t>(first + count, static_cast<std::int64_t>(map.sizes[0]));
    if (from >= to) return;
    const auto n = static_cast<std::uint32_t>((to - from) * size);
    const Place p = place_global(w, instr, lanes, address + static_cast<std::uint64_t>(from) * size, n, {});
    count_stretch(w, instr, address + static_cast<std::uint64_t>(from) * size, n);
    std::memcpy(bytes + (from - first) * size, p.data, n);
    std::memcpy(states + (from - first) * size, p.states, n);
    return;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::int64_t at = first + std::int64_t{i} * step;
    if (at < 0 || at >= static_cast<std::int64_t>(map.sizes[0])) continue;
    const Place p = place_global(w, instr, lanes, address + static_cast<std::uint64_t>(at) * size, size, {});
    count_stretch(w, instr, address + static_cast<std::uint64_t>(at) * size, size);
    std::memcpy(bytes + i * size, p.data, size);
    std::memcpy(states + i * size, p.states, size);
  }
}

/// im2col: pixels in the order width, height, depth, image, each inside the bounding box that the corners give, shifted
/// by the offsets, which stores do not have. Calls f(pixel, global address of its channels or 0 where outside).
/// PTX ISA, 5.5.3 "im2col mode".
template <class F>
void for_each_pixel(const TensorMap& map, const std::int32_t* coordinates, const std::uint32_t* offsets, F f) {
  const std::uint32_t spatial = map.rank - 2;
  std::array<std::int64_t, 4> at{};
  for (std::uint32_t i = 0; i <= spatial; ++i) at[i] = coordinates[1 + i];
  for (std::uint32_t pixel = 0; pixel < map.pixels; ++pixel) {
    std::uint64_t address = map.address;
    bool inside = true;
    for (std::uint32_t i = 0; i <= spatial; ++i) {
      const std::int64_t position = at[i] + (i < spatial && offsets != nullptr ? offsets[i] : 0);
      inside &= position >= 0 && position < static_cast<std::int64_t>(map.sizes[1 + i]);
      address += static_cast<std::uint64_t>(position) * map.strides[1 + i];
    }
    f(pixel, inside ? address : 0);
    for (std::uint32_t i = 0; i <= spatial; ++i) {
      at[i] += map.steps[1 + i];
      if (i == spatial) break;
      if (at[i] < static_cast<std::int64_t>(map.sizes[1 + i]) + map.upper[i]) break;
      at[i] = map.lower[i];
    }
  }
}

}  // namespace

std::uint32_t TensorMap::box_bytes() const {
  if (im2col) return channels * pixels * element_bytes;
  std::uint32_t elements = 1;
  for (std::uint32_t i = 0; i < rank; ++i) elements *= extent(*this, i);
  return elements * element_bytes;
}

std::array<std::uint8_t, 128> TensorMap::encode() const {
  Encoded e{};
  e.magic = kMagic;
  e.rank = static_cast<std::uint8_t>(rank);
  e.element_bytes = static_cast<std::uint8_t>(element_bytes);
  e.flags = static_cast<std::uint8_t>((floating ? 1 : 0) | (fill == Fill::nan ? 2 : 0) | (im2col ? 4 : 0));
  e.swizzle = static_cast<std::uint8_t>(swizzle_bytes);
  e.type = type;
  e.address = address;
  // All five, whatever the rank: a kernel may set that last.
  for (std::size_t i = 0; i < 5; ++i) {
    e.size_minus_one[i] = static_cast<std::uint32_t>(sizes[i] - 1);
    e.box[i] = static_cast<std::uint16_t>(box[i]);
    e.steps[i] = static_cast<std::uint8_t>(steps[i]);
    if (i > 0) {
      e.stride_16[i - 1] = static_cast<std::uint32_t>(strides[i] / 16);
      e.stride_high[i - 1] = static_cast<std::uint8_t>(strides[i] / 16 >> 32);
    }
  }
  for (std::size_t i = 0; i < 3; ++i) {
    e.lower[i] = static_cast<std::int16_t>(lower[i]);
    e.upper[i] = static_cast<std::int16_t>(upper[i]);
  }
  e.channels = static_cast<std::uint16_t>(channels);
  e.pixels = static_cast<std::uint16_t>(pixels);
  std::array<std::uint8_t, 128> bytes{};
  std::memcpy(bytes.data(), &e, sizeof e);
  return bytes;
}

bool TensorMap::decode(const std::uint8_t* bytes, TensorMap& map) {
  Encoded e{};
  std::memcpy(&e, bytes, sizeof e);
  if (e.magic != kMagic || e.rank == 0 || e.rank > 5) return false;
  map.rank = e.rank;
  map.element_bytes = e.element_bytes;
  map.floating = (e.flags & 1) != 0;
  map.fill = (e.flags & 2) != 0 ? Fill::nan : Fill::zero;
  map.im2col = (e.flags & 4) != 0;
  map.swizzle_bytes = e.swizzle;
  map.type = e.type;
  map.address = e.address;
  for (std::size_t i = 0; i < 5; ++i) {
    map.sizes[i] = std::uint64_t{e.size_minus_one[i]} + 1;
    map.box[i] = e.box[i];
    map.steps[i] = e.steps[i];
    map.strides[i] = i == 0 ? e.element_bytes : (std::uint64_t{e.stride_high[i - 1]} << 32 | e.stride_16[i - 1]) * 16;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    map.lower[i] = e.lower[i];
    map.upper[i] = e.upper[i];
  }
  map.channels = e.channels;
  map.pixels = e.pixels;
  return true;
}

BoxData read_box(Warp& w, const Instr& instr, Lanes lanes, const TensorMap& map, const std::int32_t* coordinates,
                 const std::uint32_t* offsets) {
  BoxData data;
  data.bytes.resize(map.box_bytes());
  data.states.resize(data.bytes.size());
  if (map.im2col) {
    const std::size_t line = std::size_t{map.channels} * map.element_bytes;
    for_each_pixel(map, coordinates, offsets, [&](std::uint32_t pixel, std::uint64_t address) {
      read_line(w, instr, lanes, map, address, coordinates[0], map.channels, 1, data.bytes.data() + pixel * line,
                data.states.data() + pixel * line);
    });
    return data;
  }
  const std::uint32_t count = extent(map, 0), line = count * map.element_bytes;
  for_each_row(map, coordinates, [&](std::uint32_t row, std::uint64_t address) {
    read_line(w, instr, lanes, map, address, coordinates[0], count, map.steps[0],
              data.bytes.data() + std::size_t{row} * line, data.states.data() + std::size_t{row} * line);
  });
  return data;
}

void write_global(Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, const std::uint8_t* data,
                  const std::uint8_t* states, std::uint32_t bytes, std::uint32_t size, Update update) {
  const bool atomic = update != nullptr;
  const Place p = place_global(w, instr, lanes, address, bytes, {true, atomic, atomic});
  count_stretch(w, instr, address, bytes);
  for (std::uint32_t i = 0; i < bytes; ++i) {
    if (states[i] != static_cast<std::uint8_t>(ByteState::tainted) &&
        (!atomic || states[i] == static_cast<std::uint8_t>(ByteState::defined))) {
      continue;
    }
    w.fail_at(instr, Check::uninitialised, lanes,
              atomic ? "a value that was never written is an operand of a reduction"
                     : "a value computed from data that was never written is stored to global memory");
  }
  if (!atomic) {
    std::memcpy(p.data, data, bytes);
    std::memcpy(p.states, states, bytes);
    return;
  }
  if (!p.defined) {
    w.fail_at(instr, Check::uninitialised, lanes,
              "a reduction updates memory that was never written, " + w.cta->launch->memory.describe(address));
  }
  for (std::uint32_t i = 0; i < bytes; i += size) update(p.data + i, data + i);
}

void write_box(Warp& w, const Instr& instr, Lanes lanes, const TensorMap& map, const std::int32_t* coordinates,
               const BoxData& data, Update update) {
  const std::uint32_t size = map.element_bytes, count = map.im2col ? map.channels : extent(map, 0);
  const auto write_line = [&](std::uint32_t row, std::uint64_t address) {
    if (address == 0) return;
    const std::int64_t first = coordinates[0];
    const std::int64_t from = std::max<std::int64_t>(first, 0);
    const std::int64_t to = std::min<std::int64_t>(first + count, static_cast<std::int64_t>(map.sizes[0]));
    if (from >= to) return;
    const std::size_t at = (std::size_t{row} * count + static_cast<std::size_t>(from - first)) * size;
    write_global(w, instr, lanes, address + static_cast<std::uint64_t>(from) * size, data.bytes.data() + at,
                 data.states.data() + at, static_cast<std::uint32_t>((to - from) * size), size, update);
  };
  if (map.im2col) {
    for_each_pixel(map, coordinates, nullptr, write_line);
  } else {
    for_each_row(map, coordinates, write_line);
  }
}

void prefetch_box(const Warp& w, const Instr& instr, Lanes lanes, const TensorMap& map, const std::int32_t* coordinates,
                  const std::uint32_t* offsets) {
  const std::uint32_t size = map.element_bytes, count = map.im2col ? map.channels : map.box[0];
  const auto check_line = [&](std::uint32_t, std::uint64_t address) {
    if (address == 0) return;
    const std::int64_t first = coordinates[0];
    const std::int64_t from = std::max<std::int64_t>(first, 0);
    const std::int64_t to = std::min<std::int64_t>(first + count, static_cast<std::int64_t>(map.sizes[0]));
    if (from >= to) return;
    check_prefetch(w, instr, lanes, address + static_cast<std::uint64_t>(from) * size,
                   static_cast<std::uint32_t>((to - from) * size));
  };
  if (map.im2col) {
    for_each_pixel(map, coordinates, offsets, check_line);
  } else {
    for_each_row(map, coordinates, check_line);
  }
}

std::uint32_t swizzled(const TensorMap& map, std::uint32_t base, std::uint32_t offset) {
  const std::uint32_t mask = map.swizzle_bytes == 128  ? 7
                             : map.swizzle_bytes == 64 ? 3
                             : map.swizzle_bytes == 32 ? 1
                                                       : 0;
  const std::uint32_t address = base + offset;
  return address ^ (address >> 7 & mask) << 4;
}

}  // namespace vgpu
