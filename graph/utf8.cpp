#include "utf8.h"

namespace maskrt {

char32_t next_code_point(std::string_view text, std::size_t& i) {
  const auto lead = static_cast<unsigned char>(text[i++]);
  if (lead < 0x80) return lead;
  const std::size_t following = lead >= 0xf0 && lead < 0xf5   ? 3
                                : lead >= 0xe0 && lead < 0xf0 ? 2
                                : lead >= 0xc2 && lead < 0xe0 ? 1
                                                              : 0;
  if (following == 0) return kNotUtf8;
  char32_t code = lead & (0x3fu >> following);
  for (std::size_t k = 0; k < following; ++k) {
    if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return kNotUtf8;
    code = code << 6 | (static_cast<unsigned char>(text[i++]) & 0x3fu);
  }
  const char32_t least = following == 3 ? 0x10000 : following == 2 ? 0x800 : 0x80;
  if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return kNotUtf8;
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

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();)
    if (next_code_point(text, i) == kNotUtf8) return false;
  return true;
}

std::string with_escaped_bytes(std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t start = i;
    if (next_code_point(text, i) != kNotUtf8) {
      out += text.substr(start, i - start);
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[start]);
    out += {'\\', 'x', digits[byte >> 4], digits[byte & 15u]};
    i = start + 1;
  }
  return out;
}

}  // namespace maskrt
