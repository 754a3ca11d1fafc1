// Parameters of the kernels of average_pool.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

struct AveragePoolParams {
  Map in, out;
};

}  // namespace maskrt::kernels::cuda
