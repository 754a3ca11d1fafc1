// Labels as they are drawn, whatever script their names are in.
#pragma once

#include <string>
#include <vector>

#include "font.h"

namespace maskrt::cli {

/// A line of `text`, UTF-8. The program's font draws what it has and what is written from left to right, one character
/// beside the other. All else is the work of libmaskrt_text.so, where it is there, with that font and the machine's.
/// What neither can draw is escaped: \u732b, beyond four digits \U0001f600. Bytes that are not UTF-8 become U+FFFD.
/// More than 200 characters are cut, and end in an ellipsis. `pixels` is the height of the program's font, from the
/// highest ascender to the lowest descender. Thread-safe.
TextLine text_line(const std::string& text, float pixels);

}  // namespace maskrt::cli
