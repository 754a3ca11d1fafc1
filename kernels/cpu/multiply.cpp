#include "multiply.h"

#include "rows.h"
#include "vector.h"

namespace maskrt::kernels {
namespace {

/// Rows of the largest tile: its sums, a step's vectors of the right matrix and one number of the left one fill the 32
/// registers of AVX-512 and the 16 of AVX2.
template <int Lanes>
constexpr int kTileRows = Lanes == 16 ? 8 : 4;

/// A tile whose sums stay in registers.
template <int Lanes, int Rows, int Vectors, bool RowsAdjacent>
[[gnu::always_inline]] inline void multiply_tile(const Product& p, std::int64_t first) {
  using V = Vector<Lanes>;
  V total[Rows][Vectors];
  const float* start = p.start.data + first * p.start.row;
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v)
      total[r][v] = *reinterpret_cast<const V*>(start + r * p.start.row + v * p.start.vector);
  const std::int64_t run = p.left.run != 0 ? p.left.run : p.depth, row = RowsAdjacent ? 1 : p.left.row,
                     step = RowsAdjacent ? p.left.step : 1;
  const float* right = p.right;
  const float* begin = p.left.data + first * row;
  for (std::int64_t done = 0; done < p.depth; done += run, begin += p.left.next_run) {
    const float* number = begin;
    for (std::int64_t k = 0; k < run; ++k, number += step, right += p.right_step) {
      V line[Vectors];
      for (int v = 0; v < Vectors; ++v) line[v] = *reinterpret_cast<const V*>(right + v * Lanes);
      for (int r = 0; r < Rows; ++r)
        for (int v = 0; v < Vectors; ++v) total[r][v] += line[v] * number[r * row];
    }
  }
  float* sums = p.sums.data + first * p.sums.row;
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v) *reinterpret_cast<V*>(sums + r * p.sums.row + v * p.sums.vector) = total[r][v];
}

/// Tile by tile, the largest first; beside each of those a share of the next right matrix is fetched into L2.
template <int Lanes, int Vectors, bool RowsAdjacent>
[[gnu::always_inline]] inline void multiply_rows(const Product& p) {
  constexpr int tile = kTileRows<Lanes>;
  constexpr std::int64_t line = 64 / sizeof(float);
  const std::int64_t numbers = Vectors * Lanes * p.depth, share = (numbers * tile / p.rows + line) / line * line;
  const float* next = p.next_right;
  std::int64_t first = 0;
  for (; first + tile <= p.rows; first += tile) {
    if (next != nullptr) {
      for (std::int64_t i = 0; i < share; i += line) __builtin_prefetch(next + i, 0, 2);
      next += share;
    }
    multiply_tile<Lanes, tile, Vectors, RowsAdjacent>(p, first);
  }
  if (tile > 4 && first + 4 <= p.rows) multiply_tile<Lanes, 4, Vectors, RowsAdjacent>(p, first), first += 4;
  if (first + 2 <= p.rows) multiply_tile<Lanes, 2, Vectors, RowsAdjacent>(p, first), first += 2;
  if (first < p.rows) multiply_tile<Lanes, 1, Vectors, RowsAdjacent>(p, first);
}

template <int Lanes, bool RowsAdjacent>
[[gnu::always_inline]] inline void multiply_vectors(const Product& p) {
  static_assert(kMostVectors == 3);
  if (p.vectors == 3) {
    multiply_rows<Lanes, 3, RowsAdjacent>(p);
  } else if (p.vectors == 2) {
    multiply_rows<Lanes, 2, RowsAdjacent>(p);
  } else {
    multiply_rows<Lanes, 1, RowsAdjacent>(p);
  }
}

// Functions of their own, so that nothing else wants the registers of the loops.
MASKRT_CLONES void multiply_16(const Product& p) { multiply_vectors<16, false>(p); }
MASKRT_CLONES void multiply_8(const Product& p) { multiply_vectors<8, false>(p); }
MASKRT_CLONES void multiply_adjacent_16(const Product& p) { multiply_vectors<16, true>(p); }
MASKRT_CLONES void multiply_adjacent_8(const Product& p) { multiply_vectors<8, true>(p); }

}  // namespace

void multiply(int lanes, const Product& p) {
  if (p.left.step == 1) {
    (lanes == 16 ? multiply_16 : multiply_8)(p);
  } else {
    (lanes == 16 ? multiply_adjacent_16 : multiply_adjacent_8)(p);
  }
}

int vector_lanes() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) return 16;
#endif
  return 8;
}

}  // namespace maskrt::kernels
