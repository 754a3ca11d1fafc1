// What glyphs cover of a picture's pixels, and how those of a line come together. Shared by the command, which draws
// its own font, and by libmaskrt_text.so.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

namespace maskrt::text {

/// A bitmap: columns right of the pen's start, rows below the baseline.
struct Ink {
  int left = 0, top = 0, columns = 0, rows = 0;
  std::vector<std::uint8_t> coverage;  ///< row-major, 255 for a whole pixel
};

/// All of them on one bitmap; where they overlap, coverage adds up. Throws std::length_error where the bitmap would be
/// larger than any picture is.
inline Ink together(std::span<const Ink> glyphs) {
  Ink all;
  if (glyphs.empty()) return all;
  int right = glyphs.front().left, bottom = glyphs.front().top;
  all.left = right;
  all.top = bottom;
  for (const Ink& glyph : glyphs) {
    all.left = std::min(all.left, glyph.left);
    all.top = std::min(all.top, glyph.top);
    right = std::max(right, glyph.left + glyph.columns);
    bottom = std::max(bottom, glyph.top + glyph.rows);
  }
  all.columns = right - all.left;
  all.rows = bottom - all.top;
  constexpr int most_columns = 1 << 20, most_rows = 1 << 12;
  if (all.columns > most_columns || all.rows > most_rows) throw std::length_error("text of an impossible size");
  all.coverage.resize(static_cast<std::size_t>(all.columns) * static_cast<std::size_t>(all.rows));
  for (const Ink& glyph : glyphs) {
    const std::uint8_t* ink = glyph.coverage.data();
    for (int y = glyph.top - all.top; y < glyph.top - all.top + glyph.rows; ++y) {
      std::uint8_t* pixel = all.coverage.data() + std::ptrdiff_t{y} * all.columns + (glyph.left - all.left);
      for (int x = 0; x < glyph.columns; ++x, ++pixel, ++ink)
        *pixel = static_cast<std::uint8_t>(std::min(255, *pixel + *ink));
    }
  }
  return all;
}

}  // namespace maskrt::text
