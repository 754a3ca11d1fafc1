// Parameters of the kernels of average_windows.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

struct AverageWindowsParams {
  Map in, out;
  std::int32_t kernel, stride;
};

}  // namespace maskrt::kernels::cuda
