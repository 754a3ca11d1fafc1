#include "font.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "utf8.h"

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
    ".byte 0\n"
    ".previous\n");
extern "C" const unsigned char maskrt_font_begin[] __attribute__((visibility("hidden")));

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

/// Calls place(code point, pen position in pixels) for each character; gives the pen's last position.
template <typename Place>
float for_each_glyph(const std::string& text, float scale, const Place& place) {
  float pen = 0;
  int previous = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t read = next_code_point(text, i);
    const int code = read == not_utf8 ? 0xfffd : static_cast<int>(read);
    if (previous != 0) pen += scale * static_cast<float>(stbtt_GetCodepointKernAdvance(&font(), previous, code));
    place(code, pen);
    int advance = 0, bearing = 0;
    stbtt_GetCodepointHMetrics(&font(), code, &advance, &bearing);
    pen += scale * static_cast<float>(advance);
    previous = code;
  }
  return pen;
}

}  // namespace

TextSize measure_text(const std::string& text, float pixels) {
  const float scale = stbtt_ScaleForPixelHeight(&font(), pixels);
  int ascent = 0, descent = 0, gap = 0;
  stbtt_GetFontVMetrics(&font(), &ascent, &descent, &gap);
  const float width = for_each_glyph(text, scale, [](int, float) {});
  return {width, scale * static_cast<float>(ascent), -scale * static_cast<float>(descent)};
}

void draw_text(Canvas& canvas, const std::string& text, float pixels, float x, float y, Color color) {
  const float scale = stbtt_ScaleForPixelHeight(&font(), pixels);
  const int baseline = static_cast<int>(std::lround(y));  // whole rows keep horizontal strokes sharp
  std::vector<std::uint8_t> glyph;
  for_each_glyph(text, scale, [&](int code, float pen) {
    const float left = x + pen, column = std::floor(left);
    int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    stbtt_GetCodepointBitmapBoxSubpixel(&font(), code, scale, scale, left - column, 0, &x0, &y0, &x1, &y1);
    const int width = x1 - x0, height = y1 - y0;
    if (width <= 0 || height <= 0) return;
    glyph.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0);
    stbtt_MakeCodepointBitmapSubpixel(&font(), glyph.data(), width, height, width, scale, scale, left - column, 0,
                                      code);
    for (int row = 0; row < height; ++row)
      for (int i = 0; i < width; ++i)
        canvas.blend(static_cast<int>(column) + x0 + i, baseline + y0 + row, color,
                     static_cast<float>(glyph[static_cast<std::size_t>(row * width + i)]) / 255.0f);
  });
}

}  // namespace maskrt::cli
