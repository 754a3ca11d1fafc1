// Instance activation maps (IAM): aggregation of features, weighted by activation maps, to one vector for each
// instance.
#pragma once

#include <cstddef>
#include <span>

#include "iam_weights.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out[b, p, m] = maps[b, p, m] / max(sum over positions of maps[b, :, m], epsilon). [B, h, w, M], fp32, any blocking
/// each.
void normalise_maps_ref(const Tensor& maps, double epsilon, const Tensor& out);
/// out = softmax of each map over its positions.
void softmax_maps_ref(const Tensor& maps, const Tensor& out);

/// out[b, m, c] = sum over positions of weights(maps)[b, p, m] * features[b, p, c].
/// maps: one tensor [B, h, w, M], or several whose maps are concatenated (the groups of a convolution); features
/// [B, h, w, C]; out a list [B, M, 1, C] with channels innermost. fp32. out must not alias an input.
void aggregate_ref(std::span<const Tensor> maps, const Tensor& features, MapWeights weights, double epsilon,
                   const Tensor& out);

/// As aggregate_ref; fast where maps and features are blocked by 16 or 8 channels. Blocks of maps are divided among
/// OpenMP threads; the result does not depend on their number.
/// Tiling: for each tile of 256 positions a thread computes the weights of one of its blocks of maps after the other
/// and adds the products with all features, which stay in L2; the register tile is 4 maps by 4 blocks of features.
/// Bound by multiply-adds.
void aggregate_cpu(std::span<const Tensor> maps, const Tensor& features, MapWeights weights, double epsilon,
                   const Tensor& out);

}  // namespace maskrt::kernels
