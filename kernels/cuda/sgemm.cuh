// A tile of a matrix product in fp32 multiply-adds: the core of the list and mask kernels in fp32, which check those on
// tensor cores. 256 threads compute Side x Side results, (Side / 16)^2 each, over stretches of 16 k through shared
// memory; the next stretch travels to registers meanwhile. Sums run over k in order.
#pragma once

namespace maskrt::kernels::cuda {

constexpr int kSgemmThreads = 256;
constexpr int kSgemmDepth = 16;

/// Which index of an operand is contiguous in memory: neighbouring threads load along it.
enum class Contiguous { k, row };

/// Rows of k four words longer than the tile, in whose second half pairs of words change places: threads that store
/// along k then meet different banks, and those that read two or four words at once whole ones.
template <int Side>
struct alignas(16) SgemmShared {
  float a[kSgemmDepth][Side + 4];
  float b[kSgemmDepth][Side + 4];
};
__device__ constexpr int sgemm_place(int k, int row) { return k < kSgemmDepth / 2 ? row : row ^ 2; }

/// `Count` neighbours, 2 or 4, from `row` on, a multiple of that.
template <int Count>
__device__ void sgemm_read(const float* stored, int k, int row, float (&to)[Count]) {
  if constexpr (Count == 2) {
    const float2 two = *reinterpret_cast<const float2*>(stored + sgemm_place(k, row));
    to[0] = two.x, to[1] = two.y;
  } else {
    static_assert(Count == 4);
    const float4 four = *reinterpret_cast<const float4*>(stored + row);
    const int first = sgemm_place(k, 0);
    to[first] = four.x, to[first + 1] = four.y, to[first ^ 2] = four.z, to[(first ^ 2) + 1] = four.w;
  }
}

/// acc[i][j] += sum over k in [begin, end) of a(k, m) b(k, n), where m = threadIdx.x / 16 * (Side / 16) + i and
/// n = threadIdx.x % 16 * (Side / 16) + j. a and b are called with k < end, in ascending order of k for each thread,
/// with m, n < Side, and return 0 for rows that do not exist. With Contiguous::row a thread's row is always
/// threadIdx.x % Side.
template <int Side, Contiguous a_order, Contiguous b_order, typename A, typename B>
__device__ void sgemm(int begin, int end, A&& a, B&& b, SgemmShared<Side>& shared, float (&acc)[Side / 16][Side / 16]) {
  constexpr int kEach = Side / 16;
  const int thread = static_cast<int>(threadIdx.x), row = thread / 16 * kEach, column = thread % 16 * kEach;
  const auto k_of = [&](Contiguous order, int i) {
    return order == Contiguous::k ? thread % 16 : thread / Side + i * (kSgemmThreads / Side);
  };
  const auto row_of = [&](Contiguous order, int i) {
    return order == Contiguous::k ? thread / 16 + i * 16 : thread % Side;
  };
  float next_a[kEach], next_b[kEach];
  const auto load = [&](int k0) {
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      const int ka = k0 + k_of(a_order, i), kb = k0 + k_of(b_order, i);
      next_a[i] = ka < end ? a(ka, row_of(a_order, i)) : 0.0f;
      next_b[i] = kb < end ? b(kb, row_of(b_order, i)) : 0.0f;
    }
  };
  load(begin);
  for (int k0 = begin; k0 < end; k0 += kSgemmDepth) {
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      const int ka = k_of(a_order, i), kb = k_of(b_order, i);
      shared.a[ka][sgemm_place(ka, row_of(a_order, i))] = next_a[i];
      shared.b[kb][sgemm_place(kb, row_of(b_order, i))] = next_b[i];
    }
    __syncthreads();
    if (k0 + kSgemmDepth < end) load(k0 + kSgemmDepth);
#pragma unroll
    for (int k = 0; k < kSgemmDepth; ++k) {
      float x[kEach], y[kEach];
      sgemm_read(shared.a[k], k, row, x);
      sgemm_read(shared.b[k], k, column, y);
#pragma unroll
      for (int i = 0; i < kEach; ++i)
#pragma unroll
        for (int j = 0; j < kEach; ++j) acc[i][j] += x[i] * y[j];
    }
    __syncthreads();
  }
}

}  // namespace maskrt::kernels::cuda
