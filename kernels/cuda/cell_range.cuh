// The cells of an adaptive average pool. Neighbouring cells overlap where `size` does not divide n: with n = 20 rows
// and size = 3, the cells are rows 0..6, 6..13 and 13..19.
#pragma once

#include <cstdint>

namespace maskrt::kernels::cuda {

/// The half-open range of rows (or columns) of cell i, 0 <= i < size, over a map of n rows:
/// [floor(i * n / size), ceil((i + 1) * n / size)).
struct CellRange {
  int first, count;
};
__device__ inline CellRange cell_range(int i, int n, int size) {
  const int first = static_cast<int>(static_cast<std::int64_t>(i) * n / size);
  return {first, static_cast<int>((static_cast<std::int64_t>(i + 1) * n + size - 1) / size) - first};
}

}  // namespace maskrt::kernels::cuda
