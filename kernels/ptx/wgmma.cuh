// wgmma: asynchronous matrix products of a warpgroup, four warps, with both operands in shared memory (sm_90a).
#pragma once

#include <cstdint>

namespace maskrt::ptx {

/// The matrix descriptor of a K-major tile of 16-bit elements in shared memory with 64 elements of k (128 bytes) a row
/// and the 128-byte swizzle; groups of eight rows lie 1024 bytes apart and are aligned to 1024. PTX ISA, "Matrix
/// descriptor": address, stride between groups of eight rows, swizzle mode. Adding 2 to a descriptor advances it by 16
/// elements of k.
__device__ __forceinline__ std::uint64_t matrix_descriptor(std::uint32_t shared) {
  return static_cast<std::uint64_t>((shared & 0x3ffffu) >> 4) | std::uint64_t{1} << 16 |
         std::uint64_t{1024 >> 4} << 32 | std::uint64_t{1} << 62;
}

/// Orders this warpgroup's accesses to registers before the wgmma that follow. PTX ISA, "wgmma.fence".
__device__ __forceinline__ void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

/// Commits the wgmma issued since the last commit as one group. PTX ISA, "wgmma.commit_group".
__device__ __forceinline__ void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

/// Waits until at most the latest `pending` groups are still in flight. PTX ISA, "wgmma.wait_group".
template <int pending>
__device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
}

/// d += a * b over 16 elements of k: a is 64 x 16 and b 16 x N, f16; d is f32. One overload for each N = 8 * (first
/// extent of d). Thread t of the warpgroup has d[j][0..3] in row 16 * (t / 32) + t % 32 / 4 (+ 8 for the last two) and
/// column 8 * j + t % 4 * 2 (+ 1 for the odd ones). PTX ISA, "wgmma.mma_async", "Register Fragments and Shared Memory
/// Matrix Layouts". scale-d is always true: where it varies in a loop, ptxas 12.3 to 12.8 waits for each wgmma (C7515).
#define MASKRT_NAMES_0 "%0, %1, %2, %3"
#define MASKRT_NAMES_1 "%4, %5, %6, %7"
#define MASKRT_NAMES_2 "%8, %9, %10, %11"
#define MASKRT_NAMES_3 "%12, %13, %14, %15"
#define MASKRT_NAMES_4 "%16, %17, %18, %19"
#define MASKRT_NAMES_5 "%20, %21, %22, %23"
#define MASKRT_NAMES_6 "%24, %25, %26, %27"
#define MASKRT_NAMES_7 "%28, %29, %30, %31"
#define MASKRT_NAMES_8 "%32, %33, %34, %35"
#define MASKRT_NAMES_9 "%36, %37, %38, %39"
#define MASKRT_NAMES_10 "%40, %41, %42, %43"
#define MASKRT_NAMES_11 "%44, %45, %46, %47"
#define MASKRT_NAMES_12 "%48, %49, %50, %51"
#define MASKRT_NAMES_13 "%52, %53, %54, %55"
#define MASKRT_NAMES_14 "%56, %57, %58, %59"
#define MASKRT_NAMES_15 "%60, %61, %62, %63"
#define MASKRT_NAMES_16 "%64, %65, %66, %67"
#define MASKRT_SUMS(i) "+f"(d[i][0]), "+f"(d[i][1]), "+f"(d[i][2]), "+f"(d[i][3])
__device__ __forceinline__ void wgmma_f16(float (&d)[8][4], std::uint64_t a, std::uint64_t b) {
  asm volatile(
      "{\n"
      ".reg .pred add;\n"
      "setp.eq.u32 add, 0, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {" MASKRT_NAMES_0 ", " MASKRT_NAMES_1 ", " MASKRT_NAMES_2
      ", " MASKRT_NAMES_3 ", " MASKRT_NAMES_4 ", " MASKRT_NAMES_5 ", " MASKRT_NAMES_6 ", " MASKRT_NAMES_7
      "}, %32, %33, add, 1, 1, 0, 0;\n"
      "}"
      : MASKRT_SUMS(0), MASKRT_SUMS(1), MASKRT_SUMS(2), MASKRT_SUMS(3), MASKRT_SUMS(4), MASKRT_SUMS(5), MASKRT_SUMS(6),
        MASKRT_SUMS(7)
      : "l"(a), "l"(b));
}
__device__ __forceinline__ void wgmma_f16(float (&d)[9][4], std::uint64_t a, std::uint64_t b) {
  asm volatile(
      "{\n"
      ".reg .pred add;\n"
      "setp.eq.u32 add, 0, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n72k16.f32.f16.f16 {" MASKRT_NAMES_0 ", " MASKRT_NAMES_1 ", " MASKRT_NAMES_2
      ", " MASKRT_NAMES_3 ", " MASKRT_NAMES_4 ", " MASKRT_NAMES_5 ", " MASKRT_NAMES_6 ", " MASKRT_NAMES_7
      ", " MASKRT_NAMES_8
      "}, %36, %37, add, 1, 1, 0, 0;\n"
      "}"
      : MASKRT_SUMS(0), MASKRT_SUMS(1), MASKRT_SUMS(2), MASKRT_SUMS(3), MASKRT_SUMS(4), MASKRT_SUMS(5), MASKRT_SUMS(6),
        MASKRT_SUMS(7), MASKRT_SUMS(8)
      : "l"(a), "l"(b));
}
__device__ __forceinline__ void wgmma_f16(float (&d)[12][4], std::uint64_t a, std::uint64_t b) {
  asm volatile(
      "{\n"
      ".reg .pred add;\n"
      "setp.eq.u32 add, 0, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n96k16.f32.f16.f16 {" MASKRT_NAMES_0 ", " MASKRT_NAMES_1 ", " MASKRT_NAMES_2
      ", " MASKRT_NAMES_3 ", " MASKRT_NAMES_4 ", " MASKRT_NAMES_5 ", " MASKRT_NAMES_6 ", " MASKRT_NAMES_7
      ", " MASKRT_NAMES_8 ", " MASKRT_NAMES_9 ", " MASKRT_NAMES_10 ", " MASKRT_NAMES_11
      "}, %48, %49, add, 1, 1, 0, 0;\n"
      "}"
      : MASKRT_SUMS(0), MASKRT_SUMS(1), MASKRT_SUMS(2), MASKRT_SUMS(3), MASKRT_SUMS(4), MASKRT_SUMS(5), MASKRT_SUMS(6),
        MASKRT_SUMS(7), MASKRT_SUMS(8), MASKRT_SUMS(9), MASKRT_SUMS(10), MASKRT_SUMS(11)
      : "l"(a), "l"(b));
}
__device__ __forceinline__ void wgmma_f16(float (&d)[16][4], std::uint64_t a, std::uint64_t b) {
  asm volatile(
      "{\n"
      ".reg .pred add;\n"
      "setp.eq.u32 add, 0, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {" MASKRT_NAMES_0 ", " MASKRT_NAMES_1 ", " MASKRT_NAMES_2
      ", " MASKRT_NAMES_3 ", " MASKRT_NAMES_4 ", " MASKRT_NAMES_5 ", " MASKRT_NAMES_6 ", " MASKRT_NAMES_7
      ", " MASKRT_NAMES_8 ", " MASKRT_NAMES_9 ", " MASKRT_NAMES_10 ", " MASKRT_NAMES_11 ", " MASKRT_NAMES_12
      ", " MASKRT_NAMES_13 ", " MASKRT_NAMES_14 ", " MASKRT_NAMES_15
      "}, %64, %65, add, 1, 1, 0, 0;\n"
      "}"
      : MASKRT_SUMS(0), MASKRT_SUMS(1), MASKRT_SUMS(2), MASKRT_SUMS(3), MASKRT_SUMS(4), MASKRT_SUMS(5), MASKRT_SUMS(6),
        MASKRT_SUMS(7), MASKRT_SUMS(8), MASKRT_SUMS(9), MASKRT_SUMS(10), MASKRT_SUMS(11), MASKRT_SUMS(12),
        MASKRT_SUMS(13), MASKRT_SUMS(14), MASKRT_SUMS(15)
      : "l"(a), "l"(b));
}
__device__ __forceinline__ void wgmma_f16(float (&d)[17][4], std::uint64_t a, std::uint64_t b) {
  asm volatile(
      "{\n"
      ".reg .pred add;\n"
      "setp.eq.u32 add, 0, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n136k16.f32.f16.f16 {" MASKRT_NAMES_0 ", " MASKRT_NAMES_1 ", " MASKRT_NAMES_2
      ", " MASKRT_NAMES_3 ", " MASKRT_NAMES_4 ", " MASKRT_NAMES_5 ", " MASKRT_NAMES_6 ", " MASKRT_NAMES_7
      ", " MASKRT_NAMES_8 ", " MASKRT_NAMES_9 ", " MASKRT_NAMES_10 ", " MASKRT_NAMES_11 ", " MASKRT_NAMES_12
      ", " MASKRT_NAMES_13 ", " MASKRT_NAMES_14 ", " MASKRT_NAMES_15 ", " MASKRT_NAMES_16
      "}, %68, %69, add, 1, 1, 0, 0;\n"
      "}"
      : MASKRT_SUMS(0), MASKRT_SUMS(1), MASKRT_SUMS(2), MASKRT_SUMS(3), MASKRT_SUMS(4), MASKRT_SUMS(5), MASKRT_SUMS(6),
        MASKRT_SUMS(7), MASKRT_SUMS(8), MASKRT_SUMS(9), MASKRT_SUMS(10), MASKRT_SUMS(11), MASKRT_SUMS(12),
        MASKRT_SUMS(13), MASKRT_SUMS(14), MASKRT_SUMS(15), MASKRT_SUMS(16)
      : "l"(a), "l"(b));
}
#undef MASKRT_NAMES_0
#undef MASKRT_NAMES_1
#undef MASKRT_NAMES_2
#undef MASKRT_NAMES_3
#undef MASKRT_NAMES_4
#undef MASKRT_NAMES_5
#undef MASKRT_NAMES_6
#undef MASKRT_NAMES_7
#undef MASKRT_NAMES_8
#undef MASKRT_NAMES_9
#undef MASKRT_NAMES_10
#undef MASKRT_NAMES_11
#undef MASKRT_NAMES_12
#undef MASKRT_NAMES_13
#undef MASKRT_NAMES_14
#undef MASKRT_NAMES_15
#undef MASKRT_NAMES_16
#undef MASKRT_SUMS

}  // namespace maskrt::ptx
