// Named barriers: synchronisation of some of a block's warps.
#pragma once

namespace maskrt::ptx {

/// Synchronises `threads` threads, a multiple of 32, at barrier `number`, 1 to 15; barrier 0 is __syncthreads. PTX ISA,
/// "bar.sync".
__device__ __forceinline__ void named_barrier(int number, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
}

}  // namespace maskrt::ptx
