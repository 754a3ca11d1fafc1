// Checks of the preconditions of preprocess.h.
#pragma once

#include <string>

#include "preprocess.h"

namespace maskrt::kernels {

/// Throws Error unless both pictures have pixels and the resized one fits into the output.
inline void check_preprocess(const Pixels& image, int width, int height, const Tensor& out) {
  if (image.data == nullptr || image.width < 1 || image.height < 1) {
    throw Error("preprocess: expected a picture of at least 1 x 1 pixels, found " + std::to_string(image.width) +
                " x " + std::to_string(image.height));
  }
  if (width < 1 || height < 1 || width > out.width || height > out.height || out.channels != 3) {
    throw Error("preprocess: expected " + std::to_string(width) + " x " + std::to_string(height) +
                " pixels of 3 channels to fit into the input, found " + std::to_string(out.width) + " x " +
                std::to_string(out.height) + " x " + std::to_string(out.channels));
  }
}

}  // namespace maskrt::kernels
