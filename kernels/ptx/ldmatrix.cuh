// ldmatrix: matrix fragments from shared memory (sm_75 and newer).
#pragma once

#include <cstdint>

namespace maskrt::ptx {

/// Loads four 8 x 8 matrices of 16-bit elements. Lane i passes the address of row i % 8 of matrix i / 8, a multiple of
/// 16 bytes, and receives in r[j] the elements 2 * (i % 4) and 2 * (i % 4) + 1 of row i / 4 of matrix j. PTX ISA,
/// "ldmatrix".
__device__ __forceinline__ void ldmatrix_x4(std::uint32_t (&r)[4], std::uint32_t shared) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared)
               : "memory");
}

/// As ldmatrix_x4, each matrix transposed: lane i receives the elements i / 4 of rows 2 * (i % 4) and 2 * (i % 4) + 1.
/// PTX ISA, "ldmatrix", .trans.
__device__ __forceinline__ void ldmatrix_x4_trans(std::uint32_t (&r)[4], std::uint32_t shared) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared)
               : "memory");
}

}  // namespace maskrt::ptx
