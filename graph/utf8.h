// Text from places that promise no encoding: file names, and files that users wrote.
#pragma once

#include <string>
#include <string_view>

namespace maskrt {

/// Whether the bytes are UTF-8: no stray bytes, no surrogates, nothing longer than it has to be.
bool is_utf8(std::string_view text);

/// The text with every byte that is no UTF-8 as "\xe9", so that it can stand in JSON and be told from others.
std::string with_escaped_bytes(std::string_view text);

}  // namespace maskrt
