// A shared-memory tile of SGEMM on the FP32 pipes: the main loop of the fp32 kernels for lists and masks, which serve
// as references for the tensor-core kernels.
//
// A block of 256 threads computes a tile of Side x Side results, each thread a register tile of (Side / 16)^2, in steps
// of 16 along k. Software pipelining: the operands of step i + 1 are loaded from global memory into registers while
// step i is multiplied from shared memory. Each result is summed over k in ascending order. A range of k that 16 does
// not divide, such as 40, ends with a step of 8 whose missing elements are zeros.
#pragma once

namespace maskrt::kernels::cuda {

constexpr int kSgemmThreads = 256;
constexpr int kSgemmDepth = 16;

/// Which index of an operand is contiguous in global memory: neighbouring threads load along it, so that their accesses
/// coalesce.
enum class Contiguous { k, row };

/// Operand tiles [k][row]. Each line is 4 words longer than the tile, and in lines 8..15 the row is swizzled (XOR 2):
/// stores along k are then free of bank conflicts, and reads of 2 or 4 neighbouring words stay one vector access.
template <int Side>
struct alignas(16) SgemmShared {
  float a[kSgemmDepth][Side + 4];
  float b[kSgemmDepth][Side + 4];
};
__device__ constexpr int sgemm_place(int k, int row) { return k < kSgemmDepth / 2 ? row : row ^ 2; }

/// Reads `Count` (2 or 4) neighbouring rows of line k, from `row` on, a multiple of Count; undoes the swizzle.
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
