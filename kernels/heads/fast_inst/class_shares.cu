// Softmax over the class logits of each query: the probabilities of the classes, and the most probable one.
//
// class_logits [B, Q, K + 1] is an fp32 list whose last logit is that of none; shares [B, Q, stride] has the K
// probabilities and behind them -1. A warp takes one query: lanes take every 32nd logit, sums of lanes are added in a
// fixed order. Of equal logits the lower class is the more probable.
// Example: 80 classes and none are 81 logits: lanes 0 to 16 have three, the others two.
// Bound by latency: 100 queries are 13 blocks.
// Launch: grid [ceil(Q / 8), 1, B], 256 threads.
#include "fast_inst_params.h"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"

namespace maskrt::kernels::cuda {

extern "C" __global__ void __launch_bounds__(256) class_shares(const __grid_constant__ ClassSharesParams p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int lane = static_cast<int>(threadIdx.x) % 32, b = static_cast<int>(blockIdx.z);
  const int query = static_cast<int>((blockIdx.x * blockDim.x + threadIdx.x) / 32);
  const int classes = p.class_logits.channels - 1, queries = p.class_logits.height;
  if (query >= queries) return;  // whole warps
  const float* const logits = pixel_of<const float>(p.class_logits, b, query);

  float most = -INFINITY;
  int label = lane;
  for (int c = lane; c <= classes; c += 32) {
    const float logit = logits[c];
    if (logit > most) most = logit, label = c;
  }
#pragma unroll
  for (int step = 16; step >= 1; step /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, most, step);
    const int other_label = __shfl_xor_sync(0xffffffffu, label, step);
    if (other > most || (other == most && other_label < label)) most = other, label = other_label;
  }
  float sum = 0;
  for (int c = lane; c <= classes; c += 32) sum += expf(logits[c] - most);
#pragma unroll
  for (int step = 16; step >= 1; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);

  float* const shares = p.shares + (static_cast<std::int64_t>(b) * queries + query) * p.stride;
  for (int c = lane; c < p.stride; c += 32) shares[c] = c < classes ? expf(logits[c] - most) / sum : -1.0f;
  if (lane == 0) p.best[b * queries + query] = {1.0f / sum, label};
}

}  // namespace maskrt::kernels::cuda
