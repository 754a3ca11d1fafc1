// Launch geometry of the memory-bound NHWC kernels: each thread handles 16 bytes of neighbouring channels of one pixel.
#pragma once

#include "kernels/tensor.h"
#include "launch.h"

namespace maskrt::kernels::cuda {

/// block.x = threads along the channels of a pixel (a power of two, at most 32; each thread has 16 / size_of(type)
/// channels), block.y = positions; block.x * block.y = 256. grid.x = ceil(positions / block.y), grid.y = chunks of a
/// pixel's channels, grid.z = images. Neighbouring threads have neighbouring channels, so that a warp's accesses fill
/// whole 32-byte sectors. Example: 260 channels of f16 are 33 threads' worth, hence block = 32 x 8 and grid.y = 2, of
/// which the second chunk has one thread in 32 at work.
struct ChannelGrid {
  Dim3 grid, block;
};

/// Throws Error where the batch exceeds 65535 images, the limit of grid.z.
ChannelGrid channel_grid(DataType type, std::int64_t channels, std::int64_t positions, std::int64_t batch);

}  // namespace maskrt::kernels::cuda
