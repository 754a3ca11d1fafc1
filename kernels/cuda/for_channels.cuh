// Thread mapping of the kernels that are launched with channel_grid().
#pragma once

#include "kernels/ptx/griddepcontrol.cuh"
#include "map.h"

namespace maskrt::kernels::cuda {

/// Calls f(image, position, first channel) for this thread's `each` channels of `out`, padding channels included;
/// position is y * width + x. Allows the dependent grid to start, and waits for the preceding one first (programmatic
/// dependent launch).
template <int each, typename F>
__device__ void for_channels(const Map& out, F&& f) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int c = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x) * each;
  const int position = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y);
  if (c < out.block && position < out.height * out.width) f(static_cast<int>(blockIdx.z), position, c);
}

}  // namespace maskrt::kernels::cuda
