// What the convolutions of sm_90a tell the tensor memory accelerator.
#pragma once

#include "conv_cuda.h"
#include "conv_tma_params.h"

namespace maskrt::kernels {

/// Whether tensor copies in im2col mode can walk this input: their limits on strides, corners and tap offsets (CUDA
/// driver API, cuTensorMapEncodeIm2col); and steps of 64 channels never reach from one group into the next.
bool suits_tensor_copies(const CudaConvProblem& problem, const ConvWeightLayout& weights);

/// `params`, addresses filled in, with the maps of its input and its weights.
ConvTmaParams with_tensor_maps(const CudaConvPlan& plan, const ConvParams& params, CudaQueue& queue);

}  // namespace maskrt::kernels
