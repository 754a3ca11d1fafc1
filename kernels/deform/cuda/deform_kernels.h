// The kernels of deformable convolutions that the library carries.
#pragma once

#include <span>

#include "kernels/conv/cuda/conv_kernels.h"

namespace maskrt::kernels {

/// All kernels, in a fixed order: CudaDeformPlan::choice.kernel is an index into them. Those fed by TMA load their
/// weights so, take DeformTmaParams and are not persistent.
std::span<const ConvKernel> deform_kernels();

}  // namespace maskrt::kernels
