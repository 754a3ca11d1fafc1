// Where in a mask its label belongs.
#pragma once

#include "maskrt/maskrt.hpp"

namespace maskrt::cli {

struct Pixel {
  int x = 0, y = 0;
};

/// The mask's uppermost pixel straight above one that lies deep in its main part, without a gap between them, whatever
/// specks there are around that part. Depth is measured on a grid of at most some 50 x 50 pixels of the mask. `box` is
/// the mask's, which is not empty.
Pixel label_point(const Mask& mask, const PixelBox& box);

}  // namespace maskrt::cli
