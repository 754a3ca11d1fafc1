// The cells of an adaptive average pool.
#pragma once

#include <cstdint>

namespace maskrt::kernels::cuda {

/// Rows (or columns) of cell i of `size` over n of them: floor(i n / size) .. ceil((i + 1) n / size).
struct CellRange {
  int first, count;
};
__device__ inline CellRange cell_range(int i, int n, int size) {
  const int first = static_cast<int>(static_cast<std::int64_t>(i) * n / size);
  return {first, static_cast<int>((static_cast<std::int64_t>(i + 1) * n + size - 1) / size) - first};
}

}  // namespace maskrt::kernels::cuda
