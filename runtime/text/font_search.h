// The fonts of this machine, as fontconfig knows them.
#pragma once

#include <fontconfig/fontconfig.h>

#include <memory>
#include <string>

namespace maskrt::text {

struct FontFile {
  std::string path;
  long index = 0;  ///< FreeType's face index in the file, including the instance of a variable font
};

/// The system's fonts, or those that MASKRT_FONTS names: files and folders with ":" between them; none where it is set
/// and empty. Belongs to one thread at a time.
class FontSearch {
 public:
  FontSearch();

  /// Fonts with outlines that have the character, from the one that suits best: the language of the environment and
  /// sans serif come first, in the system's order. Stops at the first for which `use(file)` is true.
  template <typename Use>
  bool find(char32_t code, const Use& use) const {
    for (int i = 0; fonts_ != nullptr && i < fonts_->nfont; ++i) {
      FontFile file;
      if (has(fonts_->fonts[i], code, file) && use(file)) return true;
    }
    return false;
  }

 private:
  struct Destroy {
    void operator()(FcConfig* config) const { FcConfigDestroy(config); }
    void operator()(FcFontSet* fonts) const { FcFontSetSortDestroy(fonts); }
  };

  static bool has(FcPattern* font, char32_t code, FontFile& file);

  std::unique_ptr<FcConfig, Destroy> config_;
  std::unique_ptr<FcFontSet, Destroy> fonts_;
};

}  // namespace maskrt::text
