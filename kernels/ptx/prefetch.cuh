// Prefetches into L2.
#pragma once

namespace maskrt::ptx {

/// Prefetches the cache line of an address in global memory into L2. PTX ISA, "prefetch".
__device__ __forceinline__ void prefetch_l2(const void* global) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(__cvta_generic_to_global(global)));
}

#if __CUDA_ARCH__ >= 900
/// Starts a bulk prefetch of `bytes` bytes into L2; the address and the size are multiples of 16. PTX ISA,
/// "cp.async.bulk.prefetch".
__device__ __forceinline__ void prefetch_l2(const void* global, unsigned bytes) {
  asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(__cvta_generic_to_global(global)), "r"(bytes));
}
#endif

}  // namespace maskrt::ptx
