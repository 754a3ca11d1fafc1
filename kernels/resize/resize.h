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

/// One map with source step 1 / factor: out has floor(n * factor) rows and columns. fp32, any blocking each.
/// The CPU's fast path is blocked in, planar out.
void resize_bilinear_factor_ref(const Tensor& in, double factor, const Tensor& out);
void resize_bilinear_factor_cpu(const Tensor& in, double factor, const Tensor& out);

/// Which two source positions a destination position lies between, and the weight of the second.
struct BilinearTap {
  std::int64_t low = 0, high = 0;
  float weight = 0;
};

/// `step` is source positions for each destination position. The coordinate is computed in fp32, as the networks that
/// were trained with it do.
inline BilinearTap bilinear_tap(std::int64_t position, std::int64_t size, float step) {
  const float at = std::fmax((static_cast<float>(position) + 0.5f) * step - 0.5f, 0.0f);
  const std::int64_t low = static_cast<std::int64_t>(at) < size - 1 ? static_cast<std::int64_t>(at) : size - 1;
  return {low, low < size - 1 ? low + 1 : low, at - static_cast<float>(low)};
}

}  // namespace maskrt::kernels
