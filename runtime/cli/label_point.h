// Where in a mask its label belongs.
#pragma once

#include "canvas.h"
#include "maskrt/maskrt.hpp"

namespace maskrt::cli {

struct Pixel {
  int x = 0, y = 0;
};

/// A pixel of the mask deep in its main part, whatever specks there are around that part. Depth is measured on a grid
/// of at most some 50 x 50 pixels of the mask. `box` is the mask's, which is not empty.
Pixel deep_point(const Mask& mask, const PixelBox& box);

/// The mask's uppermost pixel straight above its deep_point(), without a gap between them.
Pixel label_point(const Mask& mask, const PixelBox& box);

}  // namespace maskrt::cli
