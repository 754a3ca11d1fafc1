// A line of text, shaped and drawn.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "faces.h"

namespace maskrt::text {

struct Line {
  float width = 0;            ///< pixels that the pen moves by
  int left = 0, top = 0;      ///< of the bitmap: columns right of the pen's start, rows below the baseline
  int columns = 0, rows = 0;  ///< of the bitmap
  std::vector<std::uint8_t> coverage;
};

/// Throws std::runtime_error for text that would be larger than a picture may be, std::bad_alloc.
Line draw_line(std::span<const char32_t> text, float em, Faces& faces);

}  // namespace maskrt::text
