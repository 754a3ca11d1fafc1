// Parameters of the deformable convolutions' kernels of sm_90a. Read by host and device code.
#pragma once

#include "deform_params.h"
#include "kernels/cuda/tensor_map.h"

namespace maskrt::kernels {

struct DeformTmaParams {
  TensorMap weights;  // weights in tile mode: a tile's output channels by 64 elements of depth, 128-byte swizzle
  DeformParams deform;
};

}  // namespace maskrt::kernels
