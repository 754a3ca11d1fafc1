// Parameters of the kernels of layout.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

/// in and out: the channels that are copied, alone.
struct CopyParams {
  Map in, out;
};

/// Between an NHWC map and planes of fp32.
struct PlanarParams {
  Map map;
  float* planes;
  std::int64_t batch_stride, plane_stride;  ///< of the planes, in elements
};

struct CoordinatesParams {
  Map out;
};

}  // namespace maskrt::kernels::cuda
