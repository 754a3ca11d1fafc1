// Thresholding of blended columns to packed bits, 64 rows in each word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace maskrt::kernels {

/// 64 rows of up to 4 columns of probabilities, blended column by column.
struct ColumnBlend {
  const float* columns[4] = {};  ///< 64 numbers each, aligned to 64 bytes
  const float* weights[4] = {};  ///< one weight for each output column
  int taps = 0;                  ///< 1 to 4
  float threshold = 0;
};

/// For i < count: bit y of words[i * stride] = sum over k < taps of columns[k][y] * weights[k][i] > threshold.
/// Bound by the multiply-adds; the AVX-512, AVX2 or plain loop is chosen once, on the first call.
void pack_columns(const ColumnBlend& blend, int count, std::uint64_t* words, std::ptrdiff_t stride);

struct PackColumnsVersion {
  const char* name;
  void (*pack)(const ColumnBlend& blend, int count, std::uint64_t* words, std::ptrdiff_t stride);
};

/// The versions that this processor can run, fastest first; the last is the plain loop.
std::vector<PackColumnsVersion> pack_columns_versions();

}  // namespace maskrt::kernels
