// stmatrix: matrix fragments to shared memory (sm_90 and newer).
#pragma once

#include <cstdint>

namespace maskrt::ptx {

/// Stores four 8 x 8 matrices of 16-bit elements, transposed. Lane i passes the address of row i % 8 of matrix i / 8, a
/// multiple of 16 bytes, and in r[j] the elements i / 4 of rows 2 * (i % 4) and 2 * (i % 4) + 1 of matrix j: what
/// ldmatrix_x4_trans reads. PTX ISA, "stmatrix", .trans.
__device__ __forceinline__ void stmatrix_x4_trans(std::uint32_t shared, const std::uint32_t (&r)[4]) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(shared), "r"(r[0]),
               "r"(r[1]), "r"(r[2]), "r"(r[3])
               : "memory");
}

}  // namespace maskrt::ptx
