// From an image's size to the network's input size.
#pragma once

#include "graph/model_file.h"
#include "maskrt/maskrt.hpp"

namespace maskrt {

struct ImageSize {
  int width = 0, height = 0;
};

/// Width and height after detectron2's shortest-edge resize: the short side becomes min_size, unless the long one would
/// exceed max_size (0: no bound); both are rounded to nearest and never below 1. min_size 0: no resize. Throws Error
/// where a side without a bound would exceed 65536.
ImageSize resized_size(ImageSize image, int min_size, int max_size);

/// The next multiple; 0 or 1: the size itself.
int padded_size(int size, int divisibility);

InputSettings input_settings(const graph::Preprocessing& settings);

/// `settings` with what is asked for in their place. Throws Error that names an option out of range.
InputSettings with_resize(InputSettings settings, const ResizeOptions& resize);

}  // namespace maskrt
