// What callers bring, as a device takes it.
#pragma once

#include <span>
#include <vector>

#include "device.h"
#include "graph/model_file.h"
#include "input_size.h"
#include "maskrt/maskrt.hpp"

namespace maskrt {

/// Views of the pictures, of which the geometry holds the original sizes alone. Throws Error for a picture in device
/// memory without pixels, or whose rows overlap.
std::vector<ImageToProcess> images_to_process(std::span<const Image> images);
std::vector<ImageToProcess> images_to_process(std::span<const InputImage> images);

/// Sets the sizes that the images of a batch go through; gives that of the network's input, the same for all of them.
/// Throws Error as resized_size() does.
ImageSize fit(std::span<ImageToProcess> images, const InputSettings& settings);

kernels::Normalisation normalisation_of(const graph::Preprocessing& settings);

}  // namespace maskrt
