// Hints that memory will soon be read.
#pragma once

namespace maskrt::ptx {

/// Brings the line that holds an address in global memory into L2. PTX ISA, "prefetch".
__device__ __forceinline__ void prefetch_l2(const void* global) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(__cvta_generic_to_global(global)));
}

}  // namespace maskrt::ptx
