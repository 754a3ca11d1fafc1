// Heat pictures: maps of numbers as colours, alone or over the picture that they belong to.
#pragma once

#include <cstddef>
#include <span>

#include "canvas.h"

namespace maskrt::cli {

/// From dark blue at 0 through cyan, green and yellow to dark red at 1. Equal steps look equally far apart. What lies
/// outside of 0 to 1 has the colour of the nearer end, NaN that of 0.
Color heat_color(float share);

/// Draws `heat` [box.height, box.width], row-major, into a box of the canvas; its largest number is 1 to heat_color(),
/// and all are 0 where none is positive. `picture`, of the box's size, lies below with half of the colour; null: heat
/// alone.
void draw_heat(Canvas& canvas, const PixelBox& box, std::span<const float> heat, const Canvas* picture);

/// Tiles of one size in rows, with `gap` pixels between.
struct Tiles {
  int width = 1, height = 1;  ///< of a tile
  std::size_t count = 1, columns = 1;
  int gap = 0;

  std::size_t rows() const { return (count + columns - 1) / columns; }
  /// A white canvas for all of them. Throws Error where a side would be longer than a JPEG file's may be.
  Canvas sheet() const;
  PixelBox box(std::size_t tile) const;
};

/// Tiles as far side by side as a JPEG file may be wide.
Tiles tiles_in_a_row(int width, int height, std::size_t count, int gap);

/// Tiles in as many columns as make the sheet's longer side shortest.
Tiles tiles_in_a_square(int width, int height, std::size_t count, int gap);

}  // namespace maskrt::cli
