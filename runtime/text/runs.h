// Text cut into pieces that are drawn from left to right, each with one font.
#pragma once

#include <hb.h>

#include <cstddef>
#include <span>
#include <vector>

#include "faces.h"

namespace maskrt::text {

struct Run {
  std::size_t begin = 0, end = 0;  ///< range of the text's code points
  Face* face = nullptr;
  hb_script_t script = HB_SCRIPT_COMMON;
  bool right_to_left = false;
};

/// True for marks, joiners and variation selectors, which change the character before them.
bool is_attached(char32_t code);
/// True for what is never seen by itself and so needs no font: joiners, marks of direction, variation selectors.
bool is_invisible(char32_t code);

/// In the order in which they stand on the line (Unicode's bidirectional algorithm; the direction of the whole is that
/// of its first letter). Characters that no font has are left out.
std::vector<Run> runs_of(std::span<const char32_t> text, Faces& faces);

}  // namespace maskrt::text
