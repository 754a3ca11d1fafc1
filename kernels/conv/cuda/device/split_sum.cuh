// Split-K reduction through global memory, in one launch: the last block of a tile to finish adds the partial sums.
#pragma once

#include "kernels/conv/cuda/conv_params.h"

namespace maskrt::kernels {

/// Each of a tile's `splits` blocks writes its accumulators, `sums`, to p.partials and increments the tile's counter.
/// The block that arrives last adds the partial sums of all splits in ascending order, so that the result does not
/// depend on which block that is, and returns true with the total in `sums`; the others return false. The counter wraps
/// to zero, for the next launch. Called by threads 0 .. threads - 1; `sync` is their barrier. `last` is one word of
/// shared memory that is not used otherwise until the next barrier after the call.
template <int threads, int count, typename Sync>
__device__ __forceinline__ bool reduce_splits(const ConvParams& p, int tile, int split, float (&sums)[count][4],
                                              unsigned* last, Sync&& sync) {
  float4* const partials =
      reinterpret_cast<float4*>(p.partials) + static_cast<long long>(tile) * p.splits * (count * threads) + threadIdx.x;
  float4* const mine = partials + static_cast<long long>(split) * (count * threads);
#pragma unroll
  for (int i = 0; i < count; ++i)
    __stcg(mine + i * threads, make_float4(sums[i][0], sums[i][1], sums[i][2], sums[i][3]));
  __threadfence();
  sync();
  if (threadIdx.x == 0)
    *last = atomicInc(p.counters + tile, static_cast<unsigned>(p.splits - 1)) == static_cast<unsigned>(p.splits - 1);
  sync();
  if (*last == 0) return false;
  __threadfence();
#pragma unroll
  for (int i = 0; i < count; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j) sums[i][j] = 0;
#pragma unroll 1
  for (int s = 0; s < p.splits; ++s) {
    const float4* from = partials + static_cast<long long>(s) * (count * threads);
#pragma unroll
    for (int i = 0; i < count; ++i) {
      if (i % 8 == 0) __syncwarp();  // limits the loads in flight, for which there are no registers
      const float4 more = __ldcg(from + i * threads);
      sums[i][0] += more.x;
      sums[i][1] += more.y;
      sums[i][2] += more.z;
      sums[i][3] += more.w;
    }
  }
  return true;
}

}  // namespace maskrt::kernels
