#include "text_line.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <span>
#include <string_view>

#include "graph/utf8.h"
#include "runtime/support/library_search.h"
#include "runtime/text/text_library.h"

namespace maskrt::cli {
namespace {

/// Null where it is not there, or MASKRT_TEXT is "none".
const MaskrtTextLibrary* text_library() {
  static const MaskrtTextLibrary* const library = []() -> const MaskrtTextLibrary* {
    const OptionalLibrary found = open_optional_library("libmaskrt_text.so", "MASKRT_TEXT", "maskrt_text_library");
    if (found.place.empty()) return nullptr;
    const auto open = reinterpret_cast<MaskrtTextLibraryOpen>(found.entry);
    const auto font = own_font();
    const auto* opened = open != nullptr ? open(MASKRT_TEXT_LIBRARY_VERSION, font.data(), font.size()) : nullptr;
    if (opened == nullptr)
      throw Error("expected a text library of interface version " + std::to_string(MASKRT_TEXT_LIBRARY_VERSION) +
                  ", found another in " + found.place);
    return opened;
  }();
  return library;
}

/// True for scripts that are written from left to right, with one glyph for each character: Latin, Greek, Cyrillic,
/// Armenian, Georgian, and signs.
bool is_plain(char32_t code) {
  const auto in = [code](char32_t first, char32_t last) { return code >= first && code <= last; };
  const bool signs = in(0x2010, 0x2027) || in(0x2030, 0x205e) || in(0x2070, 0x2bff) || code == 0xfffd;
  const bool letters = in(0x20, 0x58f) || in(0x10a0, 0x10ff) || in(0x1e00, 0x1fff) || in(0x2c60, 0x2c7f);
  return (signs || letters) && own_font_has(code);
}

void append_escape(std::vector<char32_t>& out, char32_t code) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), code < 0x10000 ? "\\u%04x" : "\\U%08x", static_cast<unsigned>(code));
  for (const char c : std::string_view(text.data())) out.push_back(static_cast<char32_t>(c));
}

std::vector<char32_t> code_points(const std::string& text) {
  constexpr std::size_t longest = 200;
  constexpr char32_t ellipsis = 0x2026, replacement = 0xfffd;
  std::vector<char32_t> codes;
  for (std::size_t i = 0; i < text.size();) {
    if (codes.size() == longest) {
      codes.push_back(ellipsis);
      break;
    }
    const char32_t code = next_code_point(text, i);
    codes.push_back(code == kNotUtf8 ? replacement : code);
  }
  return codes;
}

/// Escapes for all characters that are not plain, but for those marked as drawable.
std::vector<char32_t> escaped(const std::vector<char32_t>& codes, const std::vector<std::uint8_t>& drawable) {
  std::vector<char32_t> shown;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (is_plain(codes[i]) || (drawable[i] != 0 && codes[i] >= 0x20))
      shown.push_back(codes[i]);
    else
      append_escape(shown, codes[i]);
  }
  return shown;
}

/// The line as the library draws it; nullopt where it fails, as without memory.
std::optional<TextLine> drawn_by(const MaskrtTextLibrary& library, std::span<const char32_t> text, float pixels) {
  const std::vector<std::uint32_t> codes(text.begin(), text.end());
  MaskrtTextLine drawn{};
  if (library.draw(codes.data(), codes.size(), em_of(pixels), &drawn) == 0) return std::nullopt;
  TextLine line = empty_line(pixels);
  line.width = drawn.width;
  line.ink.left = drawn.left;
  line.ink.top = drawn.top;
  line.ink.columns = static_cast<int>(drawn.columns);
  line.ink.rows = static_cast<int>(drawn.rows);
  if (drawn.coverage != nullptr)
    line.ink.coverage.assign(drawn.coverage, drawn.coverage + std::size_t{drawn.columns} * drawn.rows);
  library.release(&drawn);
  return line;
}

}  // namespace

TextLine text_line(const std::string& text, float pixels) {
  const std::vector<char32_t> codes = code_points(text);
  std::vector<std::uint8_t> drawable(codes.size());
  const bool plain = std::all_of(codes.begin(), codes.end(), is_plain);
  if (const MaskrtTextLibrary* const library = plain ? nullptr : text_library(); library != nullptr) {
    const std::vector<std::uint32_t> asked(codes.begin(), codes.end());
    library->cover(asked.data(), asked.size(), drawable.data());
    const std::vector<char32_t> shown = escaped(codes, drawable);
    const bool by_own_font = std::all_of(shown.begin(), shown.end(), is_plain);
    if (const auto line = by_own_font ? std::nullopt : drawn_by(*library, shown, pixels)) return *line;
    drawable.assign(codes.size(), 0);
  }
  return own_font_line(escaped(codes, drawable), pixels);
}

}  // namespace maskrt::cli
