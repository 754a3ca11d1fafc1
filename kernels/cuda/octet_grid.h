// Grids for kernels whose threads take eight channels of one pixel each.
#pragma once

#include "launch.h"

namespace maskrt::kernels::cuda {

/// Blocks of `block.x` octets by `block.y` positions; the grid is positions, octets, images. Threads of one pixel are
/// neighbours, so that a warp's accesses are whole sectors.
struct OctetGrid {
  Dim3 grid, block;
};

/// Throws Error where there are more images than a grid holds.
OctetGrid octet_grid(std::int64_t channels, std::int64_t positions, std::int64_t batch, std::uint32_t threads = 256);

}  // namespace maskrt::kernels::cuda
