// Layer normalisation.
#pragma once

#include <cstddef>

#include "kernels/activation.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out = activation((in - mean) / sqrt(variance + epsilon) * weight[c] + bias[c]), mean and variance being those of the
/// C channels of one position; the variance is the mean square distance from the mean. Where all channels are equal and
/// epsilon is 0, or where one is infinite or no number, out is no number.
/// in and out [B, H, W, C], fp32, bf16 or fp16, any blocking, each; out may alias in where their layouts are equal.
/// weight and bias [C]. Sums in double. Padding channels of out are not written. `slope` is the negative slope of
/// leaky ReLU.
void layer_norm_ref(const Tensor& in, const float* weight, const float* bias, double epsilon, Activation activation,
                    const Tensor& out, float slope = 0);

/// As layer_norm_ref, with sums in fp32 over 16 partial sums. Splits pixels over OpenMP threads; `scratch` has
/// layer_norm_scratch_bytes() for as many threads as there are, aligned to 64 bytes.
void layer_norm_cpu(const Tensor& in, const float* weight, const float* bias, double epsilon, Activation activation,
                    const Tensor& out, float slope, int threads, void* scratch);
std::size_t layer_norm_scratch_bytes(const Tensor& in, int threads);

}  // namespace maskrt::kernels
