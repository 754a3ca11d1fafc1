#include "faces.h"

#include <cmath>
#include <stdexcept>

namespace maskrt::text {

bool Face::set_em(float pixels) {
  if (FT_Set_Char_Size(face_, 0, std::lround(64 * pixels), 72, 72) != 0) return false;
  hb_ft_font_changed(shaped_);
  return true;
}

Faces::Faces(std::span<const std::uint8_t> own_font) {
  if (FT_Init_FreeType(&library_) != 0) throw std::runtime_error("FreeType cannot start");
  FT_Face face = nullptr;
  if (FT_New_Memory_Face(library_, own_font.data(), static_cast<FT_Long>(own_font.size()), 0, &face) != 0) {
    FT_Done_FreeType(library_);
    throw std::runtime_error("no font");
  }
  own_ = std::make_unique<Face>(face);
}

Faces::~Faces() {
  opened_.clear();
  own_.reset();
  FT_Done_FreeType(library_);
}

Face* Faces::face_for(char32_t code) {
  if (own_->has(code)) return own_.get();
  if (const auto known = by_character_.find(code); known != by_character_.end()) return known->second;
  if (search_ == nullptr) search_ = std::make_unique<FontSearch>();
  Face* found = nullptr;
  search_->find(code, [&](const FontFile& file) {
    Face* const face = opened(file);
    if (face == nullptr || !face->has(code)) return false;
    found = face;
    return true;
  });
  return by_character_[code] = found;
}

Face* Faces::opened(const FontFile& file) {
  const auto [place, is_new] = opened_.try_emplace({file.path, file.index});
  if (is_new) {
    FT_Face face = nullptr;
    if (FT_New_Face(library_, file.path.c_str(), file.index, &face) == 0) {
      if (FT_IS_SCALABLE(face) && !FT_HAS_COLOR(face))
        place->second = std::make_unique<Face>(face);
      else
        FT_Done_Face(face);
    }
  }
  return place->second.get();
}

}  // namespace maskrt::text
