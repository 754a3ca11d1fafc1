// One tile's sum from several blocks.
#pragma once

#include "kernels/conv/cuda/conv_params.h"

namespace maskrt::kernels {

/// Each of a tile's `splits` blocks brings its part. The block that comes last adds all parts in the order of splits,
/// so that the result does not depend on who that is, and returns true with the total; the others return false. Leaves
/// the tile's counter zero. Called by threads 0 to `threads` - 1; `sync` is their barrier. `last` is one word of shared
/// memory that nobody else uses until the next barrier after the call.
template <int threads, int count, typename Sync>
__device__ __forceinline__ bool sum_of_splits(const ConvParams& p, int tile, int split, float (&part)[count][4],
                                              unsigned* last, Sync&& sync) {
  float4* const parts =
      reinterpret_cast<float4*>(p.partials) + static_cast<long long>(tile) * p.splits * (count * threads) + threadIdx.x;
  float4* const mine = parts + static_cast<long long>(split) * (count * threads);
#pragma unroll
  for (int i = 0; i < count; ++i)
    __stcg(mine + i * threads, make_float4(part[i][0], part[i][1], part[i][2], part[i][3]));
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
    for (int j = 0; j < 4; ++j) part[i][j] = 0;
#pragma unroll 1
  for (int s = 0; s < p.splits; ++s) {
    const float4* from = parts + static_cast<long long>(s) * (count * threads);
#pragma unroll
    for (int i = 0; i < count; ++i) {
      if (i % 8 == 0) __syncwarp();  // keeps the compiler from having all reads on their way: no registers for that
      const float4 more = __ldcg(from + i * threads);
      part[i][0] += more.x;
      part[i][1] += more.y;
      part[i][2] += more.z;
      part[i][3] += more.w;
    }
  }
  return true;
}

}  // namespace maskrt::kernels
