// Resizing of feature maps.
#pragma once

#include <cmath>
#include <span>

#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out[b, y, x, c] = in[b, y / factor, x / factor, c]. out has factor times in's height and width. fp32, any blocking.
void upsample_nearest_ref(const Tensor& in, int factor, const Tensor& out);
void upsample_nearest_cpu(const Tensor& in, int factor, const Tensor& out);

/// out = sum of the inputs, each resized bilinearly to out's height and width (align_corners = false, no antialiasing,
/// source coordinate clamped at 0). fp32, any blocking each. out must not alias an input.
void resize_bilinear_sum_ref(std::span<const Tensor> inputs, const Tensor& out);
void resize_bilinear_sum_cpu(std::span<const Tensor> inputs, const Tensor& out);

/// out = in resized bilinearly with source step 1 / factor: out has floor(H * factor) rows and floor(W * factor)
/// columns.
/// fp32, any blocking each. The CPU's fast path reads blocked and writes planar (NCHW) tensors.
void resize_bilinear_factor_ref(const Tensor& in, double factor, const Tensor& out);
void resize_bilinear_factor_cpu(const Tensor& in, double factor, const Tensor& out);

/// The two source positions that a destination position is interpolated between, and the weight of the second.
struct BilinearTap {
  std::int64_t low = 0, high = 0;
  float weight = 0;
};

/// The tap of a destination position; `step` = source positions a destination position. The source coordinate
/// (position + 0.5) * step - 0.5 is computed in fp32, as PyTorch computes it.
inline BilinearTap bilinear_tap(std::int64_t position, std::int64_t size, float step) {
  const float at = std::fmax((static_cast<float>(position) + 0.5f) * step - 0.5f, 0.0f);
  const std::int64_t low = static_cast<std::int64_t>(at) < size - 1 ? static_cast<std::int64_t>(at) : size - 1;
  return {low, low < size - 1 ? low + 1 : low, at - static_cast<float>(low)};
}

}  // namespace maskrt::kernels
