// Instance activation maps on a CUDA device. The formulas are in iam.h.
#pragma once

#include <cstddef>

#include "iam.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// Where maps lie that a convolution of several groups made: those of a group side by side, the next group's `stride`
/// channels after this one's. Between them are numbers that nobody uses.
struct MapGroups {
  std::int64_t maps = 0;    ///< of one group; 0: all maps lie side by side
  std::int64_t stride = 0;  ///< at least `maps`
};

/// Bytes of workspace that aggregate_cuda needs for these shapes on that chip (the tensors' data is not looked at).
std::size_t aggregate_workspace_bytes(const Chip& chip, const Tensor& maps, const Tensor& features, MapWeights weights,
                                      const MapGroups& groups = {});

/// out[b, m, c] = sum over positions of weights(maps)[b, p, m] * features[b, p, c].
/// maps [B, h, w, M], features [B, h, w, C]: NHWC, one type, fp32 or fp16; out a list [B, M, 1, C], fp32, channels
/// innermost, maps in their order. Of maps in groups, maps.block has them all with what is between. fp16: weights are
/// rounded to fp16 (times 2^14, so that small ones keep their digits) and multiplied on tensor cores, accumulated in
/// fp32; the normaliser is the sum of the same rounded weights. Positions are split into stretches whose sums are added
/// in a fixed order. workspace: aligned to 256 bytes; out must not alias an input. Two launches, softmax three. Bound
/// by the second-level cache at batch 1, by multiply-adds beyond.
void aggregate_cuda(CudaQueue& queue, const Tensor& maps, const Tensor& features, MapWeights weights, double epsilon,
                    void* workspace, const Tensor& out, const MapGroups& groups = {});

/// Bytes of workspace of the next two.
std::size_t normalise_maps_workspace_bytes(const Chip& chip, const Tensor& maps);

/// out = maps divided by max(their sum over positions, epsilon), map by map. [B, h, w, M], NHWC, one type, fp32 or
/// fp16; computed in fp32, summed in a fixed order. out may be maps; its padding channels are written as zeros.
/// workspace: aligned to 16 bytes. Two launches; bound by memory.
void normalise_maps_cuda(CudaQueue& queue, const Tensor& maps, double epsilon, void* workspace, const Tensor& out);

/// out = softmax of each map over its positions. As normalise_maps_cuda.
void softmax_maps_cuda(CudaQueue& queue, const Tensor& maps, void* workspace, const Tensor& out);

}  // namespace maskrt::kernels
