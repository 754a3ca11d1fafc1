// The map that mask logits are resized to, bilinearly by a factor of 1 or 2. Read by host and device code.
#pragma once

#include "kernels/cuda/divisor.h"

namespace maskrt::kernels::cuda {

/// Position p of the map lies between positions low and low + 1 of the logits; beyond the edges these repeat. By 2: low
/// is (p - 1) / 2 rounded down, the second weighs 1/4 where p is odd and 3/4 where it is even, as bilinear_tap of
/// resize.h finds. By 1: low is p and the second weighs nothing.
template <int Factor>
struct Upsampled {
  static_assert(Factor == 1 || Factor == 2);
  static MASKRT_HOST_DEVICE int low(int position) { return Factor == 2 ? (position - 1) >> 1 : position; }
  static MASKRT_HOST_DEVICE float weight(int position) {
    return Factor == 1 ? 0.0f : position % 2 != 0 ? 0.25f : 0.75f;
  }
  /// How far positions reach beyond the logits that they come from.
  static constexpr int halo = Factor - 1;
};

}  // namespace maskrt::kernels::cuda
