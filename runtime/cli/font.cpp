#include "font.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "maskrt/types.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wsign-compare"
#define STBTT_STATIC
#define STB_TRUETYPE_IMPLEMENTATION
#include <stb/stb_truetype.h>
#pragma GCC diagnostic pop

// The file itself, put into the program by the assembler; CMakeLists.txt names it.
__asm__(
    ".section .rodata\n"
    ".balign 16\n"
    "maskrt_font_begin:\n"
    ".incbin \"" MASKRT_FONT_FILE
    "\"\n"
    "maskrt_font_end:\n"
    ".byte 0\n"
    ".previous\n");
extern "C" const unsigned char maskrt_font_begin[] __attribute__((visibility("hidden")));
extern "C" const unsigned char maskrt_font_end[] __attribute__((visibility("hidden")));

namespace maskrt::cli {
namespace {

const stbtt_fontinfo& font() {
  static const stbtt_fontinfo info = [] {
    stbtt_fontinfo loaded = {};
    if (stbtt_InitFont(&loaded, maskrt_font_begin, 0) == 0) throw Error("the font inside the program is damaged");
    return loaded;
  }();
  return info;
}

/// The character with the pen at `x` on the baseline.
text::Ink rasterised(int code, float scale, float x) {
  text::Ink glyph;
  const float column = std::floor(x);
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  stbtt_GetCodepointBitmapBoxSubpixel(&font(), code, scale, scale, x - column, 0, &x0, &y0, &x1, &y1);
  glyph.left = static_cast<int>(column) + x0;
  glyph.top = y0;
  glyph.columns = std::max(0, x1 - x0);
  glyph.rows = std::max(0, y1 - y0);
  glyph.coverage.resize(static_cast<std::size_t>(glyph.columns) * static_cast<std::size_t>(glyph.rows));
  if (!glyph.coverage.empty())
    stbtt_MakeCodepointBitmapSubpixel(&font(), glyph.coverage.data(), glyph.columns, glyph.rows, glyph.columns, scale,
                                      scale, x - column, 0, code);
  return glyph;
}

float scale_of(float pixels) { return stbtt_ScaleForPixelHeight(&font(), pixels); }

}  // namespace

std::span<const std::uint8_t> own_font() { return {maskrt_font_begin, maskrt_font_end}; }

bool own_font_has(char32_t code) { return stbtt_FindGlyphIndex(&font(), static_cast<int>(code)) != 0; }

float em_of(float pixels) { return scale_of(pixels) / stbtt_ScaleForMappingEmToPixels(&font(), 1); }

TextLine empty_line(float pixels) {
  int ascent = 0, descent = 0, gap = 0;
  stbtt_GetFontVMetrics(&font(), &ascent, &descent, &gap);
  TextLine line;
  line.ascent = scale_of(pixels) * static_cast<float>(ascent);
  line.descent = -scale_of(pixels) * static_cast<float>(descent);
  return line;
}

TextLine own_font_line(std::span<const char32_t> text, float pixels) {
  const float scale = scale_of(pixels);
  TextLine line = empty_line(pixels);
  std::vector<text::Ink> glyphs;
  int previous = 0;
  for (const char32_t character : text) {
    const int code = static_cast<int>(character);
    if (previous != 0) line.width += scale * static_cast<float>(stbtt_GetCodepointKernAdvance(&font(), previous, code));
    text::Ink glyph = rasterised(code, scale, line.width);
    if (!glyph.coverage.empty()) glyphs.push_back(std::move(glyph));
    int advance = 0, bearing = 0;
    stbtt_GetCodepointHMetrics(&font(), code, &advance, &bearing);
    line.width += scale * static_cast<float>(advance);
    previous = code;
  }
  line.ink = text::together(glyphs);
  return line;
}

void draw_text(Canvas& canvas, const TextLine& line, int x, int y, Color color) {
  const std::uint8_t* coverage = line.ink.coverage.data();
  for (int row = 0; row < line.ink.rows; ++row)
    for (int column = 0; column < line.ink.columns; ++column, ++coverage)
      canvas.blend(x + line.ink.left + column, y + line.ink.top + row, color, static_cast<float>(*coverage) / 255.0f);
}

}  // namespace maskrt::cli
