// TMA tensor maps of the convolutions of sm_90a.
#pragma once

#include "conv_cuda.h"
#include "conv_tma_params.h"

namespace maskrt::kernels {

/// Whether TMA in im2col mode can load this input: strides, corners and tap offsets are within its limits (CUDA driver
/// API, cuTensorMapEncodeIm2col), and steps of 64 channels never cross from one group into the next.
bool suits_tma(const CudaConvProblem& problem, const ConvWeightLayout& weights);

/// The parameters of a launch: `params`, whose addresses are filled in, and the tensor maps of input and weights.
ConvTmaParams with_tensor_maps(const CudaConvPlan& plan, const ConvParams& params, CudaQueue& queue);

}  // namespace maskrt::kernels
