#include "mask_painter.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace maskrt::cli {
namespace {

constexpr float kTint = 0.45f, kRim = 0.35f, kOutline = 0.95f;

/// The bits of a byte as eight lanes of 0 or -1.
constexpr auto kLanesOfByte = [] {
  std::array<std::array<std::int16_t, 8>, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte)
    for (unsigned bit = 0; bit < 8; ++bit) table[byte][bit] = (byte >> bit & 1) != 0 ? -1 : 0;
  return table;
}();

using Column = std::array<std::int16_t, 64>;

Column spread(std::uint64_t word) {
  Column lanes;
  for (std::size_t i = 0; i < 8; ++i) std::copy_n(kLanesOfByte[word >> (8 * i) & 0xff].begin(), 8, &lanes[8 * i]);
  return lanes;
}

/// Rows `top` to top + 63 of a column of bits; rows beyond the picture repeat its first or last row.
std::uint64_t rows_from(std::span<const std::uint64_t> column, int top, int height) {
  const auto bit = [&](int y) { return column[static_cast<std::size_t>(y) / 64] >> (y % 64) & 1; };
  if (top < 0) {
    const int missing = std::min(-top, 64);
    const std::uint64_t rest = missing == 64 ? 0 : rows_from(column, 0, height) << missing;
    return bit(0) == 0 ? rest : rest | (~std::uint64_t{0} >> (64 - missing));
  }
  if (top >= height) return bit(height - 1) == 0 ? 0 : ~std::uint64_t{0};
  const std::size_t first = static_cast<std::size_t>(top) / 64;
  const int shift = top % 64;
  std::uint64_t word = column[first] >> shift;
  if (shift > 0 && first + 1 < column.size()) word |= column[first + 1] << (64 - shift);
  if (const int there = height - top; there < 64) {
    const std::uint64_t beyond = ~std::uint64_t{0} << there;
    word = bit(height - 1) == 0 ? word & ~beyond : word | beyond;
  }
  return word;
}

}  // namespace

MaskPainter::MaskPainter(float line) {
  // Beyond half a line and the ramps of line and rim nothing changes, and smoothing looks two pixels further each way.
  reach_ = static_cast<int>(std::ceil(0.5f * std::min(line, kWidestLine) + 1.5f + std::hypot(2.0f, 2.0f) + 0.5f));
  reach_ = std::min(reach_, kMostReach);
  halo_ = reach_ + kTaps;
  for (int square = -reach_ * reach_; square <= reach_ * reach_; ++square) {
    // Centres of pixels lie half a pixel from the edge between them.
    const float distance = std::sqrt(static_cast<float>(std::abs(square))) - 0.5f;
    root_.push_back(static_cast<std::int16_t>(std::lround((square < 0 ? -distance : distance) * kDistanceSteps)));
  }
  for (int step = -reach_ * kDistanceSteps; step <= reach_ * kDistanceSteps; ++step) {
    const float d = static_cast<float>(step) / kDistanceSteps;
    const float from_line = 0.5f * line + 0.5f - std::fabs(d);
    const float tinted = kTint * std::clamp(d + 0.5f, 0.0f, 1.0f);
    const float darkened = kRim * std::clamp(from_line + 1, 0.0f, 1.0f);
    const float outlined = kOutline * std::clamp(from_line, 0.0f, 1.0f);
    Mix mix;
    mix.keep = static_cast<std::uint16_t>(std::lround(256 * (1 - tinted) * (1 - darkened) * (1 - outlined)));
    mix.paint = static_cast<std::uint16_t>(std::lround(256 * (tinted * (1 - darkened) * (1 - outlined) + outlined)));
    mix.paint = std::min<std::uint16_t>(mix.paint, 256 - mix.keep);
    mix_.push_back(mix);
  }
}

void MaskPainter::paint(Canvas& canvas, const Mask& mask, const PixelBox& box, Color color) {
  const int left = std::max(0, box.x - halo_), right = std::min(canvas.width(), box.x + box.width + halo_);
  const int top = std::max(0, box.y - halo_), bottom = std::min(canvas.height(), box.y + box.height + halo_);
  const int tile_rows = kLanes - 2 * halo_;
  for (int y = top; y < bottom; y += tile_rows) {
    const int rows = std::min(tile_rows, bottom - y);
    const std::uint64_t concerned = ~std::uint64_t{0} >> (kLanes - rows - 2 * halo_);
    read_band(mask, left - halo_, right + halo_, y - halo_);
    for (int x = left; x < right; x += kTileColumns) {
      const PixelBox tile = {x, y, std::min(kTileColumns, right - x), rows};
      words_ = &band_[static_cast<std::size_t>(x - left)];
      std::uint64_t any = 0, all = concerned;
      for (int c = 0; c < tile.width + 2 * halo_; ++c) {
        any |= words_[c];
        all &= words_[c];
      }
      if ((any & concerned) == 0) continue;
      if (all == concerned) {
        fill(canvas, tile, color);
      } else {
        measure(tile.width);
        blend(canvas, tile, color);
      }
    }
  }
}

/// Columns beyond the picture repeat its first or last column.
void MaskPainter::read_band(const Mask& mask, int left, int right, int top) {
  const auto words = static_cast<std::size_t>(mask.words_per_column());
  const std::span<const std::uint64_t> bits = mask.bits();
  band_.clear();
  for (int x = left; x < right; ++x) {
    const auto column = static_cast<std::size_t>(std::clamp(x, 0, mask.width() - 1));
    band_.push_back(rows_from(bits.subspan(column * words, words), top, mask.height()));
  }
}

/// Makes smooth_ from the words of a tile.
void MaskPainter::measure(int columns) {
  // Within each row: how far the next pixel of the other kind is, at most reach_.
  const auto far = static_cast<std::int16_t>(reach_);
  const int wide = columns + 2 * halo_;
  Column run;
  run.fill(far);
  across_[0] = run;
  const auto step = [&](int column, int before) {
    const Column changed = spread(words_[column] ^ words_[before]);
    for (std::size_t i = 0; i < kLanes; ++i) {
      const auto longer = std::min(static_cast<std::int16_t>(run[i] + 1), far);
      run[i] = changed[i] != 0 ? std::int16_t{1} : longer;
    }
  };
  for (int c = 1; c < wide; ++c) {
    step(c, c - 1);
    across_[static_cast<std::size_t>(c)] = run;
  }
  run.fill(far);
  for (int c = wide - 2; c >= 0; --c) {
    step(c, c + 1);
    Column& out = across_[static_cast<std::size_t>(c)];
    for (std::size_t i = 0; i < kLanes; ++i) out[i] = std::min(out[i], run[i]);
  }

  // Across rows: the squared distance is the least of k * k + across * across of the pixel k rows away, where a pixel
  // of the other kind counts with k alone.
  const auto farthest = static_cast<std::int16_t>(reach_ * reach_);
  constexpr std::size_t border = kMostReach;
  std::array<std::int16_t, kLanes + 2 * border> inside, outside;
  inside.fill(farthest);
  outside.fill(farthest);
  for (int c = 0; c < columns + 2 * kTaps; ++c) {
    const int column = c + halo_ - kTaps;
    const Column set = spread(words_[column]);
    const Column& distance = across_[static_cast<std::size_t>(column)];
    for (std::size_t i = 0; i < kLanes; ++i) {
      const auto square = static_cast<std::int16_t>(distance[i] * distance[i]);
      inside[border + i] = static_cast<std::int16_t>(square & set[i]);
      outside[border + i] = static_cast<std::int16_t>(square & ~set[i]);
    }
    Column least_inside, least_outside;
    std::copy_n(&inside[border], kLanes, least_inside.begin());
    std::copy_n(&outside[border], kLanes, least_outside.begin());
    for (int k = 1; k < reach_; ++k) {
      const auto k2 = static_cast<std::int16_t>(k * k);
      const std::size_t above = border - static_cast<std::size_t>(k), below = border + static_cast<std::size_t>(k);
      for (std::size_t i = 0; i < kLanes; ++i) {
        const std::int16_t in = std::min(inside[above + i], inside[below + i]);
        const std::int16_t out = std::min(outside[above + i], outside[below + i]);
        least_inside[i] = std::min(least_inside[i], static_cast<std::int16_t>(in + k2));
        least_outside[i] = std::min(least_outside[i], static_cast<std::int16_t>(out + k2));
      }
    }
    // One of the two is 0.
    Column& field = field_[static_cast<std::size_t>(c)];
    for (std::size_t i = 0; i < kLanes; ++i)
      field[i] = root_[static_cast<std::size_t>(farthest + least_inside[i] - least_outside[i])];
  }

  const auto weighted = [](int a, int b, int c, int d, int e) {
    return static_cast<std::int16_t>((a + e + 4 * (b + d) + 6 * c + 8) >> 4);
  };
  for (int c = 0; c < columns + 2 * kTaps; ++c) {
    Column& field = field_[static_cast<std::size_t>(c)];
    const Column old = field;
    for (std::size_t i = kTaps; i < kLanes - kTaps; ++i)
      field[i] = weighted(old[i - 2], old[i - 1], old[i], old[i + 1], old[i + 2]);
  }
  for (std::size_t c = 0; c < static_cast<std::size_t>(columns); ++c)
    for (std::size_t i = 0; i < kLanes; ++i)
      smooth_[c][i] = weighted(field_[c][i], field_[c + 1][i], field_[c + 2][i], field_[c + 3][i], field_[c + 4][i]);
}

void MaskPainter::fill(Canvas& canvas, const PixelBox& tile, Color color) const {
  const Mix mix = mix_.back();
  std::array<std::uint16_t, 3 * kTileColumns> paint;
  for (std::size_t i = 0; i < paint.size(); i += 3) {
    paint[i] = static_cast<std::uint16_t>(color.r * mix.paint + 128);
    paint[i + 1] = static_cast<std::uint16_t>(color.g * mix.paint + 128);
    paint[i + 2] = static_cast<std::uint16_t>(color.b * mix.paint + 128);
  }
  const auto bytes = static_cast<std::size_t>(3 * tile.width);
  for (int y = 0; y < tile.height; ++y) {
    std::uint8_t* const row = canvas.pixel(tile.x, tile.y + y);
    for (std::size_t i = 0; i < bytes; ++i)
      row[i] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(row[i] * mix.keep + paint[i]) >> 8);
  }
}

void MaskPainter::blend(Canvas& canvas, const PixelBox& tile, Color color) const {
  const Mix* const mixes = &mix_[static_cast<std::size_t>(reach_ * kDistanceSteps)];
  for (int y = 0; y < tile.height; ++y) {
    std::uint8_t* pixel = canvas.pixel(tile.x, tile.y + y);
    const auto lane = static_cast<std::size_t>(y + halo_);
    for (std::size_t c = 0; c < static_cast<std::size_t>(tile.width); ++c, pixel += 3) {
      const Mix mix = mixes[smooth_[c][lane]];
      if (mix.keep == 256) continue;
      pixel[0] = static_cast<std::uint8_t>((pixel[0] * mix.keep + color.r * mix.paint + 128) >> 8);
      pixel[1] = static_cast<std::uint8_t>((pixel[1] * mix.keep + color.g * mix.paint + 128) >> 8);
      pixel[2] = static_cast<std::uint8_t>((pixel[2] * mix.keep + color.b * mix.paint + 128) >> 8);
    }
  }
}

}  // namespace maskrt::cli
