// The map that mask logits are resized to, bilinearly by a factor of 1 or 2. Read by host and device code.
#pragma once

#include "kernels/cuda/divisor.h"

namespace maskrt::kernels::cuda {

/// Position p of the map is interpolated between positions low and low + 1 of the logits, which repeat beyond the
/// edges.
/// Factor 2: low is floor((p - 1) / 2), and the weight of low + 1 is 1/4 where p is odd and 3/4 where it is even, as in
/// bilinear_tap of resize.h. Factor 1: low is p, and the weight of low + 1 is 0.
template <int Factor>
struct Upsampled {
  static_assert(Factor == 1 || Factor == 2);
  static MASKRT_HOST_DEVICE int low(int position) { return Factor == 2 ? (position - 1) >> 1 : position; }
  static MASKRT_HOST_DEVICE float weight(int position) {
    return Factor == 1 ? 0.0f : position % 2 != 0 ? 0.25f : 0.75f;
  }
  /// Logits beyond those of a tile that its positions read, on each side.
  static constexpr int kHalo = Factor - 1;
};

}  // namespace maskrt::kernels::cuda
