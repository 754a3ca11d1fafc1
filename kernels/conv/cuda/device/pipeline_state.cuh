// Position in a ring of pipeline stages that producers and consumers pass through, each at their own pace.
#pragma once

#include <cstdint>

namespace maskrt::kernels {

/// The stage, and the parity of the mbarrier phase to wait for.
template <int stages>
struct PipelineState {
  std::uint32_t stage = 0, phase = 0;
  __device__ __forceinline__ void advance() {
    if (++stage == stages) {
      stage = 0;
      phase ^= 1;
    }
  }
};

}  // namespace maskrt::kernels
