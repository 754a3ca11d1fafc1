// Parameters of the kernels of layout.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

/// Maps of equal shape: slices that hold only the channels to copy.
struct CopyParams {
  Map in, out;
};

/// A transposition between an NHWC map and planar fp32.
struct PlanarParams {
  Map map;
  float* planes;
  std::int64_t batch_stride, plane_stride;  ///< of `planes`, in elements
};

struct CoordinatesParams {
  Map out;
};

}  // namespace maskrt::kernels::cuda
