// Special registers.
#pragma once

namespace maskrt::ptx {

/// threadIdx.x by a volatile read: values computed from it can be recomputed here instead of occupying registers across
/// the main loop. PTX ISA, "Special Registers: %tid".
__device__ __forceinline__ unsigned thread_index() {
  unsigned index;
  asm volatile("mov.u32 %0, %%tid.x;" : "=r"(index));
  return index;
}

}  // namespace maskrt::ptx
