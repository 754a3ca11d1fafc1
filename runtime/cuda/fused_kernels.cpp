#include "fused_kernels.h"

#include "kernels/linear/linear_params.h"
#include "kernels/ppm/ppm_params.h"
#include "kernels/stem/stem_pool_params.h"

namespace maskrt::cuda {

graph::FusedKernels fused_kernels(Precision precision) {
  graph::FusedKernels kernels;
  if (precision == Precision::fp16) {  // the stem's kernel has no other
    kernels.stem_side = kernels::cuda::kStemTaps;
    kernels.stem_channels = kernels::cuda::kStemPixelChannels;
    kernels.pooled_conv = true;  // in fp32 sampling costs more than a map and a launch
    kernels.logits_bias = true;  // fp32 stores the sums as exactly
  }
  kernels.pyramid_branches = kernels::cuda::PyramidParams::kMostBranches;
  kernels.linear_heads = kernels::cuda::LinearParams::kMostHeads;
  kernels.residual_scale = 2;  // ConvResidual::upsampled
  return kernels;
}

}  // namespace maskrt::cuda
