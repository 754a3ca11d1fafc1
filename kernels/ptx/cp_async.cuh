// Copies from global into shared memory that pass registers by (sm_80 and newer).
#pragma once

#include <cstdint>

namespace maskrt::ptx {

/// 16 bytes, of which the first `bytes` are read and the others written as zeros; both addresses are multiples of 16.
/// Through L2 alone. PTX ISA, "cp.async".
__device__ __forceinline__ void cp_async_16(std::uint32_t to_shared, const void* from_global, std::uint32_t bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to_shared), "l"(from_global), "r"(bytes)
               : "memory");
}

/// 16 bytes, or 16 zeros where `zeros` is set (the source is then not looked at); addresses are multiples of 16.
/// Through L2 alone. PTX ISA, "cp.async", operand ignore-src.
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

/// The copies that this thread began since the last group become a group. PTX ISA, "cp.async.commit_group".
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/// Waits until at most `pending` of this thread's groups, the latest, are on their way. PTX ISA, "cp.async.wait_group".
template <int pending>
__device__ __forceinline__ void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

}  // namespace maskrt::ptx
