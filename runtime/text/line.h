// A line of text, shaped and drawn.
#pragma once

#include <span>

#include "faces.h"
#include "ink.h"

namespace maskrt::text {

struct Line {
  float width = 0;  ///< pixels that the pen moves by
  Ink ink;
};

/// Throws std::length_error for text that would be larger than a picture may be, std::bad_alloc.
Line draw_line(std::span<const char32_t> text, float em, Faces& faces);

}  // namespace maskrt::text
