// Python's string encodings, as far as pickles use them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace maskrt::weights::pickle {

/// A quoted Python 2 string literal ('a\x00b'), as opcode STRING holds it, to its bytes. Throws Error.
std::string unquote(std::string_view literal);

/// Python's "raw-unicode-escape" (Latin-1 with \uXXXX and \UXXXXXXXX), as opcode UNICODE holds it, to UTF-8. Throws
/// Error.
std::string utf8_from_raw_unicode_escape(std::string_view line);

std::string utf8_from_latin1(std::string_view latin1);

/// str.encode("latin1"). Throws Error on a character beyond U+00FF, and on malformed UTF-8.
std::vector<std::byte> latin1_from_utf8(std::string_view utf8);

}  // namespace maskrt::weights::pickle
