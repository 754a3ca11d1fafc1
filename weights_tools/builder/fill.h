// What a generator writes into the tensors of a network that nobody trained. Builders say it where they ask for a
// tensor.
#pragma once

#include <numbers>

#include "maskrt/types.hpp"

namespace maskrt::weights {

/// How random numbers of one tensor are drawn.
struct Fill {
  /// Not 0: a tensor [out, in, ...] of weights that makes the mean square of a layer's outputs gain * gain times that
  /// of its inputs, on average. Uniform in +-gain * sqrt(3 / fan-in), the fan-in being the product of all extents but
  /// the first.
  double gain = 0;
  /// Without a gain: uniform in offset +- scale.
  double offset = 0, scale = 0;
};

/// Bounds of a uniform distribution: offset +- scale.
struct UniformRange {
  float offset = 0, scale = 0;
};

/// The range that `fill` means for a tensor of that shape.
UniformRange range_of(const Fill& fill, const Shape& shape);

/// A layer's two tensors.
struct LayerFills {
  Fill weight = {.gain = 1}, bias = {.scale = 0.2};
};

/// Of the scales in the norm that ends a residual block. Each block adds a little to what passes through it: less where
/// there are more blocks, so that activations stay near 1 at every depth.
Fill last_norm_fill(int blocks);

/// Of a layer between ReLUs, each of which halves the mean square (He et al., 2015).
inline constexpr LayerFills kReluFills = {.weight = {.gain = std::numbers::sqrt2}};

}  // namespace maskrt::weights
