// Pillow's fixed-point coefficients for one axis of a resize.
#pragma once

#include <cstdint>
#include <vector>

namespace maskrt::kernels {

/// Output i is (half + sum over k < count[i] of in[first[i] + k] * weights[i * most + k]) >> bits.
struct PillowTaps {
  static constexpr int kBits = 22;
  static constexpr std::int32_t kHalf = 1 << (kBits - 1);

  int most = 0;  ///< row pitch of `weights`: the most taps that an output can have
  std::vector<int> first, count;
  std::vector<std::int32_t> weights;
};

/// The coefficients of the BILINEAR filter from `in` to `out` pixels, both at least 1: a triangle as wide as two output
/// pixels where the axis shrinks, two input pixels where it grows. Computed in double in Pillow's order of operations,
/// then rounded.
PillowTaps pillow_taps(int in, int out);

}  // namespace maskrt::kernels
