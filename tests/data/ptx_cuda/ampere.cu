// arch: sm_80
// What sm_80 brings, as a GEMM or an image kernel uses it: cp.async pipelines with zero fill, mbarriers, bf16, ldmatrix,
// wide atomics, split-K semaphores, cooperative barriers, traps.
#include <cstdint>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>

__device__ __forceinline__ uint32_t shared_address(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }
template <int kBytes> __device__ __forceinline__ void copy(void* to, const void* from, int size) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(to)), "l"(from), "n"(kBytes), "r"(size) : "memory");
}
__device__ __forceinline__ void commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kLeft> __device__ __forceinline__ void wait() { asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory"); }

// C = A * B of bf16, A row by row, B column by column, rounded to bf16; sizes need not be multiples of the tile. 64 x 64
// tiles of 4 warps, K in steps of 32 through a pipeline of 3 stages; K / 8 pieces of 16 bytes, the last filled with zero.
constexpr int kTile = 64, kStep = 32, kStages = 3, kPitch = kStep + 8;
extern "C" __global__ void __launch_bounds__(128) gemm_bf16(const __nv_bfloat16* a, const __nv_bfloat16* b, __nv_bfloat16* c, int m, int n, int k) {
  __shared__ alignas(16) __nv_bfloat16 tiles[kStages][2][kTile][kPitch];
  const int row0 = blockIdx.y * kTile, column0 = blockIdx.x * kTile, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const auto load = [&](int step) {
    for (int i = threadIdx.x; i < 2 * kTile * kStep / 8; i += 128) {
      const int which = i / (kTile * kStep / 8), r = i / (kStep / 8) % kTile, piece = i % (kStep / 8);
      const int row = (which == 0 ? row0 : column0) + r, at = step * kStep + piece * 8;
      const int limit = which == 0 ? m : n;
      int size = row < limit ? (k - at) * 2 : 0;
      size = size < 0 ? 0 : size > 16 ? 16 : size;
      const __nv_bfloat16* from = which == 0 ? a : b;
      copy<16>(&tiles[step % kStages][which][r][piece * 8], size != 0 ? from + static_cast<size_t>(row) * k + at : from, size);
    }
  };
  const int steps = (k + kStep - 1) / kStep;
  for (int s = 0; s < kStages - 1; ++s) {
    if (s < steps) load(s);
    commit();
  }
  float sums[2][4][4] = {};
  const int warp_row = warp / 2 * 32, warp_column = warp % 2 * 32;
  for (int step = 0; step < steps; ++step) {
    wait<kStages - 2>();
    __syncthreads();
    if (step + kStages - 1 < steps) load(step + kStages - 1);
    commit();
    auto& stage = tiles[step % kStages];
    for (int kk = 0; kk < kStep; kk += 16) {
      uint32_t fa[2][4], fb[4][2];
      for (int i = 0; i < 2; ++i)
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(fa[i][0]), "=r"(fa[i][1]), "=r"(fa[i][2]), "=r"(fa[i][3]) : "r"(shared_address(&stage[0][warp_row + i * 16 + lane % 16][kk + lane / 16 * 8])) : "memory");
      for (int j = 0; j < 4; ++j)
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];" : "=r"(fb[j][0]), "=r"(fb[j][1]) : "r"(shared_address(&stage[1][warp_column + j * 8 + lane % 8][kk + lane / 8 % 2 * 8])) : "memory");
      for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < 4; ++j) {
          float* d = sums[i][j];
          asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(fa[i][0]), "r"(fa[i][1]), "r"(fa[i][2]), "r"(fa[i][3]), "r"(fb[j][0]), "r"(fb[j][1]));
        }
      }
    }
  }
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 4; ++j) {
      for (int e = 0; e < 4; ++e) {
        const int row = row0 + warp_row + i * 16 + e / 2 * 8 + lane / 4, column = column0 + warp_column + j * 8 + lane % 4 * 2 + e % 2;
        if (row < m && column < n) c[static_cast<size_t>(row) * n + column] = __float2bfloat16(sums[i][j][e]);
      }
    }
  }
}

// Copies of 4, 8 and 16 bytes of which only the first `size` come from memory, seen by another thread after the barrier.
template <int kBytes> __device__ void zero_fill(const char* x, char* y, int size) {
  __shared__ __align__(16) char tile[64 * kBytes];
  const int at = threadIdx.x * kBytes;
  copy<kBytes>(tile + at, x + at, size);
  asm volatile("cp.async.wait_all;" ::: "memory");
  __syncthreads();
  for (int i = 0; i < kBytes; ++i) y[at + i] = tile[(63 - threadIdx.x) * kBytes + i];
}
extern "C" __global__ void zero_fill_4(const char* x, char* y, int size) { zero_fill<4>(x, y, size); }
extern "C" __global__ void zero_fill_8(const char* x, char* y, int size) { zero_fill<8>(x, y, size); }
extern "C" __global__ void zero_fill_16(const char* x, char* y, int size) { zero_fill<16>(x, y, size); }

// A producing warp fills a ring of two buffers, three warps consume it; sm_80's mbarriers pass them to and fro.
extern "C" __global__ void mbarrier_ring(const int* x, int* y, int rounds) {
  __shared__ int ring[2][96];
  __shared__ uint64_t full[2], empty[2];
  const auto init = [](uint64_t* b, int count) { asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(shared_address(b)), "r"(count) : "memory"); };
  const auto arrive = [](uint64_t* b) { asm volatile("{ .reg .b64 s; mbarrier.arrive.shared.b64 s, [%0]; }" ::"r"(shared_address(b)) : "memory"); };
  const auto wait_parity = [](uint64_t* b, int parity) {
    int done = 0;
    while (!done) asm volatile("{ .reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], %2; selp.s32 %0, 1, 0, p; }" : "=r"(done) : "r"(shared_address(b)), "r"(parity) : "memory");
  };
  if (threadIdx.x == 0) {
    for (int i = 0; i < 2; ++i) {
      init(&full[i], 32);
      init(&empty[i], 96);
    }
  }
  __syncthreads();
  const int warp = threadIdx.x / 32;
  for (int r = 0; r < rounds; ++r) {
    const int slot = r % 2, parity = r / 2 % 2;
    if (warp == 0) {
      if (r >= 2) wait_parity(&empty[slot], parity ^ 1);
      for (int i = threadIdx.x; i < 96; i += 32)
        copy<4>(&ring[slot][i], x + r * 96 + i, 4);
      asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(shared_address(&full[slot])) : "memory");
    } else {
      wait_parity(&full[slot], parity);
      y[r * 96 + threadIdx.x - 32] = ring[slot][127 - threadIdx.x] + 1;
      arrive(&empty[slot]);
    }
  }
}

// Split-K with a semaphore: the blocks of a tile take turns, each adds its part to what those before have left.
extern "C" __global__ void split_k(const float* x, float* y, int* semaphores, int parts) {
  const int tile = blockIdx.x, part = blockIdx.y;
  const float mine = x[(part * gridDim.x + tile) * blockDim.x + threadIdx.x];
  if (threadIdx.x == 0) {
    int turn;
    do asm volatile("ld.global.acquire.gpu.b32 %0, [%1];" : "=r"(turn) : "l"(semaphores + tile) : "memory"); while (turn != part);
  }
  __syncthreads();
  float* place = y + tile * blockDim.x + threadIdx.x;
  *place = part == 0 ? mine : *place * 0.5f + mine;
  __syncthreads();
  if (threadIdx.x == 0) asm volatile("st.global.release.gpu.b32 [%0], %1;" ::"l"(semaphores + tile), "r"(part + 1 == parts ? 0 : part + 1) : "memory");
}

// The last block to finish sums what all have left.
__device__ unsigned finished = 0;
extern "C" __global__ void last_block(const float* x, float* parts, float* y) {
  __shared__ float sums[4];
  __shared__ bool last;
  float v = x[blockIdx.x * blockDim.x + threadIdx.x];
  for (int i = 16; i > 0; i /= 2) v += __shfl_down_sync(0xffffffff, v, i);
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = v;
  __syncthreads();
  if (threadIdx.x == 0) {
    parts[blockIdx.x] = sums[0] + sums[1] + sums[2] + sums[3];
    __threadfence();
    last = atomicInc(&finished, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last) return;
  __threadfence();
  float sum = 0;
  for (int i = threadIdx.x; i < gridDim.x; i += blockDim.x) sum += parts[i];
  for (int i = 16; i > 0; i /= 2) sum += __shfl_down_sync(0xffffffff, sum, i);
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) *y = sums[0] + sums[1] + sums[2] + sums[3];
}

// A barrier of the whole grid, as cooperative groups make it, between rounds of a stencil.
extern "C" __global__ void grid_barrier(float* x, float* y, unsigned* arrived, int rounds) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x, n = gridDim.x * blockDim.x;
  for (int r = 0; r < rounds; ++r) {
    const float* from = r % 2 == 0 ? x : y;
    float* to = r % 2 == 0 ? y : x;
    to[i] = from[(i + 1) % n] + from[(i + n - 1) % n];
    __syncthreads();
    if (threadIdx.x == 0) {
      __threadfence();
      // The first block's share makes the top bit flip when all have come.
      const unsigned share = blockIdx.x == 0 ? 0x80000000u - (gridDim.x - 1) : 1;
      const unsigned before = atomicAdd(arrived, share);
      while (((*reinterpret_cast<volatile unsigned*>(arrived) ^ before) & 0x80000000u) == 0) {}
      __threadfence();
    }
    __syncthreads();
  }
}

// 64-bit atomics: addition, maximum, exchange by the largest, a packed argmax by compare-and-swap.
extern "C" __global__ void wide_atomics(const int* x, unsigned long long* y, double* sum) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned long long packed = static_cast<unsigned long long>(x[i]) << 32 | i;
  atomicAdd(&y[0], packed);
  atomicMax(&y[1], packed);
  atomicXor(&y[2], packed);
  unsigned long long old = *reinterpret_cast<volatile unsigned long long*>(&y[3]);
  while (packed < old) {
    const unsigned long long seen = atomicCAS(&y[3], old, packed);
    if (seen == old) break;
    old = seen;
  }
  atomicAdd(sum, x[i] * 0.25);
}

// bf16 arithmetic: pairs multiplied, added and compared, and the smallest of a row.
extern "C" __global__ void bf16_arithmetic(const __nv_bfloat162* x, __nv_bfloat162* y, __nv_bfloat162 scale) {
  const __nv_bfloat162 v = x[threadIdx.x];
  __nv_bfloat162 r = __hfma2(v, scale, __hmax2(v, scale));
  r = __hmin2(r, __hmul2(v, v));
  y[threadIdx.x] = __hgt2(v, scale).x == __nv_bfloat16(1.0f) ? r : __hadd2(r, v);
}

// Warp matrices through nvcc's own interface: f16 and bf16 factors, f32 sums, one 16 x 16 tile a warp.
template <class T, class Layout> __device__ void warp_matrix(const T* a, const T* b, float* c, int k) {
  using namespace nvcuda::wmma;
  fragment<matrix_a, 16, 16, 16, T, row_major> fa;
  fragment<matrix_b, 16, 16, 16, T, Layout> fb;
  fragment<accumulator, 16, 16, 16, float> sum;
  load_matrix_sync(sum, c, 16, mem_row_major);
  for (int i = 0; i < k; i += 16) {
    load_matrix_sync(fa, a + i, k);
    load_matrix_sync(fb, std::is_same<Layout, col_major>::value ? b + i : b + i * 16, std::is_same<Layout, col_major>::value ? k : 16);
    mma_sync(sum, fa, fb, sum);
  }
  for (int i = 0; i < sum.num_elements; ++i) sum.x[i] *= 2.0f;
  store_matrix_sync(c, sum, 16, mem_col_major);
}
extern "C" __global__ void wmma_f16(const half* a, const half* b, float* c, int k) { warp_matrix<half, nvcuda::wmma::col_major>(a, b, c, k); }
extern "C" __global__ void wmma_bf16(const __nv_bfloat16* a, const __nv_bfloat16* b, float* c, int k) { warp_matrix<__nv_bfloat16, nvcuda::wmma::row_major>(a, b, c, k); }
// 8-bit integers in the tall shape, through shared memory.
extern "C" __global__ void wmma_s8(const signed char* a, const signed char* b, int* c) {
  using namespace nvcuda::wmma;
  __shared__ alignas(32) signed char tile[32 * 16];
  for (int i = threadIdx.x; i < 32 * 16; i += 32) tile[i] = a[i];
  __syncwarp();
  fragment<matrix_a, 32, 8, 16, signed char, row_major> fa;
  fragment<matrix_b, 32, 8, 16, signed char, col_major> fb;
  fragment<accumulator, 32, 8, 16, int> sum;
  fill_fragment(sum, 0);
  load_matrix_sync(fa, tile, 16);
  load_matrix_sync(fb, b, 16);
  mma_sync(sum, fa, fb, sum);
  store_matrix_sync(c, sum, 8, mem_row_major);
}

// Stops where a number is negative.
extern "C" __global__ void positive_only(const float* x, float* y) {
  if (!(x[threadIdx.x] >= 0)) __trap();
  y[threadIdx.x] = sqrtf(x[threadIdx.x]);
}
