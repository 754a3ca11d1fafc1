// Hints that memory will soon be read.
#pragma once

namespace maskrt::ptx {

/// Brings the line that holds an address in global memory into L2. PTX ISA, "prefetch".
__device__ __forceinline__ void prefetch_l2(const void* global) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(__cvta_generic_to_global(global)));
}

#if __CUDA_ARCH__ >= 900
/// Begins to bring `bytes` bytes into L2, a multiple of 16 from an address that is one. PTX ISA,
/// "cp.async.bulk.prefetch".
__device__ __forceinline__ void prefetch_l2(const void* global, unsigned bytes) {
  asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(__cvta_generic_to_global(global)), "r"(bytes));
}
#endif

}  // namespace maskrt::ptx
