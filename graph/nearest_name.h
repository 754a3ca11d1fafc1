// Which of the known names somebody may have meant.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace maskrt {

/// How many letters have to be put in, taken out, replaced, or swapped with their neighbour to make one word of the
/// other
/// ("optimal string alignment": no letter is touched twice). Letters are bytes. Time and memory: the product of
/// lengths.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The first of the names at the least distance, if that is at most a third of the word's length, or 1; else "".
std::string nearest_name(std::string_view word, std::span<const std::string> names);

}  // namespace maskrt
