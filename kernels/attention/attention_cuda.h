// Multi-head attention on a CUDA device. The formula is in attention.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out = softmax over keys(query . key / sqrt(C / heads)) x values, for each of `heads` equal parts of consecutive
/// channels by itself. Each pixel of a map, or row of a list, is one query, one key or one value.
/// queries [B, H, W, C], keys [B, h, w, C], values [B, h, w, D], out [B, H, W, D], NHWC, possibly slices of wider
/// pixels; `heads` divides C and D.
/// queries and out of one type, keys and values of one type, each fp32 or fp16. All fp32: fp32 multiply-adds. Otherwise
/// fp32 is rounded to fp16 and multiplied on tensor cores with fp32 accumulators, weights being rounded to fp16; the
/// softmax is fp32, the result rounded once. Heads that tensor cores do not take are computed by multiply-adds: more
/// than 128 channels, no multiple of 8, or of tensors whose base addresses or strides are no multiples of 16 bytes.
/// Sums run in a fixed order.
/// masks, where given: logits [B, h, w, M], NHWC, fp32 or fp16, M <= H * W. Query q < M (row-major) leaves out the keys
/// whose logit in channel q is below 0, in all heads, unless it would leave out all; other queries leave out none.
/// Any alignment of elements. out must not alias an input. `workspace` has attention_workspace_bytes(), aligned to 256
/// bytes, uninitialised; null where that is 0: without masks, unless one tile of queries meets many keys. Padding
/// channels of inputs are not read, those of out are written as zeros.
/// Any number of queries and keys; a block has 128 queries (64) of a head and goes over all keys, or, where there are
/// masks or few queries, over a part. heads and, beyond 64 channels a head, their chunks of 64: at most 65535; batch as
/// many. One launch, one more for masks and one for parts; bound by tensor cores and exponentials, or with few keys by
/// memory. Multiply-adds are not split: with few queries they do not fill a chip.
/// `finished` false, where attention_parts() has several splits: their results stay in the workspace, and out is not
/// written.
void attention_cuda(CudaQueue& queue, const Tensor& queries, const Tensor& keys, const Tensor& values, int heads,
                    const Tensor& out, const Tensor* masks = nullptr, void* workspace = nullptr, bool finished = true);

/// What several blocks leave that share the keys of a query: in fp32, results [B, heads, splits, N, channels of a
/// head], not divided by their sums, then [B, splits, N, heads, 2]: the largest score, before scaling, and the sum of
/// the weights.
struct AttentionParts {
  std::int64_t splits = 1;  ///< 1: none are left
  std::size_t offset = 0;   ///< bytes from the workspace on
};
AttentionParts attention_parts(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads,
                               const Tensor& out, const Tensor* masks, const Chip& chip);

/// Bytes of attention_cuda's workspace; of the tensors' `data` only the alignment matters. Throws as attention_cuda
/// does.
std::size_t attention_workspace_bytes(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads,
                                      const Tensor& out, const Tensor* masks, const Chip& chip);

/// Whether attention_cuda takes these to tensor cores.
bool attention_has_tensor_cores(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads,
                                const Tensor& out);

}  // namespace maskrt::kernels
