// Instance activation maps on a CUDA device. The formulas are in iam.h.
#pragma once

#include <cstddef>

#include "iam.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// Layout of maps that a grouped convolution has written with padded groups (CudaConvProblem::out_group_stride): the
/// maps of a group are consecutive channels, and groups start `stride` channels apart. The channels between are
/// ignored.
struct MapGroups {
  std::int64_t maps = 0;    ///< maps of one group; 0: all maps are consecutive
  std::int64_t stride = 0;  ///< channels from one group to the next, at least `maps`
};

/// Bytes of workspace that aggregate_cuda needs for these shapes on that chip. The tensors' data is ignored.
std::size_t aggregate_workspace_bytes(const Chip& chip, const Tensor& maps, const Tensor& features, MapWeights weights,
                                      const MapGroups& groups = {});

/// out[b, m, c] = sum over positions of weights(maps)[b, p, m] * features[b, p, c].
/// maps [B, h, w, M], features [B, h, w, C], NHWC; out a list [B, M, 1, C], channels innermost, rows in the order of
/// maps.
/// bias: [M] on the device, or null. Sigmoid: it is added to the logits, which in fp16 are exact to more places without
/// theirs. Softmax over positions takes no notice of it; plain weights have none.
/// With padded groups maps.block covers all groups and the channels between.
/// maps and features of one type, fp32 or fp16; out fp32. fp16: weights are rounded to fp16 (times 2^14, so that small
/// ones are not subnormal) and multiplied on tensor cores with fp32 accumulators; the normaliser is the sum of the same
/// rounded weights. Split-K over positions, reduced in a fixed order.
/// Any alignment of elements; 16-byte accesses where base addresses and strides are multiples of 16 bytes and blocks of
/// whole octets. out must not alias an input. workspace: aggregate_workspace_bytes, aligned to 256 bytes. Padding
/// channels of out are written as zeros. Batch at most 65535. Two launches, with softmax three. Bound by L2 at batch 1,
/// by tensor cores and exponentials beyond.
void aggregate_cuda(CudaQueue& queue, const Tensor& maps, const Tensor& features, MapWeights weights, double epsilon,
                    void* workspace, const Tensor& out, const MapGroups& groups = {}, const float* bias = nullptr);

/// Bytes of workspace of normalise_maps_cuda and softmax_maps_cuda.
std::size_t normalise_maps_workspace_bytes(const Chip& chip, const Tensor& maps);

/// out[b, p, m] = maps[b, p, m] / max(sum over positions of maps[b, :, m], epsilon).
/// maps and out [B, h, w, M], NHWC. fp32 or fp16, one type; computed in fp32, summed in a fixed order, rounded once.
/// Any alignment of elements; 16-byte accesses where base addresses and strides are multiples of 16 bytes. out may be
/// maps.
/// workspace: normalise_maps_workspace_bytes, aligned to 16 bytes. Padding channels of out are written as zeros. Batch
/// at most 65535. Two launches; bound by memory.
void normalise_maps_cuda(CudaQueue& queue, const Tensor& maps, double epsilon, void* workspace, const Tensor& out);

/// out = softmax of each map over its positions. As normalise_maps_cuda.
void softmax_maps_cuda(CudaQueue& queue, const Tensor& maps, void* workspace, const Tensor& out);

}  // namespace maskrt::kernels
