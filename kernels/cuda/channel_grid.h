// Grids for kernels whose threads take neighbouring channels of one pixel each.
#pragma once

#include "kernels/tensor.h"
#include "launch.h"

namespace maskrt::kernels::cuda {

/// A thread takes as many channels as 16 bytes of `type` hold. Blocks of `block.x` such threads by `block.y` positions;
/// the grid is positions, parts of a pixel's channels, images. Threads of one pixel are neighbours, so that a warp's
/// accesses are whole sectors.
struct ChannelGrid {
  Dim3 grid, block;
};

/// Throws Error where there are more images than a grid holds.
ChannelGrid channel_grid(DataType type, std::int64_t channels, std::int64_t positions, std::int64_t batch);

}  // namespace maskrt::kernels::cuda
