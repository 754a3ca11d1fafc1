// The font that the program carries, DejaVu Sans, and lines of text in it.
#pragma once

#include <cstdint>
#include <span>

#include "canvas.h"
#include "runtime/text/ink.h"

namespace maskrt::cli {

/// A line of text, drawn as shares of pixels that ink covers.
struct TextLine {
  float width = 0;                ///< pixels that the pen moves by
  float ascent = 0, descent = 0;  ///< of the program's font above and below the baseline, the same for every text
  text::Ink ink;

  float height() const { return ascent + descent; }
};

/// The font's file.
std::span<const std::uint8_t> own_font();

/// True where the font has a glyph for the character.
bool own_font_has(char32_t code);

/// Pixels of the em square of a font that is `pixels` high from the highest ascender to the lowest descender.
float em_of(float pixels);

/// A line without ink: the font's ascent and descent.
TextLine empty_line(float pixels);

/// Characters one after the other from left to right, kerned: for scripts in which that is right.
TextLine own_font_line(std::span<const char32_t> text, float pixels);

/// Draws with the pen starting at `x` on the baseline `y`.
void draw_text(Canvas& canvas, const TextLine& line, int x, int y, Color color);

}  // namespace maskrt::cli
