// Parameters of the kernels of max_pool.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

struct MaxPoolParams {
  Map in, out;
  std::int32_t kernel, stride, padding;
};

}  // namespace maskrt::kernels::cuda
