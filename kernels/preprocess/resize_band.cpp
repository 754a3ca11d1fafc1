// Both passes of the resize as SIMD loops over 16 neighbouring bytes. The vertical pass has them by nature; the
// horizontal pass transposes 16 rows at a time, since its taps start anywhere in a row.
#include "resize_band.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/rows.h"
#include "kernels/cpu/transpose.h"

namespace maskrt::kernels {
namespace {

constexpr int kLanes = 16;
using Bytes16 = std::uint8_t __attribute__((vector_size(16)));
using Bytes8 = std::uint8_t __attribute__((vector_size(8)));
using Words8 = std::int16_t __attribute__((vector_size(16)));
using Sums8 = std::int32_t __attribute__((vector_size(32)));

/// The sums of 16 lanes, in vectors of a width that every level of processors supports.
struct Sums16 {
  Sums8 low = Sums8{} + PillowTaps::kHalf, high = Sums8{} + PillowTaps::kHalf;
};

[[gnu::always_inline]] inline Bytes16 load(const std::uint8_t* from) {
  Bytes16 bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return bytes;
}

/// Widens in two steps, each of which is one instruction.
[[gnu::always_inline]] inline void add_weighted(Sums8& sums, const std::uint8_t* from, std::int32_t weight) {
  Bytes8 bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  sums += __builtin_convertvector(__builtin_convertvector(bytes, Words8), Sums8) * weight;
}

[[gnu::always_inline]] inline void add_weighted(Sums16& sums, const std::uint8_t* from, std::int32_t weight) {
  add_weighted(sums.low, from, weight);
  add_weighted(sums.high, from + 8, weight);
}

[[gnu::always_inline]] inline void store(std::uint8_t* to, Bytes16 bytes) { std::memcpy(to, &bytes, sizeof bytes); }

/// Shifts and clips sums to bytes.
[[gnu::always_inline]] inline void store_sums(std::uint8_t* to, const Sums8& sums) {
  const Sums8 rounded = sums >> PillowTaps::kBits;
  const Words8 words = __builtin_convertvector(rounded > 255 ? Sums8{} + 255 : rounded, Words8);
  const Bytes8 bytes = __builtin_convertvector(words, Bytes8);
  std::memcpy(to, &bytes, sizeof bytes);
}

[[gnu::always_inline]] inline void store_sums(std::uint8_t* to, const Sums16& sums) {
  store_sums(to, sums.low);
  store_sums(to + 8, sums.high);
}

/// columns[i * 16 + r] = rows[r][i] for i < size.
void rows_to_columns(const std::uint8_t* const (&rows)[kLanes], std::size_t size, std::uint8_t* columns) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    Bytes16 lines[kLanes];
    for (int r = 0; r < kLanes; ++r) lines[r] = load(rows[r] + i);
    transpose16(lines);
    std::memcpy(columns + i * kLanes, lines, sizeof lines);
  }
  for (; i < size; ++i) {
    for (int r = 0; r < kLanes; ++r) columns[i * kLanes + r] = rows[r][i];
  }
}

/// rows[r * size + i] = columns[i * 16 + r] for r < count.
void columns_to_rows(const std::uint8_t* columns, std::size_t size, int count, std::uint8_t* rows) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    Bytes16 lines[kLanes];
    std::memcpy(lines, columns + i * kLanes, sizeof lines);
    transpose16(lines);
    for (int r = 0; r < count; ++r) store(rows + r * size + i, lines[r]);
  }
  for (; i < size; ++i) {
    for (int r = 0; r < count; ++r) rows[r * size + i] = columns[i * kLanes + r];
  }
}

MASKRT_CLONES void resize_columns(const std::uint8_t* in, const PillowTaps& taps, int channels, std::uint8_t* out) {
  const int width = static_cast<int>(taps.first.size());
  const std::ptrdiff_t pixel = static_cast<std::ptrdiff_t>(channels) * kLanes;
  for (int x = 0; x < width; ++x) {
    const std::int32_t* weights = taps.weights.data() + static_cast<std::size_t>(x) * taps.most;
    for (int c = 0; c < channels; ++c) {
      const std::uint8_t* from = in + taps.first[x] * pixel + c * kLanes;
      Sums16 sums;
      for (int k = 0; k < taps.count[x]; ++k) {
        add_weighted(sums, from + k * pixel, weights[k]);
      }
      store_sums(out + x * pixel + c * kLanes, sums);
    }
  }
}

/// out[i] = sum over k of rows[k * stride + i] * weights[k]
MASKRT_CLONES void combine_rows(const std::uint8_t* rows, std::ptrdiff_t stride, const std::int32_t* weights, int count,
                                std::ptrdiff_t size, std::uint8_t* out) {
  constexpr int unrolled = 4;
  std::ptrdiff_t i = 0;
  for (; i + unrolled * kLanes <= size; i += unrolled * kLanes) {
    Sums16 sums[unrolled];
    for (int k = 0; k < count; ++k) {
      for (int j = 0; j < unrolled; ++j) {
        add_weighted(sums[j], rows + k * stride + i + j * kLanes, weights[k]);
      }
    }
    for (int j = 0; j < unrolled; ++j) store_sums(out + i + j * kLanes, sums[j]);
  }
  for (; i < size; ++i) {
    std::int32_t sum = PillowTaps::kHalf;
    for (int k = 0; k < count; ++k) sum += rows[k * stride + i] * weights[k];
    out[i] = static_cast<std::uint8_t>(std::min(sum >> PillowTaps::kBits, 255));
  }
}

}  // namespace

BandResizer::BandResizer(const SourceRows& source, int width, int height)
    : source_(source), width_(width), height_(height) {
  if (horizontal()) across_ = pillow_taps(source.width, width);
  if (vertical()) down_ = pillow_taps(source.height, height);
}

int BandResizer::end_of(int band) const { return std::min(height_, (band + 1) * kBandRows); }

BandResizer::Scratch BandResizer::make_scratch() const {
  const auto channels = static_cast<std::size_t>(source_.channels);
  Scratch scratch;
  scratch.row.resize(channels * width_);
  if (horizontal()) {
    int most_rows = 0;
    for (int band = 0; band < bands(); ++band) {
      most_rows = std::max(most_rows, end_source_row(end_of(band) - 1) - first_source_row(band * kBandRows));
    }
    scratch.columns.resize(channels * source_.width * kLanes);
    scratch.resized_columns.resize(channels * width_ * kLanes);
    scratch.rows.resize(channels * width_ * most_rows);
  }
  return scratch;
}

void BandResizer::begin(int band, Scratch& scratch) const {
  const int begin_row = first_source_row(band * kBandRows), end_row = end_source_row(end_of(band) - 1);
  scratch.first_row = begin_row;
  if (!horizontal()) return;
  const std::size_t row_size = static_cast<std::size_t>(width_) * source_.channels;
  for (int y = begin_row; y < end_row; y += kLanes) {
    const std::uint8_t* rows[kLanes];
    for (int r = 0; r < kLanes; ++r) rows[r] = source_.row(std::min(y + r, end_row - 1));
    rows_to_columns(rows, static_cast<std::size_t>(source_.width) * source_.channels, scratch.columns.data());
    resize_columns(scratch.columns.data(), across_, source_.channels, scratch.resized_columns.data());
    columns_to_rows(scratch.resized_columns.data(), row_size, std::min(kLanes, end_row - y),
                    scratch.rows.data() + (y - begin_row) * row_size);
  }
}

const std::uint8_t* BandResizer::row(int y, Scratch& scratch) const {
  const std::ptrdiff_t row_size = static_cast<std::ptrdiff_t>(width_) * source_.channels;
  const int first = first_source_row(y);
  const std::uint8_t* from =
      horizontal() ? scratch.rows.data() + (first - scratch.first_row) * row_size : source_.row(first);
  if (!vertical()) return from;
  combine_rows(from, horizontal() ? row_size : source_.row_stride,
               down_.weights.data() + static_cast<std::size_t>(y) * down_.most, down_.count[y], row_size,
               scratch.row.data());
  return scratch.row.data();
}

}  // namespace maskrt::kernels
