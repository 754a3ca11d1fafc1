// Register reallocation between producer and consumer warpgroups (sm_90a). Executed by all warps of a warpgroup.
#pragma once

namespace maskrt::ptx {

/// Lowers the warp's limit to `registers` a thread and releases the rest. PTX ISA, "setmaxnreg", .dec.
template <int registers>
__device__ __forceinline__ void setmaxnreg_dec() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(registers));
}

/// Raises the warp's limit to `registers` a thread; blocks until enough have been released. PTX ISA, "setmaxnreg",
/// .inc.
template <int registers>
__device__ __forceinline__ void setmaxnreg_inc() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(registers));
}

}  // namespace maskrt::ptx
