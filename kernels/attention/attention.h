// Multi-head attention without its projections.
#pragma once

#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out = softmax over keys(query . key / sqrt(C / heads)) x values, for each of `heads` equal parts of consecutive
/// channels by itself. Each pixel of a map, or row of a list, is one query, one key or one value.
/// queries [B, H, W, C], keys [B, h, w, C], values [B, h, w, D], out [B, H, W, D]; `heads` divides C and D. fp32, bf16
/// or fp16, any blocking, each; out aliases nothing. Sums in double. Padding channels of out are not written.
void attention_ref(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads, const Tensor& out);

}  // namespace maskrt::kernels
