// The next layer's weights on their way from memory to L2 while this layer computes.
//
// The weights of a network do not all stay in L2 beside its maps, and blocks walk the depth together: what they ask for
// at a time is a few stages of weights, too little to hide the memory's latency. A layer before, there is time.
#pragma once

#include "kernels/ptx/prefetch.cuh"
#include "kernels/conv/cuda/conv_params.h"

namespace maskrt::kernels {

/// Asks for this block's share of them. Called by one thread of each block; nothing before Hopper.
__device__ __forceinline__ void prefetch_next_weights(const ConvParams& p, unsigned block, unsigned blocks) {
#if __CUDA_ARCH__ >= 900
  constexpr unsigned line = 128;
  const unsigned share = (p.next_weight_bytes / blocks + line) / line * line, begin = block * share;
  if (begin < p.next_weight_bytes)
    ptx::prefetch_l2(static_cast<const char*>(p.next_weights) + begin, min(share, p.next_weight_bytes - begin));
#endif
}

}  // namespace maskrt::kernels
