// Parameters of the kernels of elementwise.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

struct ActivateParams {
  Map in, out;
  std::int32_t activation;  ///< an Activation
  float slope;              ///< negative slope of leaky ReLU
};

struct AddParams {
  Map a, b, out;
};

struct ScaleShiftParams {
  Map in, out;
  const float* scale;
  const float* shift;
};

}  // namespace maskrt::kernels::cuda
