#include "runs.h"

#include <fribidi.h>

#include <algorithm>

namespace maskrt::text {
namespace {

std::vector<FriBidiLevel> levels_of(std::span<const char32_t> text) {
  std::vector<FriBidiChar> codes(text.begin(), text.end());
  const auto size = static_cast<FriBidiStrIndex>(codes.size());
  std::vector<FriBidiCharType> types(codes.size());
  std::vector<FriBidiBracketType> brackets(codes.size());
  std::vector<FriBidiLevel> levels(codes.size());
  fribidi_get_bidi_types(codes.data(), size, types.data());
  fribidi_get_bracket_types(codes.data(), size, types.data(), brackets.data());
  FriBidiParType direction = FRIBIDI_PAR_ON;
  if (fribidi_get_par_embedding_levels_ex(types.data(), brackets.data(), size, &direction, levels.data()) == 0)
    std::fill(levels.begin(), levels.end(), FriBidiLevel{0});
  return levels;
}

/// Spaces, digits and punctuation go with the script of the letter before them, at the start with the one after them.
std::vector<hb_script_t> scripts_of(std::span<const char32_t> text) {
  hb_unicode_funcs_t* const unicode = hb_unicode_funcs_get_default();
  std::vector<hb_script_t> scripts;
  for (const char32_t code : text) {
    const hb_script_t script = hb_unicode_script(unicode, code);
    const bool of_no_script =
        script == HB_SCRIPT_COMMON || script == HB_SCRIPT_INHERITED || script == HB_SCRIPT_UNKNOWN;
    scripts.push_back(!of_no_script ? script : scripts.empty() ? HB_SCRIPT_COMMON : scripts.back());
  }
  const auto first = std::find_if(scripts.begin(), scripts.end(), [](hb_script_t s) { return s != HB_SCRIPT_COMMON; });
  if (first != scripts.end()) std::fill(scripts.begin(), first, *first);
  return scripts;
}

/// A character that changes the one before it keeps its font, where that has it.
std::vector<Face*> faces_of(std::span<const char32_t> text, Faces& faces) {
  std::vector<Face*> chosen;
  for (const char32_t code : text) {
    Face* const before = chosen.empty() ? nullptr : chosen.back();
    const bool stays = before != nullptr && (is_invisible(code) || (is_attached(code) && before->has(code)));
    chosen.push_back(stays ? before : faces.face_for(code));
  }
  return chosen;
}

}  // namespace

bool is_attached(char32_t code) {
  switch (hb_unicode_general_category(hb_unicode_funcs_get_default(), code)) {
    case HB_UNICODE_GENERAL_CATEGORY_NON_SPACING_MARK:
    case HB_UNICODE_GENERAL_CATEGORY_SPACING_MARK:
    case HB_UNICODE_GENERAL_CATEGORY_ENCLOSING_MARK:
      return true;
    default:
      return is_invisible(code);
  }
}

bool is_invisible(char32_t code) {
  const auto in = [code](char32_t first, char32_t last) { return code >= first && code <= last; };
  return in(0x200b, 0x200f) || in(0x202a, 0x202e) || in(0x2060, 0x206f) || in(0xfe00, 0xfe0f) || code == 0xfeff ||
         code == 0x61c || code == 0xad || in(0xe0100, 0xe01ef);
}

std::vector<Run> runs_of(std::span<const char32_t> text, Faces& faces) {
  const std::vector<FriBidiLevel> levels = levels_of(text);
  const std::vector<hb_script_t> scripts = scripts_of(text);
  const std::vector<Face*> chosen = faces_of(text, faces);
  std::vector<Run> runs;
  std::vector<FriBidiLevel> run_levels;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool goes_on =
        i > 0 && levels[i] == levels[i - 1] && scripts[i] == scripts[i - 1] && chosen[i] == chosen[i - 1];
    if (!goes_on) {
      runs.push_back({i, i, chosen[i], scripts[i], levels[i] % 2 != 0});
      run_levels.push_back(levels[i]);
    }
    runs.back().end = i + 1;
  }
  // Rule L2: from the highest level to the lowest odd one, what has that level or a higher one is reversed.
  const int highest = run_levels.empty() ? 0 : *std::max_element(run_levels.begin(), run_levels.end());
  for (int level = highest; level > 0; --level) {
    for (std::size_t i = 0; i < runs.size();) {
      std::size_t end = i;
      while (end < runs.size() && run_levels[end] >= level) ++end;
      const auto at = [](std::size_t k) { return static_cast<std::ptrdiff_t>(k); };
      std::reverse(runs.begin() + at(i), runs.begin() + at(end));
      std::reverse(run_levels.begin() + at(i), run_levels.begin() + at(end));
      i = std::max(end, i + 1);
    }
  }
  std::erase_if(runs, [](const Run& run) { return run.face == nullptr; });
  return runs;
}

}  // namespace maskrt::text
