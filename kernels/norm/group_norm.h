// Group normalisation.
#pragma once

#include <cstddef>

#include "kernels/activation.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out = activation((in - mean) / sqrt(variance + epsilon) * weight[c] + bias[c]), mean and variance being those of all
/// positions of an image and of the channels of c's group, which are C / groups consecutive ones; the variance is the
/// mean square distance from the mean. Where a group's numbers are all equal and epsilon is 0, or where one is infinite
/// or no number, what comes out for that group is no number.
/// in and out [B, H, W, C], fp32, bf16 or fp16, any blocking, each; out may alias in where their layouts are equal.
/// `groups` divides C. weight and bias [C]. Sums in double. Padding channels of out are not written. `slope` is the
/// negative slope of leaky ReLU.
void group_norm_ref(const Tensor& in, const float* weight, const float* bias, int groups, double epsilon,
                    Activation activation, const Tensor& out, float slope = 0);

/// As group_norm_ref. Each channel's mean and squares are summed in fp32 over tiles of 256 pixels at most, about the
/// tile's own mean, and put together in double, so that neither a mean far from 0 nor many pixels cost precision. Tiles
/// go over OpenMP threads and do not depend on their number, nor do the bits that come out. `scratch` has
/// group_norm_scratch_bytes() for as many threads as there are, aligned to 64 bytes.
/// Bound by memory: it reads `in` twice and writes `out` once.
void group_norm_cpu(const Tensor& in, const float* weight, const float* bias, int groups, double epsilon,
                    Activation activation, const Tensor& out, float slope, int threads, void* scratch);
std::size_t group_norm_scratch_bytes(const Tensor& in, int threads);

}  // namespace maskrt::kernels
