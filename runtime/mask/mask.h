// What a public Mask holds, and the outlines made from it.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/postprocess/postprocess.h"
#include "maskrt/maskrt.hpp"

namespace maskrt {

struct Mask::Data {
  kernels::MaskBits bits;
  std::int64_t area = 0;  ///< the number of bits set
};

/// Closed outlines along pixel edges, corners only. Pixels that touch at a corner alone are apart. Outer outlines run
/// clockwise as seen (y down), holes the other way. A function of the bits; thread-safe.
std::vector<std::vector<Point>> outlines(const kernels::MaskBits& bits);

}  // namespace maskrt
