// Multi-head attention without its projections.
#pragma once

#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out = softmax over keys(query . key / sqrt(C / heads)) x values, for each of `heads` equal parts of consecutive
/// channels by itself. Each pixel of a map, or row of a list, is one query, one key or one value.
/// queries [B, H, W, C], keys [B, h, w, C], values [B, h, w, D], out [B, H, W, D]; `heads` divides C and D. fp32, bf16
/// or fp16, any blocking, each; out aliases nothing. Sums in double. Padding channels of out are not written.
/// masks, where given: logits [B, h, w, M], M <= H * W, of masked attention. Query q < M (row-major) leaves out the
/// keys whose logit in channel q is below 0, in all heads, unless it would leave out all; other queries leave out none.
/// What is no number is not below 0. Example: logits -1, 2, NaN leave out the first key of three; -1, -2, -1 leave out
/// none.
void attention_ref(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads, const Tensor& out,
                   const Tensor* masks = nullptr);

}  // namespace maskrt::kernels
