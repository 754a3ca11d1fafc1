#include "line.h"

#include FT_OUTLINE_H

#include <cmath>
#include <memory>

#include "runs.h"

namespace maskrt::text {
namespace {

/// The glyph with its origin at x, y in 1/64 of a pixel, y downwards. Empty for those without an outline and for broken
/// ones, whose size no letter has.
Ink rasterised(Face& face, hb_codepoint_t number, FT_Pos x, FT_Pos y, float em) {
  Ink glyph;
  FT_GlyphSlot slot = face.face()->glyph;
  if (FT_Load_Glyph(face.face(), number, FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP) != 0) return glyph;
  if (slot->format != FT_GLYPH_FORMAT_OUTLINE) return glyph;
  FT_BBox box;
  FT_Outline_Get_CBox(&slot->outline, &box);
  const auto largest = static_cast<FT_Pos>(64 * 8 * em);
  if (box.xMin < -largest || box.yMin < -largest || box.xMax > largest || box.yMax > largest) return glyph;
  FT_Outline_Translate(&slot->outline, x & 63, -(y & 63));
  if (FT_Render_Glyph(slot, FT_RENDER_MODE_NORMAL) != 0) return glyph;
  const FT_Bitmap& bitmap = slot->bitmap;
  if (bitmap.pixel_mode != FT_PIXEL_MODE_GRAY || bitmap.pitch < 0) return glyph;
  glyph.left = static_cast<int>(x >> 6) + slot->bitmap_left;
  glyph.top = static_cast<int>(y >> 6) - slot->bitmap_top;
  glyph.columns = static_cast<int>(bitmap.width);
  glyph.rows = static_cast<int>(bitmap.rows);
  for (unsigned row = 0; row < bitmap.rows; ++row) {
    const unsigned char* const start =
        bitmap.buffer + static_cast<std::size_t>(row) * static_cast<unsigned>(bitmap.pitch);
    glyph.coverage.insert(glyph.coverage.end(), start, start + bitmap.width);
  }
  return glyph;
}

}  // namespace

Line draw_line(std::span<const char32_t> text, float em, Faces& faces) {
  const std::unique_ptr<hb_buffer_t, void (*)(hb_buffer_t*)> buffer(hb_buffer_create(), hb_buffer_destroy);
  std::vector<Ink> glyphs;
  FT_Pos pen = 0;
  for (const Run& run : runs_of(text, faces)) {
    if (!run.face->set_em(em)) continue;
    hb_buffer_reset(buffer.get());
    hb_buffer_add_utf32(buffer.get(), reinterpret_cast<const std::uint32_t*>(text.data()),
                        static_cast<int>(text.size()), static_cast<unsigned>(run.begin),
                        static_cast<int>(run.end - run.begin));
    hb_buffer_set_direction(buffer.get(), run.right_to_left ? HB_DIRECTION_RTL : HB_DIRECTION_LTR);
    hb_buffer_set_script(buffer.get(), run.script);
    hb_buffer_set_language(buffer.get(), hb_language_get_default());
    hb_shape(run.face->shaped(), buffer.get(), nullptr, 0);
    unsigned count = 0;
    const hb_glyph_info_t* const infos = hb_buffer_get_glyph_infos(buffer.get(), &count);
    const hb_glyph_position_t* const positions = hb_buffer_get_glyph_positions(buffer.get(), &count);
    for (unsigned i = 0; i < count; ++i) {
      Ink glyph = rasterised(*run.face, infos[i].codepoint, pen + positions[i].x_offset, -positions[i].y_offset, em);
      if (!glyph.coverage.empty()) glyphs.push_back(std::move(glyph));
      pen += positions[i].x_advance;
    }
  }
  return {static_cast<float>(pen) / 64, together(glyphs)};
}

}  // namespace maskrt::text
