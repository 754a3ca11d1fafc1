// UTF-8, and text from places that promise no encoding: file names, and files that users wrote.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace maskrt {

/// What next_code_point() gives for bytes that are not UTF-8; U+FFFD itself is another value.
constexpr char32_t kNotUtf8 = 0xffffffff;

/// The code point that starts at text[i], which is there, and i moved past it. Where that is not UTF-8 (overlong forms,
/// surrogates and values above U+10FFFF are not), i is moved past a byte that begins no character, or past a
/// character's bytes as far as they are there.
char32_t next_code_point(std::string_view text, std::size_t& i);

/// UTF-8 appended.
void append_utf8(std::string& text, char32_t code);

/// Whether the bytes are UTF-8: no stray bytes, no surrogates, nothing longer than it has to be.
bool is_utf8(std::string_view text);

/// The text with every byte that is no UTF-8 as "\xe9", so that it can stand in JSON and be told from others.
std::string with_escaped_bytes(std::string_view text);

}  // namespace maskrt
