// Probability maps to bits at the original size, without the maps between.
#include "mask_sampler.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/cpu/rows.h"
#include "kernels/cpu/transpose.h"
#include "pack_columns.h"

namespace maskrt::kernels {
namespace {

constexpr int kWord = 64;  // rows
constexpr int kLanes = 16;
using Floats16 = float __attribute__((vector_size(64)));

// Weights add up to 1 within a few roundings; only values farther from the threshold than those decide for a whole
// word.
constexpr float kMargin = 1e-5f;

/// sides[x] loses bit 0 where row[x] is not clearly below the threshold, and bit 1 where it is not clearly above.
MASKRT_CLONES void narrow_sides(const float* row, int width, float low, float high, std::uint8_t* sides) {
  for (int x = 0; x < width; ++x) {
    const int on_side = (row[x] < low ? 1 : 0) | (row[x] > high ? 2 : 0);
    sides[x] = static_cast<std::uint8_t>(sides[x] & on_side);
  }
}

/// The vertical half for 16 columns and 64 rows: out[c][i] = sum over k < taps of map[index[k][i]][c] * weight[k][i].
/// Rows of the map lie side by side, rows of a column are wanted side by side: hence the transposition.
MASKRT_CLONES void blend_tile(const float* map, std::size_t stride,
                              const std::int32_t* const (&index)[ComposedTaps::kMost],
                              const float* const (&weight)[ComposedTaps::kMost], int taps,
                              MaskSampler::ColumnRows* out) {
  for (int first = 0; first < kWord; first += kLanes) {
    Floats16 rows[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      rows[i] = Floats16{};
      for (int k = 0; k < taps; ++k) {
        Floats16 row;
        std::memcpy(&row, map + static_cast<std::size_t>(index[k][first + i]) * stride, sizeof row);
        rows[i] += row * weight[k][first + i];
      }
    }
    transpose16(rows);
    for (int c = 0; c < kLanes; ++c) std::memcpy(out[c].values + first, &rows[c], sizeof rows[c]);
  }
}

/// Area and box of the bits.
MASKRT_CLONES void measure(DetectedInstance& instance) {
  const MaskBits& mask = instance.mask;
  std::vector<std::uint64_t> rows(static_cast<std::size_t>(mask.words_per_column));
  int left = -1, right = -1;
  std::int64_t area = 0;
  for (int x = 0; x < mask.width; ++x) {
    const std::uint64_t* column = mask.words.data() + static_cast<std::size_t>(x) * mask.words_per_column;
    std::uint64_t any = 0;
    for (int k = 0; k < mask.words_per_column; ++k) {
      any |= column[k];
      rows[k] |= column[k];
      area += std::popcount(column[k]);
    }
    if (any == 0) continue;
    if (left < 0) left = x;
    right = x;
  }
  instance.area = area;
  if (area == 0) return;
  const auto first = std::find_if(rows.begin(), rows.end(), [](std::uint64_t w) { return w != 0; });
  const auto last = std::find_if(rows.rbegin(), rows.rend(), [](std::uint64_t w) { return w != 0; });
  const int top = static_cast<int>(first - rows.begin()) * kWord + std::countr_zero(*first);
  const int bottom = static_cast<int>(rows.rend() - last) * kWord - std::countl_zero(*last);
  instance.x = left;
  instance.y = top;
  instance.width = right - left + 1;
  instance.height = bottom - top;
}

}  // namespace

MaskSampler::MaskSampler(int map_width, int map_height, const Geometry& geometry, float threshold)
    : map_width_(map_width),
      map_height_(map_height),
      width_(geometry.original_width),
      height_(geometry.original_height),
      words_per_column_((height_ + kWord - 1) / kWord),
      threshold_(threshold),
      across_(compose_taps(map_width, geometry.padded_width, geometry.resized_width, width_,
                           static_cast<std::size_t>(width_))),
      down_(compose_taps(map_height, geometry.padded_height, geometry.resized_height, height_,
                         static_cast<std::size_t>(words_per_column_) * kWord)) {
  for (int x = 0; x < width_; ++x) {
    Run run{x, 1, 0, {}};
    for (int k = 0; k < across_.used; ++k) {
      run.columns[k] = across_.index[k][x];
      if (across_.weight[k][x] != 0) run.taps = k + 1;
    }
    if (!runs_.empty() && runs_.back().taps == run.taps &&
        std::equal(run.columns, run.columns + run.taps, runs_.back().columns)) {
      ++runs_.back().count;
    } else {
      runs_.push_back(run);
    }
  }
  for (int word = 0; word < words_per_column_; ++word) {
    std::int32_t first = map_height, last = 0;
    for (int y = word * kWord; y < std::min(height_, (word + 1) * kWord); ++y) {
      for (int k = 0; k < down_.used; ++k) {
        first = std::min(first, down_.index[k][y]);
        last = std::max(last, down_.index[k][y]);
      }
    }
    first_row_.push_back(first);
    last_row_.push_back(last);
  }
}

MaskSampler::Scratch MaskSampler::make_scratch() const {
  Scratch scratch;
  scratch.blended.resize(map_stride(map_width_));
  scratch.computed.resize(map_stride(map_width_) / kLanes);
  scratch.sides.resize(static_cast<std::size_t>(map_width_));
  return scratch;
}

void MaskSampler::find_sides(const float* map, int word, Scratch& scratch) const {
  std::fill(scratch.sides.begin(), scratch.sides.end(), static_cast<std::uint8_t>(below | above));
  for (std::int32_t y = first_row_[word]; y <= last_row_[word]; ++y) {
    narrow_sides(map + static_cast<std::size_t>(y) * map_stride(map_width_), map_width_, threshold_ - kMargin,
                 threshold_ + kMargin, scratch.sides.data());
  }
}

const float* MaskSampler::blended_rows(const float* map, int column, int word, Scratch& scratch) const {
  const int tile = column / kLanes;
  if (scratch.computed[tile] == 0) {
    const std::int32_t* index[ComposedTaps::kMost];
    const float* weight[ComposedTaps::kMost];
    for (int k = 0; k < ComposedTaps::kMost; ++k) {
      index[k] = down_.index[k].data() + word * kWord;
      weight[k] = down_.weight[k].data() + word * kWord;
    }
    blend_tile(map + tile * kLanes, map_stride(map_width_), index, weight, down_.used,
               scratch.blended.data() + tile * kLanes);
    scratch.computed[tile] = 1;
  }
  return scratch.blended[column].values;
}

void MaskSampler::sample(const float* map, Scratch& scratch, DetectedInstance& instance) const {
  MaskBits& mask = instance.mask;
  mask = {width_, height_, words_per_column_, {}};
  mask.words.resize(static_cast<std::size_t>(width_) * words_per_column_);

  for (int word = 0; word < words_per_column_; ++word) {
    find_sides(map, word, scratch);
    std::fill(scratch.computed.begin(), scratch.computed.end(), std::uint8_t{0});
    const int rows = std::min(kWord, height_ - word * kWord);
    const std::uint64_t valid = ~std::uint64_t{0} >> (kWord - rows);
    for (const Run& run : runs_) {
      std::uint8_t sides = below | above;
      for (int k = 0; k < run.taps; ++k) sides &= scratch.sides[run.columns[k]];
      if (sides == below) continue;
      std::uint64_t* words = mask.words.data() + static_cast<std::size_t>(run.first) * words_per_column_ + word;
      if (sides == above) {
        for (int i = 0; i < run.count; ++i) words[i * words_per_column_] = valid;
        continue;
      }
      ColumnBlend blend;
      blend.taps = run.taps;
      blend.threshold = threshold_;
      for (int k = 0; k < run.taps; ++k) {
        blend.columns[k] = blended_rows(map, run.columns[k], word, scratch);
        blend.weights[k] = across_.weight[k].data() + run.first;
      }
      pack_columns(blend, run.count, words, words_per_column_);
      if (rows < kWord) {
        for (int i = 0; i < run.count; ++i) words[i * words_per_column_] &= valid;
      }
    }
  }
  measure(instance);
}

}  // namespace maskrt::kernels
