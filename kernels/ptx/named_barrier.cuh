// Barriers of part of a block.
#pragma once

namespace maskrt::ptx {

/// Waits for `threads` threads, whole warps, at barrier `number`; 0 is __syncthreads'. PTX ISA, "bar.sync".
__device__ __forceinline__ void named_barrier(int number, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
}

}  // namespace maskrt::ptx
