// Text drawn with the font that the program carries, DejaVu Sans.
#pragma once

#include <string>

#include "canvas.h"

namespace maskrt::cli {

/// Pixels that a line of text takes. `ascent` and `descent` are the font's, the same for every text.
struct TextSize {
  float width = 0, ascent = 0, descent = 0;
  float height() const { return ascent + descent; }
};

/// `text` is UTF-8; bytes that are not become the replacement character. `pixels` is the height of the font, from the
/// highest ascender to the lowest descender.
TextSize measure_text(const std::string& text, float pixels);

/// Draws with the pen starting at `x` on the baseline `y`.
void draw_text(Canvas& canvas, const std::string& text, float pixels, float x, float y, Color color);

}  // namespace maskrt::cli
