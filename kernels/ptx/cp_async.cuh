// cp.async: asynchronous copies from global into shared memory that bypass registers (sm_80 and newer).
#pragma once

#include <cstdint>

namespace maskrt::ptx {

/// Copies 16 bytes, of which the first `bytes` are read and the rest zero-filled. Both addresses are multiples of 16.
/// Bypasses L1 (.cg). PTX ISA, "cp.async".
__device__ __forceinline__ void cp_async_16(std::uint32_t to_shared, const void* from_global, std::uint32_t bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to_shared), "l"(from_global), "r"(bytes)
               : "memory");
}

/// Copies 16 bytes, or writes 16 zeros where `zeros` is set: the source is then not accessed. Both addresses are
/// multiples of 16. Bypasses L1 (.cg). PTX ISA, "cp.async", operand ignore-src.
__device__ __forceinline__ void cp_async_16_or_zeros(std::uint32_t to_shared, const void* from_global, bool zeros) {
  asm volatile(
      "{\n"
      ".reg .pred zeros;\n"
      "setp.ne.s32 zeros, %2, 0;\n"
      "cp.async.cg.shared.global [%0], [%1], 16, zeros;\n"
      "}" ::"r"(to_shared),
      "l"(from_global), "r"(static_cast<int>(zeros))
      : "memory");
}

/// Commits this thread's copies since its last commit as one group. PTX ISA, "cp.async.commit_group".
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/// Waits until at most the latest `pending` groups of this thread are still in flight. PTX ISA, "cp.async.wait_group".
template <int pending>
__device__ __forceinline__ void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

}  // namespace maskrt::ptx
