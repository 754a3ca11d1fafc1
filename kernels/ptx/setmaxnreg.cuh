// Registers move from warpgroups that copy to those that multiply (sm_90a).
#pragma once

namespace maskrt::ptx {

/// PTX ISA, "setmaxnreg", .dec.
template <int registers>
__device__ __forceinline__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(registers));
}

/// PTX ISA, "setmaxnreg", .inc.
template <int registers>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(registers));
}

}  // namespace maskrt::ptx
