#include "utf8.h"

namespace maskrt::cli {

char32_t next_code_point(const std::string& text, std::size_t& i) {
  const auto lead = static_cast<unsigned char>(text[i++]);
  if (lead < 0x80) return lead;
  const std::size_t following = lead >= 0xf0 && lead < 0xf5   ? 3
                                : lead >= 0xe0 && lead < 0xf0 ? 2
                                : lead >= 0xc2 && lead < 0xe0 ? 1
                                                              : 0;
  if (following == 0) return not_utf8;
  char32_t code = lead & (0x3fu >> following);
  for (std::size_t k = 0; k < following; ++k) {
    if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return not_utf8;
    code = code << 6 | (static_cast<unsigned char>(text[i++]) & 0x3fu);
  }
  const char32_t least = following == 3 ? 0x10000 : following == 2 ? 0x800 : 0x80;
  if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return not_utf8;
  return code;
}

void append_utf8(std::string& text, char32_t code) {
  const auto put = [&text](char32_t byte) { text += static_cast<char>(byte); };
  const auto follow = [&](int shift) { put(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    follow(0);
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    follow(6);
    follow(0);
  } else {
    put(0xf0 | code >> 18);
    follow(12);
    follow(6);
    follow(0);
  }
}

}  // namespace maskrt::cli
