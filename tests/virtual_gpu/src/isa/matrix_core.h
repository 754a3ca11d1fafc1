// The product at the heart of mma and wgmma, done on accumulator fragments as the registers hold them.
//
// PTX ISA, 9.7.14.5, the layouts of fragments: lane l holds of A row l/4 (and 8 more), of B column l/4, and of the
// accumulators rows l/4 and l/4 + 8, columns 2*(l%4) and the next. One accumulator register is 32 lanes side by side,
// so D[lane] += A[row(lane)][k] * B[k][column(lane)] is a vector operation with no transposition of D.
#pragma once

#include "isa/half_formats.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {

/// Elements packed in 32-bit registers, widened to f32, which is exact for all of these types.
struct ElementHalf {
  static constexpr int kPerRegister = 2;
  static float get(u32 r, int e) { return Half::to_float(static_cast<u16>(r >> 16 * e)); }
};
struct ElementBfloat {
  static constexpr int kPerRegister = 2;
  static float get(u32 r, int e) { return Bfloat::to_float(static_cast<u16>(r >> 16 * e)); }
};
/// The low 13 bits of a tf32 operand are ignored. PTX ISA, 9.7.14.5.
struct ElementTf32 {
  static constexpr int kPerRegister = 1;
  static float get(u32 r, int) { return std::bit_cast<float>(r & 0xffffe000u); }
};
struct ElementS8 {
  static constexpr int kPerRegister = 4;
  static float get(u32 r, int e) { return static_cast<float>(static_cast<s8>(r >> 8 * e)); }
};
struct ElementU8 {
  static constexpr int kPerRegister = 4;
  static float get(u32 r, int e) { return static_cast<float>(static_cast<u8>(r >> 8 * e)); }
};
struct ElementS4 {
  static constexpr int kPerRegister = 8;
  static float get(u32 r, int e) { return static_cast<float>(static_cast<s32>(r << (28 - 4 * e)) >> 28); }
};
struct ElementU4 {
  static constexpr int kPerRegister = 8;
  static float get(u32 r, int e) { return static_cast<float>(r >> 4 * e & 15); }
};
/// Single bits as 0 and 1, whose product is their conjunction.
struct ElementBit {
  static constexpr int kPerRegister = 32;
  static float get(u32 r, int e) { return static_cast<float>(r >> e & 1); }
};
/// Single bits as 1 and -1: the sum of K products is K minus twice the number of bits that differ.
struct ElementSign {
  static constexpr int kPerRegister = 32;
  static float get(u32 r, int e) { return 1.0f - 2.0f * static_cast<float>(r >> e & 1); }
};
struct ElementE4m3 {
  static constexpr int kPerRegister = 4;
  static float get(u32 r, int e) { return E4m3::to_float(static_cast<u8>(r >> 8 * e)); }
};
struct ElementE5m2 {
  static constexpr int kPerRegister = 4;
  static float get(u32 r, int e) { return E5m2::to_float(static_cast<u8>(r >> 8 * e)); }
};

/// A's rows spread over the lanes: rows[h][k][lane] = A[lane/4 + 8h][k].
template <int K>
struct SpreadA {
  alignas(64) float rows[2][K][kWarpSize];
};
/// Eight columns of B: columns[k][e][q] = B[k][2q + e].
template <int K>
struct ColumnsB {
  alignas(64) float columns[K][2][4];
};

/// sums[2h + e][lane] += sum over k of A[lane/4 + 8h][k] * B[k][2(lane%4) + e], for h < kHalves.
template <int K, int kHalves>
inline void multiply(const SpreadA<K>& a, const ColumnsB<K>& b, float* const* sums) {
#if VGPU_ISA == 4
  __m512 acc[kHalves][2][2];
  for (int h = 0; h < kHalves; ++h) {
    for (int e = 0; e < 2; ++e) {
      for (int v = 0; v < 2; ++v) acc[h][e][v] = _mm512_loadu_ps(sums[2 * h + e] + 16 * v);
    }
  }
  for (int k = 0; k < K; ++k) {
    const __m512 b0 = _mm512_broadcast_f32x4(_mm_load_ps(b.columns[k][0]));
    const __m512 b1 = _mm512_broadcast_f32x4(_mm_load_ps(b.columns[k][1]));
    for (int h = 0; h < kHalves; ++h) {
      for (int v = 0; v < 2; ++v) {
        const __m512 row = _mm512_load_ps(a.rows[h][k] + 16 * v);
        acc[h][0][v] = _mm512_fmadd_ps(row, b0, acc[h][0][v]);
        acc[h][1][v] = _mm512_fmadd_ps(row, b1, acc[h][1][v]);
      }
    }
  }
  for (int h = 0; h < kHalves; ++h) {
    for (int e = 0; e < 2; ++e) {
      for (int v = 0; v < 2; ++v) _mm512_storeu_ps(sums[2 * h + e] + 16 * v, acc[h][e][v]);
    }
  }
#elif VGPU_ISA == 3
  for (int h = 0; h < kHalves; ++h) {
    // Sixteen lanes at a time.
    for (int v = 0; v < kWarpSize; v += 16) {
      __m256 acc[2][2];
      for (int e = 0; e < 2; ++e) {
        for (int i = 0; i < 2; ++i) acc[e][i] = _mm256_loadu_ps(sums[2 * h + e] + v + 8 * i);
      }
      for (int k = 0; k < K; ++k) {
        const __m256 b0 = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(b.columns[k][0]));
        const __m256 b1 = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(b.columns[k][1]));
        for (int i = 0; i < 2; ++i) {
          const __m256 row = _mm256_load_ps(a.rows[h][k] + v + 8 * i);
          acc[0][i] = _mm256_fmadd_ps(row, b0, acc[0][i]);
          acc[1][i] = _mm256_fmadd_ps(row, b1, acc[1][i]);
        }
      }
      for (int e = 0; e < 2; ++e) {
        for (int i = 0; i < 2; ++i) _mm256_storeu_ps(sums[2 * h + e] + v + 8 * i, acc[e][i]);
      }
    }
  }
#else
  for (int h = 0; h < kHalves; ++h) {
    for (int e = 0; e < 2; ++e) {
      float* sum = sums[2 * h + e];
      for (int k = 0; k < K; ++k) {
        const float* row = a.rows[h][k];
        const float* column = b.columns[k][e];
        for (int l = 0; l < kWarpSize; ++l) sum[l] += row[l] * column[l & 3];
      }
    }
  }
#endif
}

/// Spreads A's register fragments. `registers` holds, for each run of 4 * kPerRegister columns, rows l/4 and then l/4
/// + 8.
template <class E, int K, int kHalves>
inline void spread_fragments(const u32* const* registers, SpreadA<K>& a) {
  constexpr int kRun = 4 * E::kPerRegister;
  for (int j = 0; j < K / kRun; ++j) {
    for (int h = 0; h < kHalves; ++h) {
      const u32* r = registers[j * kHalves + h];
      for (int e = 0; e < E::kPerRegister; ++e) {
        alignas(64) float wide[kWarpSize];
        for (int l = 0; l < kWarpSize; ++l) wide[l] = E::get(r[l], e);
        for (int q = 0; q < 4; ++q) {
          float* row = a.rows[h][j * kRun + q * E::kPerRegister + e];
#if VGPU_ISA == 4
          // Lane q of each group of four, to all four.
          const __m512i pick = _mm512_setr_epi32(q, q, q, q, q + 4, q + 4, q + 4, q + 4, q + 8, q + 8, q + 8, q + 8,
                                                 q + 12, q + 12, q + 12, q + 12);
          for (int v = 0; v < 2; ++v)
            _mm512_store_ps(row + 16 * v, _mm512_permutexvar_ps(pick, _mm512_load_ps(wide + 16 * v)));
#elif VGPU_ISA == 3
          for (int v = 0; v < kWarpSize; v += 8)
            _mm256_store_ps(row + v, _mm256_permutevar_ps(_mm256_load_ps(wide + v), _mm256_set1_epi32(q)));
#else
          for (int l = 0; l < kWarpSize; ++l) row[l] = wide[(l & ~3) | q];
#endif
        }
      }
    }
  }
}

/// Eight columns of B from register fragments.
template <class E, int K>
inline void gather_columns(const u32* const* registers, ColumnsB<K>& b) {
  constexpr int kRun = 4 * E::kPerRegister;
  for (int j = 0; j < K / kRun; ++j) {
    const u32* r = registers[j];
    for (int e = 0; e < E::kPerRegister; ++e) {
      for (int l = 0; l < kWarpSize; ++l) {
        const int column = l >> 2, k = j * kRun + (l & 3) * E::kPerRegister + e;
        b.columns[k][column & 1][column >> 1] = E::get(r[l], e);
      }
    }
  }
}

}  // namespace vgpu::VGPU_LEVEL
