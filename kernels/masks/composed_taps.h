// Composition of two bilinear resizes with a crop between them to one linear map along one axis.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace maskrt::kernels {

/// Output i is the sum over k < used of in[index[k][i]] * weight[k][i]. The weights of an output add up to 1; taps that
/// an output does not need have weight 0 and a valid index.
struct ComposedTaps {
  static constexpr int kMost = 4;  // two positions of the second resize, two of the first for each

  int used = 0;  ///< the most taps that any output needs
  std::array<std::vector<std::int32_t>, kMost> index;
  std::array<std::vector<float>, kMost> weight;
};

/// The taps of `map` positions resized to `padded`, cropped to the first `resized` and resized to `original`, all at
/// least 1. Each array has `room` >= original entries; those from `original` on have weight 0.
ComposedTaps compose_taps(int map, int padded, int resized, int original, std::size_t room);

}  // namespace maskrt::kernels
