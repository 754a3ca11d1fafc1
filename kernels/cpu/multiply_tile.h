// The inner loop of matrix products: a tile of sums in registers.
#pragma once

#include <cstdint>

#include "vector.h"

namespace maskrt::kernels {

/// Rows and vectors of the largest tile: its sums, a step's vectors of the right matrix and one number of the left one
/// fill the 32 registers of AVX-512 and the 16 of AVX2.
template <int Lanes>
constexpr int kTileRows = Lanes == 16 ? 8 : 4;
constexpr int kTileVectors = 3;

/// The left matrix of a product: number k of row r is data[r * row + (k / run) * next_run + (k % run) * step].
struct LeftMatrix {
  const float* data;
  std::int64_t row, step;
  std::int64_t run = 0, next_run = 0;  ///< where the depth is cut into runs of equal length
};

/// The sums of a product, or what they start from: vector v of row r lies at data + r * row + v * vector.
template <typename Number>
struct TileSums {
  Number* data;
  std::int64_t row, vector;
};

/// sums[r][v] = start[r][v] + sum over `depth` steps k of left[r][k] * right[k][v] for `Rows` rows and `Vectors`
/// vectors of `Lanes` numbers. Step k of the right matrix lies at right + k * right_step. `start` may be the sums, one
/// vector for all rows (row 0 apart), or zeros. `depth` is a multiple of the left matrix's runs.
template <int Lanes, int Rows, int Vectors>
[[gnu::always_inline]] inline void multiply_tile(const LeftMatrix& left, const float* right, std::int64_t right_step,
                                                 std::int64_t depth, const TileSums<const float>& start,
                                                 const TileSums<float>& sums) {
  using V = Vector<Lanes>;
  V total[Rows][Vectors];
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v)
      total[r][v] = *reinterpret_cast<const V*>(start.data + r * start.row + v * start.vector);
  const std::int64_t run = left.run != 0 ? left.run : depth;
  const float* begin = left.data;
  for (std::int64_t done = 0; done < depth; done += run, begin += left.next_run) {
    const float* number = begin;
    for (std::int64_t k = 0; k < run; ++k, number += left.step, right += right_step) {
      V line[Vectors];
      for (int v = 0; v < Vectors; ++v) line[v] = *reinterpret_cast<const V*>(right + v * Lanes);
      for (int r = 0; r < Rows; ++r)
        for (int v = 0; v < Vectors; ++v) total[r][v] += line[v] * number[r * left.row];
    }
  }
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v) *reinterpret_cast<V*>(sums.data + r * sums.row + v * sums.vector) = total[r][v];
}

/// Whole tiles of `Rows` rows from `first` on, as many as `rows` has; returns the row after them.
template <int Lanes, int Rows, int Vectors>
[[gnu::always_inline]] inline std::int64_t multiply_tiles(std::int64_t first, std::int64_t rows, LeftMatrix left,
                                                          const float* right, std::int64_t right_step,
                                                          std::int64_t depth, TileSums<const float> start,
                                                          TileSums<float> sums) {
  left.data += first * left.row;
  start.data += first * start.row;
  sums.data += first * sums.row;
  for (; first + Rows <= rows; first += Rows) {
    multiply_tile<Lanes, Rows, Vectors>(left, right, right_step, depth, start, sums);
    left.data += Rows * left.row;
    start.data += Rows * start.row;
    sums.data += Rows * sums.row;
  }
  return first;
}

/// As multiply_tile for any number of rows, by the largest tiles that there are.
template <int Lanes, int Vectors>
[[gnu::always_inline]] inline void multiply_rows(const LeftMatrix& left, std::int64_t rows, const float* right,
                                                 std::int64_t right_step, std::int64_t depth,
                                                 const TileSums<const float>& start, const TileSums<float>& sums) {
  std::int64_t row = 0;
  row = multiply_tiles<Lanes, kTileRows<Lanes>, Vectors>(row, rows, left, right, right_step, depth, start, sums);
  if constexpr (kTileRows < Lanes >> 4)
    row = multiply_tiles<Lanes, 4, Vectors>(row, rows, left, right, right_step, depth, start, sums);
  row = multiply_tiles<Lanes, 2, Vectors>(row, rows, left, right, right_step, depth, start, sums);
  multiply_tiles<Lanes, 1, Vectors>(row, rows, left, right, right_step, depth, start, sums);
}

/// As multiply_rows for 1 to kTileVectors vectors.
template <int Lanes>
[[gnu::always_inline]] inline void multiply_rows(const LeftMatrix& left, std::int64_t rows, const float* right,
                                                 std::int64_t right_step, int vectors, std::int64_t depth,
                                                 const TileSums<const float>& start, const TileSums<float>& sums) {
  static_assert(kTileVectors == 3);
  if (vectors == 3) {
    multiply_rows<Lanes, 3>(left, rows, right, right_step, depth, start, sums);
  } else if (vectors == 2) {
    multiply_rows<Lanes, 2>(left, rows, right, right_step, depth, start, sums);
  } else {
    multiply_rows<Lanes, 1>(left, rows, right, right_step, depth, start, sums);
  }
}

}  // namespace maskrt::kernels
