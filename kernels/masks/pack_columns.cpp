// Comparing blended columns with the threshold, 64 rows to a word. Compilers do not turn comparisons into packed bits,
// so the vector versions are written out.
#include "pack_columns.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace maskrt::kernels {
namespace {

void pack_plain(const ColumnBlend& blend, int count, std::uint64_t* words, std::ptrdiff_t stride) {
  for (int i = 0; i < count; ++i) {
    std::uint64_t word = 0;
    for (int y = 0; y < 64; ++y) {
      float sum = blend.columns[0][y] * blend.weights[0][i];
      for (int k = 1; k < blend.taps; ++k) sum += blend.columns[k][y] * blend.weights[k][i];
      word |= static_cast<std::uint64_t>(sum > blend.threshold) << y;
    }
    words[i * stride] = word;
  }
}

#if defined(__x86_64__)

template <int Taps>
__attribute__((target("avx512f"))) void pack_taps_avx512(const ColumnBlend& blend, int count, std::uint64_t* words,
                                                         std::ptrdiff_t stride) {
  // Neighbouring output columns blend the same input columns: these stay in registers.
  __m512 columns[Taps][4];
  for (int k = 0; k < Taps; ++k) {
    for (int j = 0; j < 4; ++j) columns[k][j] = _mm512_load_ps(blend.columns[k] + 16 * j);
  }
  const __m512 threshold = _mm512_set1_ps(blend.threshold);
  for (int i = 0; i < count; ++i) {
    std::uint64_t word = 0;
    for (int j = 0; j < 4; ++j) {
      __m512 sum = _mm512_mul_ps(columns[0][j], _mm512_set1_ps(blend.weights[0][i]));
      for (int k = 1; k < Taps; ++k) sum = _mm512_fmadd_ps(columns[k][j], _mm512_set1_ps(blend.weights[k][i]), sum);
      const __mmask16 above = _mm512_cmp_ps_mask(sum, threshold, _CMP_GT_OQ);
      word |= static_cast<std::uint64_t>(above) << (16 * j);
    }
    words[i * stride] = word;
  }
}

template <int Taps>
__attribute__((target("avx2,fma"))) void pack_taps_avx2(const ColumnBlend& blend, int count, std::uint64_t* words,
                                                        std::ptrdiff_t stride) {
  const __m256 threshold = _mm256_set1_ps(blend.threshold);
  for (int i = 0; i < count; ++i) {
    std::uint64_t word = 0;
    for (int j = 0; j < 8; ++j) {
      __m256 sum = _mm256_mul_ps(_mm256_load_ps(blend.columns[0] + 8 * j), _mm256_set1_ps(blend.weights[0][i]));
      for (int k = 1; k < Taps; ++k) {
        sum = _mm256_fmadd_ps(_mm256_load_ps(blend.columns[k] + 8 * j), _mm256_set1_ps(blend.weights[k][i]), sum);
      }
      const int above = _mm256_movemask_ps(_mm256_cmp_ps(sum, threshold, _CMP_GT_OQ));
      word |= static_cast<std::uint64_t>(static_cast<unsigned>(above)) << (8 * j);
    }
    words[i * stride] = word;
  }
}

void pack_avx512(const ColumnBlend& blend, int count, std::uint64_t* words, std::ptrdiff_t stride) {
  switch (blend.taps) {
    case 1:
      return pack_taps_avx512<1>(blend, count, words, stride);
    case 2:
      return pack_taps_avx512<2>(blend, count, words, stride);
    case 3:
      return pack_taps_avx512<3>(blend, count, words, stride);
    default:
      return pack_taps_avx512<4>(blend, count, words, stride);
  }
}

void pack_avx2(const ColumnBlend& blend, int count, std::uint64_t* words, std::ptrdiff_t stride) {
  switch (blend.taps) {
    case 1:
      return pack_taps_avx2<1>(blend, count, words, stride);
    case 2:
      return pack_taps_avx2<2>(blend, count, words, stride);
    case 3:
      return pack_taps_avx2<3>(blend, count, words, stride);
    default:
      return pack_taps_avx2<4>(blend, count, words, stride);
  }
}

#endif

}  // namespace

std::vector<PackColumnsVersion> pack_columns_versions() {
  std::vector<PackColumnsVersion> versions;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) versions.push_back({"AVX-512", pack_avx512});
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) versions.push_back({"AVX2", pack_avx2});
#endif
  versions.push_back({"plain", pack_plain});
  return versions;
}

void pack_columns(const ColumnBlend& blend, int count, std::uint64_t* words, std::ptrdiff_t stride) {
  static const auto pack = pack_columns_versions().front().pack;
  pack(blend, count, words, stride);
}

}  // namespace maskrt::kernels
