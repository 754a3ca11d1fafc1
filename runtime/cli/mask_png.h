// Masks as PNG files.
#pragma once

#include <cstddef>
#include <vector>

#include "maskrt/maskrt.hpp"

namespace maskrt::cli {

/// A grey PNG of 8 bits, 255 inside the mask and 0 outside. Made run by run: deflate with its fixed codes, in which a
/// run of up to 258 equal pixels takes 13 bits, so that time and size follow the mask's edge more than the picture.
std::vector<std::byte> encode_mask(const Mask& mask);

}  // namespace maskrt::cli
