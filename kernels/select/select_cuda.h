// Queries out of a map on a CUDA device. The formulas are in select.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "select.h"

namespace maskrt::kernels {

/// Bytes of workspace of proposal_scores_cuda, aligned to 8.
std::size_t proposal_scores_workspace_bytes(const Tensor& logits);

/// scores [B, h * w, 1, 1], fp32, from logits [B, h, w, K + 1], NHWC, fp32 or fp16; exponentials and sums in fp32, in
/// an order that is the same for every position, so that equal logits have equal scores. Any alignment. `workspace` has
/// proposal_scores_workspace_bytes() and overlaps neither; scores must not alias logits. Two launches: a warp takes one
/// position's logits, then a thread looks at one position's neighbours. Bound by memory: the logits are read twice, the
/// second time from the caches.
void proposal_scores_cuda(CudaQueue& queue, const Tensor& logits, float epsilon, void* workspace, const Tensor& scores);

/// positions [B, count, 1, 1] in int32 and scores [B, count, 1, 1] in fp32 of the `count` = positions.height largest of
/// `in` [B, h, w, 1], fp32 or fp16; exact. Any alignment; 1 <= count <= kMostSelected, count <= h * w <=
/// kMostPositions. Outputs must not alias `in`. One launch of a block for each image: a radix select over keys of score
/// and position, 8 bits a pass, until those that are left are all wanted; at most 7 passes, 3 or 4 as a rule. Bound by
/// the latency of one block: its passes over the image's scores, which come from L2 after the first.
void select_top_cuda(CudaQueue& queue, const Tensor& in, const Tensor& positions, const Tensor& scores);

/// out [B, N, 1, C], fp32, from in [B, h, w, C], fp32 or fp16, at positions [B, N, 1, 1] in int32; exact. What a
/// position holds is not trusted: outside of the map nothing is read, and the row is zeros. Any alignment, 16-byte
/// accesses where bases and strides are multiples of 16 bytes. Padding channels of out are written as zeros. out must
/// not alias the others. One launch; bound by memory latency, as rows are few.
void gather_positions_cuda(CudaQueue& queue, const Tensor& in, const Tensor& positions, const Tensor& out);

}  // namespace maskrt::kernels
