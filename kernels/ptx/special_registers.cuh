// What a thread asks of the machine about itself.
#pragma once

namespace maskrt::ptx {

/// threadIdx.x, read anew: what is computed from it need not stay in a register across what lies before.
/// PTX ISA, "Special Registers: %tid".
__device__ __forceinline__ unsigned thread_index() {
  unsigned index;
  asm volatile("mov.u32 %0, %%tid.x;" : "=r"(index));
  return index;
}

}  // namespace maskrt::ptx
