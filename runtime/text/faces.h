// Fonts that are open: FreeType's faces, with HarfBuzz's view of each.
#pragma once

#include <ft2build.h>
#include FT_FREETYPE_H
#include <hb-ft.h>
#include <hb.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "font_search.h"

namespace maskrt::text {

class Face {
 public:
  explicit Face(FT_Face face) : face_(face), shaped_(hb_ft_font_create_referenced(face)) {}
  ~Face() {
    hb_font_destroy(shaped_);
    FT_Done_Face(face_);
  }
  Face(const Face&) = delete;
  Face& operator=(const Face&) = delete;

  bool has(char32_t code) const { return FT_Get_Char_Index(face_, code) != 0; }
  /// False where it has no such size.
  bool set_em(float pixels);
  FT_Face face() const { return face_; }
  hb_font_t* shaped() const { return shaped_; }

 private:
  FT_Face face_;
  hb_font_t* shaped_;
};

/// The program's own font, and those of the machine for what it lacks. Which font draws a character depends on the
/// character and on the fonts alone, not on what was drawn before. Belongs to one thread at a time.
class Faces {
 public:
  /// Throws std::runtime_error for a font that is none.
  explicit Faces(std::span<const std::uint8_t> own_font);
  ~Faces();
  Faces(const Faces&) = delete;
  Faces& operator=(const Faces&) = delete;

  /// Null where no font has it.
  Face* face_for(char32_t code);

 private:
  Face* opened(const FontFile& file);

  FT_Library library_ = nullptr;
  std::unique_ptr<Face> own_;
  std::unique_ptr<FontSearch> search_;  ///< made when it is first needed, for that takes long where fonts are many
  std::map<std::pair<std::string, long>, std::unique_ptr<Face>> opened_;  ///< null for those that cannot be used
  std::map<char32_t, Face*> by_character_;
};

}  // namespace maskrt::text
