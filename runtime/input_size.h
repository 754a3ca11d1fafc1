// From an image's size to the network's input size.
#pragma once

#include "graph/model_file.h"
#include "kernels/masks/instance.h"

namespace maskrt {

/// Width and height after detectron2's shortest-edge resize: the short side becomes min_size, unless the long one would
/// exceed max_size; both are rounded to nearest and never below 1. min_size 0: no resize.
struct ImageSize {
  int width = 0, height = 0;
};
ImageSize resized_size(ImageSize image, int min_size, int max_size);

/// The next multiple; 0 or 1: the size itself.
int padded_size(int size, int divisibility);

}  // namespace maskrt
