#include "font_search.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

namespace maskrt::text {
namespace {

const FcChar8* fc_text(const std::string& text) { return reinterpret_cast<const FcChar8*>(text.c_str()); }

/// The file itself, or all files in a folder and those below it, sorted.
std::vector<std::string> files_below(const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(name, error)) return {name};
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator entry(name, error); !error && entry != fs::recursive_directory_iterator();
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) files.push_back(entry->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

FcConfig* named_fonts(const std::string& names) {
  FcConfig* const config = FcConfigCreate();
  std::istringstream list(names);
  for (std::string name; config != nullptr && std::getline(list, name, ':');) {
    // File by file: for folders fontconfig wants a cache that it can write.
    for (const std::string& file : files_below(name)) FcConfigAppFontAddFile(config, fc_text(file));
  }
  return config;
}

}  // namespace

FontSearch::FontSearch() {
  const char* const names = std::getenv("MASKRT_FONTS");
  config_.reset(names != nullptr ? named_fonts(names) : FcInitLoadConfigAndFonts());
  FcPattern* const wanted = FcPatternCreate();
  if (config_ == nullptr || wanted == nullptr) return;
  FcPatternAddString(wanted, FC_FAMILY, fc_text("sans-serif"));
  FcPatternAddBool(wanted, FC_SCALABLE, FcTrue);
  FcConfigSubstitute(config_.get(), wanted, FcMatchPattern);
  FcDefaultSubstitute(wanted);
  FcResult result = FcResultMatch;
  fonts_.reset(FcFontSort(config_.get(), wanted, FcFalse, nullptr, &result));
  FcPatternDestroy(wanted);
}

bool FontSearch::has(FcPattern* font, char32_t code, FontFile& file) {
  FcCharSet* characters = nullptr;
  FcChar8* path = nullptr;
  FcBool outlines = FcFalse, colours = FcFalse, variable = FcFalse;
  int index = 0;
  if (FcPatternGetCharSet(font, FC_CHARSET, 0, &characters) != FcResultMatch || FcCharSetHasChar(characters, code) == 0)
    return false;
  if (FcPatternGetBool(font, FC_OUTLINE, 0, &outlines) != FcResultMatch || outlines == 0) return false;
  if (FcPatternGetBool(font, FC_COLOR, 0, &colours) == FcResultMatch && colours != 0) return false;
  if (FcPatternGetString(font, FC_FILE, 0, &path) != FcResultMatch) return false;
  FcPatternGetInteger(font, FC_INDEX, 0, &index);
  // A variable font without an instance chosen: its default, which the face's own index names.
  if (FcPatternGetBool(font, FC_VARIABLE, 0, &variable) == FcResultMatch && variable != 0) index &= 0xffff;
  file = {reinterpret_cast<const char*>(path), index};
  return true;
}

}  // namespace maskrt::text
