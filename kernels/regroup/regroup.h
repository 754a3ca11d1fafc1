// Regrouping: concatenates the vectors that a group convolution's groups have of each instance.
#pragma once

#include "kernels/tensor.h"

namespace maskrt::kernels {

/// in: a list [B, R, 1, C], read row-major for each image as [blocks, instances, L], L = R * C / (blocks * instances).
/// out: a list [B, instances, 1, blocks * L]: out[n, k * L + i] = in[k, n, i]. fp32, channels innermost.
void regroup_ref(const Tensor& in, std::int64_t blocks, std::int64_t instances, const Tensor& out);
/// The same for dense lists.
void regroup_cpu(const Tensor& in, std::int64_t blocks, std::int64_t instances, const Tensor& out);

}  // namespace maskrt::kernels
