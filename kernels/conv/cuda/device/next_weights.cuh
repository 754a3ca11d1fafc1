// Prefetch of the next convolution's weights from device memory into L2 while this one computes (sm_90).
//
// A network's weights exceed L2 together with its maps, and all blocks of a layer load the same few stages of weights
// at a time: too few bytes in flight to hide the latency of device memory. Prefetched one layer ahead they arrive in
// time.
#pragma once

#include "kernels/conv/cuda/conv_params.h"
#include "kernels/ptx/prefetch.cuh"

namespace maskrt::kernels {

/// Prefetches this block's share of the next weights. Called by one thread of each block. A no-op before sm_90.
__device__ __forceinline__ void prefetch_next_weights(const ConvParams& p, unsigned block, unsigned blocks) {
#if __CUDA_ARCH__ >= 900
  constexpr unsigned line = 128;
  const unsigned share = (p.next_weight_bytes / blocks + line) / line * line, begin = block * share;
  if (begin < p.next_weight_bytes)
    ptx::prefetch_l2(static_cast<const char*>(p.next_weights) + begin, min(share, p.next_weight_bytes - begin));
#endif
}

}  // namespace maskrt::kernels
