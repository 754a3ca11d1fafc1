// Characters of text whose bytes may be anything.
#pragma once

#include <cstddef>
#include <string>

namespace maskrt::cli {

/// What next_code_point() gives for bytes that are not UTF-8; U+FFFD itself is another value.
constexpr char32_t not_utf8 = 0xffffffff;

/// The code point that starts at text[i], which is there, and i moved past it. Where that is not UTF-8 (overlong forms,
/// surrogates and values above U+10FFFF are not), i is moved past a byte that begins no character, or past a
/// character's bytes as far as they are there.
char32_t next_code_point(const std::string& text, std::size_t& i);

/// UTF-8 appended.
void append_utf8(std::string& text, char32_t code);

}  // namespace maskrt::cli
