// Products of matrices that lie in the cache: the inner loops of convolutions and attention, on one thread.
#pragma once

#include <cstdint>

namespace maskrt::kernels {

/// Vectors of a row of sums that fit registers, with some rows.
constexpr int kMostVectors = 3;

/// The left matrix of a product: number k of row r is data[r * row + k * step]. Either rows or steps are adjacent (row
/// or step is 1). Where steps are, they may come in runs: number k is then at
/// r * row + k / run * next_run + k % run.
struct LeftMatrix {
  const float* data;
  std::int64_t row, step;
  std::int64_t run = 0, next_run = 0;  ///< 0: one run
};

/// Vector v of row r lies at data + r * row + v * vector.
template <typename Number>
struct VectorRows {
  Number* data;
  std::int64_t row, vector;
};

/// sums[r][v] = start[r][v] + sum over k < depth of left[r][k] * right[k][v], for vectors of 8 or 16 numbers.
struct Product {
  LeftMatrix left;
  std::int64_t rows;
  const float* right;  ///< vector v of step k lies at right + k * right_step + v * lanes
  std::int64_t right_step;
  int vectors;                    ///< 1 to kMostVectors
  std::int64_t depth;             ///< a multiple of the left matrix's runs
  VectorRows<const float> start;  ///< may be the sums; one vector for all rows (row is 0); or zeros
  VectorRows<float> sums;
  /// Where the next product's right matrix lies, if it comes from beyond L2: it is fetched meanwhile. As long as this
  /// one's, or nothing happens to what is too long. Null for none.
  const float* next_right = nullptr;
};

/// `lanes`: 8 or 16. Sums of one output are taken in the order of k, with one rounding for each multiply-add where the
/// processor has fused ones.
void multiply(int lanes, const Product& product);

/// Numbers in the vectors of this processor: 16 with AVX-512, otherwise 8.
int vector_lanes();

}  // namespace maskrt::kernels
