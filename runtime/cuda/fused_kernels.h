// Which fused operations the CUDA kernels compute.
#pragma once

#include "graph/fused_kernels.h"
#include "runtime/precision.h"

namespace maskrt::cuda {

/// The limits of the kernels that compute in this precision.
graph::FusedKernels fused_kernels(Precision precision);

}  // namespace maskrt::cuda
