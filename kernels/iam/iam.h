// Instance activation maps: from maps and features to one vector for each instance.
#pragma once

#include <cstddef>
#include <span>

#include "iam_weights.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out = maps divided by max(their sum over positions, epsilon), map by map. [B, h, w, M], fp32, any blocking each.
void normalise_maps_ref(const Tensor& maps, double epsilon, const Tensor& out);
/// out = softmax of each map over its positions.
void softmax_maps_ref(const Tensor& maps, const Tensor& out);

/// out[b, m, c] = sum over positions of weights(maps)[b, p, m] * features[b, p, c].
/// maps: one tensor [B, h, w, M], or several that stand side by side (the groups of a convolution); features
/// [B, h, w, C]; out a list [B, M, 1, C] with channels innermost. fp32. out must not alias an input.
void aggregate_ref(std::span<const Tensor> maps, const Tensor& features, MapWeights weights, double epsilon,
                   const Tensor& out);

/// As aggregate_ref; fast where maps and features come in blocks of 16 or 8. Splits blocks of maps over OpenMP threads;
/// the result does not depend on their number.
/// Stretch by stretch of positions, each thread weighs one of its blocks of maps after another and adds the products
/// with all features (which stay in the second-level cache), 4 maps by 4 blocks of features in registers. Bound by
/// multiply-adds.
void aggregate_cpu(std::span<const Tensor> maps, const Tensor& features, MapWeights weights, double epsilon,
                   const Tensor& out);

}  // namespace maskrt::kernels
