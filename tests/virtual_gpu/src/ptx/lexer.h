// PTX text to tokens. PTX ISA, 4.1 to 4.5: source format, comments, identifiers, constants.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace vgpu::ptx {

struct Token {
  enum class Kind : std::uint8_t {
    word,       ///< an identifier or register: [A-Za-z_$%] then [A-Za-z0-9_$]
    directive,  ///< a dot and what follows it, the text without the dot: "reg", "shared::cta", "2d"
    number,     ///< an integer or floating-point literal
    string,     ///< the text between double quotes
    symbol,     ///< one character of punctuation
    end,
  };
  Kind kind = Kind::end;
  std::string_view text;
  std::uint32_t line = 0;
  bool glued = false;  ///< no space before it
};

/// Throws Error on a character that PTX doesn't use or on an unterminated comment or string. The tokens view `text`.
std::vector<Token> tokenize(std::string_view text);

}  // namespace vgpu::ptx
