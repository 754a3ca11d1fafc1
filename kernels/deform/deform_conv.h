// Deformable convolution, plain and modulated.
#pragma once

#include "kernels/activation.h"
#include "kernels/conv/conv.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

struct DeformGeometry {
  ConvGeometry conv;
  int offset_groups = 1;   ///< equal parts of the input's channels that have offsets of their own
  bool modulated = false;  ///< each sample is multiplied by a sigmoid as well

  std::int64_t taps() const { return std::int64_t{conv.kernel_height} * conv.kernel_width; }
  std::int64_t offset_channels() const { return (modulated ? 3 : 2) * std::int64_t{offset_groups} * taps(); }
  bool operator==(const DeformGeometry&) const = default;
};

/// out = activation(conv(samples of in, weight) + bias), sampled and accumulated in double.
/// Tap t = ky * kernel_width + kx of output pixel (i, j) is sampled at (i * stride - padding + ky * dilation + dy,
/// j * stride - padding + kx * dilation + dx), bilinearly with zeros beyond the map. A point at or beyond one pixel
/// outside gives 0, whatever the map holds, as does one that is infinite or no number. Of T taps and D offset groups,
/// group d finds dy of tap t in channel 2 T d + 2 t of `offsets` and dx in the next one; where modulated, its sample is
/// multiplied by the sigmoid of channel 2 T D + T d + t.
/// in [B, H, W, I], offsets [B, H', W', offset_channels()], out [B, H', W', O]; fp32, bf16 or fp16, any blocking, each.
/// weight [O, I / groups, kh, kw]; bias [O] or null. out aliases nothing. Padding channels of out are not written.
/// `slope` is the negative slope of leaky ReLU.
void deform_conv_ref(const DeformGeometry& geometry, const Tensor& in, const Tensor& offsets, const float* weight,
                     const float* bias, Activation activation, const Tensor& out, float slope = 0);

}  // namespace maskrt::kernels
