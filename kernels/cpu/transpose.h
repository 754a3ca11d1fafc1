// Transposing 16 x 16 or 8 x 8 elements in registers.
#pragma once

#include <cstring>

namespace maskrt::kernels {

/// lines[i][j] becomes lines[j][i]. Vector: the compiler's vectors of 16 elements. Four passes that interleave line i
/// with line i + 8.
template <typename Vector>
[[gnu::always_inline]] inline void transpose16(Vector (&lines)[16]) {
  for (int round = 0; round < 4; ++round) {
    Vector next[16];
    for (int i = 0; i < 8; ++i) {
      next[2 * i] =
          __builtin_shufflevector(lines[i], lines[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      next[2 * i + 1] =
          __builtin_shufflevector(lines[i], lines[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    std::memcpy(lines, next, sizeof next);
  }
}

/// The same of 8 lines of 8 elements, in three passes.
template <typename Vector>
[[gnu::always_inline]] inline void transpose8(Vector (&lines)[8]) {
  for (int round = 0; round < 3; ++round) {
    Vector next[8];
    for (int i = 0; i < 4; ++i) {
      next[2 * i] = __builtin_shufflevector(lines[i], lines[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
      next[2 * i + 1] = __builtin_shufflevector(lines[i], lines[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
    }
    std::memcpy(lines, next, sizeof next);
  }
}

}  // namespace maskrt::kernels
