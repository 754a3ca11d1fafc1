// Kernels with one planted fault each, on the line marked FAULT, and the same kernels repaired.
// The template argument says which: true is broken. Compiled by make_ptx.sh.
#include <cstdint>
#include <cuda_fp16.h>

__device__ __forceinline__ uint32_t shared_address(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }
__device__ __forceinline__ void mbarrier_init(uint64_t* b, int count) { asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(b)), "r"(count) : "memory"); }
__device__ __forceinline__ void mbarrier_arrive(uint64_t* b) { asm volatile("{ .reg .b64 s; mbarrier.arrive.shared::cta.b64 s, [%0]; }" ::"r"(shared_address(b)) : "memory"); }
__device__ __forceinline__ void mbarrier_expect(uint64_t* b, int bytes) { asm volatile("{ .reg .b64 s; mbarrier.arrive.expect_tx.shared::cta.b64 s, [%0], %1; }" ::"r"(shared_address(b)), "r"(bytes) : "memory"); }
__device__ __forceinline__ void mbarrier_wait(uint64_t* b, int parity) {
  asm volatile("{ .reg .pred p; WAIT_AGAIN: mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1; @!p bra WAIT_AGAIN; }" ::"r"(shared_address(b)), "r"(parity) : "memory");
}
__device__ __forceinline__ void bulk_load(void* to, const void* from, int bytes, uint64_t* b) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(shared_address(to)), "l"(from), "r"(bytes), "r"(shared_address(b)) : "memory");
}
__device__ __forceinline__ void proxy_fence() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// Addresses.
template <bool kBroken> __device__ void read_past_end(float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (kBroken || i < n) y[i % n] = x[i];  // FAULT read_past_end
}
template <bool kBroken> __device__ void write_past_end(float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (kBroken ? i <= n : i < n) y[i] = 1.0f;  // FAULT write_past_end
}
template <bool kBroken> __device__ void shared_past_end(float* x, float* y, int n) {
  extern __shared__ float tile[];
  tile[threadIdx.x + (kBroken ? 1 : 0)] = x[threadIdx.x];  // FAULT shared_past_end
  __syncthreads();
  y[threadIdx.x] = tile[n - 1];
}
template <bool kBroken> __device__ void null_pointer(float* x, float* y, int n) {
  float* p = kBroken ? reinterpret_cast<float*>(static_cast<uintptr_t>(n - 5)) : y;
  p[threadIdx.x] = x[threadIdx.x];  // FAULT null_pointer
}
template <bool kBroken> __device__ void misaligned_global(float* x, float* y, int n) {
  const float4 v = *reinterpret_cast<const float4*>(x + 4 * threadIdx.x + (kBroken ? n % 4 : 0));  // FAULT misaligned_global
  y[threadIdx.x] = v.x + v.w;
}
template <bool kBroken> __device__ void misaligned_shared(float* x, float* y, int n) {
  extern __shared__ float tile[];
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  const float2 v = *reinterpret_cast<const float2*>(tile + (threadIdx.x & 30) + (kBroken ? n % 2 : 0));  // FAULT misaligned_shared
  y[threadIdx.x] = v.x + v.y;
}

// Definedness.
template <bool kBroken> __device__ void uninitialised_global(float* x, float* y, int n) {
  // x is not written by the host; y is read only where the kernel wrote it.
  if (!kBroken) x[threadIdx.x] = 1.0f;
  y[threadIdx.x] = x[threadIdx.x] + 1.0f;  // FAULT uninitialised_global
}
template <bool kBroken> __device__ void uninitialised_shared(float* x, float* y, int n) {
  extern __shared__ float tile[];
  if (!kBroken || threadIdx.x != 5) tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x ^ 1] * 2.0f;  // FAULT uninitialised_shared
}
template <bool kBroken> __device__ void uninitialised_index(int* x, float* y, int n) {
  extern __shared__ int index[];
  if (!kBroken || threadIdx.x < 31) index[threadIdx.x] = n - 1 - threadIdx.x;
  __syncthreads();
  y[index[threadIdx.x]] = 1.0f;  // FAULT uninitialised_index
}
template <bool kBroken> __device__ void uninitialised_branch(float* x, float* y, int n) {
  volatile float local[8];
  for (int i = 0; i < (kBroken ? 7 : 8); ++i) local[i] = x[i];
  if (local[(threadIdx.x + n) & 7] > 0.5f) __nanosleep(20);  // FAULT uninitialised_branch
  y[threadIdx.x] = 0.0f;
}

// Races in shared memory.
template <bool kBroken> __device__ void race_read_after_write(float* x, float* y, int n) {
  extern __shared__ float tile[];
  tile[threadIdx.x] = x[threadIdx.x];
  if (!kBroken) __syncthreads();
  y[threadIdx.x] = tile[(threadIdx.x + 32) % blockDim.x];  // FAULT race_read_after_write
}
template <bool kBroken> __device__ void race_write_after_read(float* x, float* y, int n) {
  extern __shared__ float tile[];
  float sum = 0;
  for (int k = 0; k < 4; ++k) {
    tile[threadIdx.x] = x[threadIdx.x] + k;  // FAULT race_write_after_read
    __syncthreads();
    sum += tile[(threadIdx.x + 32) % blockDim.x];
    if (!kBroken) __syncthreads();
  }
  y[threadIdx.x] = sum;
}
template <bool kBroken> __device__ void race_write_after_write(float* x, float* y, int n) {
  extern __shared__ float tile[];
  if (kBroken || threadIdx.x < 32) tile[threadIdx.x % 32] = x[threadIdx.x] + threadIdx.x;  // FAULT race_write_after_write
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x % 32];
}
template <bool kBroken> __device__ void race_named_barrier(float* x, float* y, int n) {
  extern __shared__ float tile[];
  // Two halves of the block synchronise on barriers of their own; the broken one looks into the other half.
  const int half = threadIdx.x / 64;
  tile[threadIdx.x] = x[threadIdx.x];
  asm volatile("bar.sync %0, 64;" ::"r"(half + 1) : "memory");
  const int other = kBroken ? (threadIdx.x + 64) % 128 : half * 64 + (threadIdx.x + 32) % 64;
  y[threadIdx.x] = tile[other];  // FAULT race_named_barrier
}

// Races in global memory.
template <bool kBroken> __device__ void race_between_blocks(float* x, float* y, int n) {
  if (threadIdx.x == 0) y[kBroken ? 0 : blockIdx.x] = x[blockIdx.x] + blockIdx.x;  // FAULT race_between_blocks
}
template <bool kBroken> __device__ void race_read_of_other_block(float* x, float* y, int n) {
  y[blockIdx.x * blockDim.x + threadIdx.x] = 1.0f;
  if (kBroken && threadIdx.x == 0) x[blockIdx.x] = y[(blockIdx.x + 1) % gridDim.x * blockDim.x];  // FAULT race_read_of_other_block
}
__device__ unsigned int ticket_counter = 0;
template <bool kBroken> __device__ void last_block(float* x, float* y, int n) {
  __shared__ bool last;
  x[blockIdx.x * blockDim.x + threadIdx.x] = 1.0f;
  if (!kBroken) __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicInc(&ticket_counter, gridDim.x - 1) == gridDim.x - 1;
  __syncthreads();
  if (!last) return;
  float sum = 0;
  for (int i = threadIdx.x; i < gridDim.x * blockDim.x; i += blockDim.x) sum += x[i];  // FAULT last_block
  y[threadIdx.x] = sum;
}

// Races within a warp, and in global memory within a block.
template <bool kBroken> __device__ void lanes_disagree(float* x, float* y, int n) {
  extern __shared__ float tile[];
  tile[threadIdx.x / 2] = kBroken ? threadIdx.x : threadIdx.x / 2;  // FAULT lanes_disagree
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x / 2];
}
template <bool kBroken> __device__ void race_between_lanes(float* x, float* y, int n) {
  extern __shared__ float tile[];
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  if (threadIdx.x % 32 < n) {
    for (int i = 0; i < n; ++i) tile[threadIdx.x] += x[i];
  }
  if (!kBroken) __syncwarp();
  y[threadIdx.x] = tile[threadIdx.x ^ 1];  // FAULT race_between_lanes
}
template <bool kBroken> __device__ void race_between_warps(float* x, float* y, int n) {
  y[threadIdx.x] = threadIdx.x;
  if (!kBroken) __syncthreads();
  x[threadIdx.x] = y[(threadIdx.x + 32) % blockDim.x];  // FAULT race_between_warps
}
template <bool kBroken> __device__ void warps_disagree(float* x, float* y, int n) {
  if (threadIdx.x % 32 == 0) y[0] = kBroken ? threadIdx.x : n;  // FAULT warps_disagree
}
// A flag is read, then the data that it announces, by the same thread.
template <bool kBroken> __device__ void read_without_acquire(float* x, float* y, int n) {
  unsigned* flag = reinterpret_cast<unsigned*>(y + 512);
  if (threadIdx.x != 0) return;
  if (blockIdx.x == 0) {
    x[0] = 3.0f;
    __threadfence();
    asm volatile("st.relaxed.gpu.global.u32 [%0], 1;" ::"l"(flag) : "memory");
  } else {
    unsigned seen;
    do asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(flag) : "memory"); while (seen != 1);
    if (!kBroken) __threadfence();
    y[blockIdx.x] = x[0];  // FAULT read_without_acquire
  }
}

// Asynchronous copies.
template <bool kBroken> __device__ void copy_without_wait(float* x, float* y, int n) {
  extern __shared__ float tile[];
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(shared_address(tile + threadIdx.x)), "l"(x + threadIdx.x) : "memory");
  asm volatile("cp.async.commit_group;" ::: "memory");
  if (!kBroken) asm volatile("cp.async.wait_group 0;" ::: "memory");
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x ^ 1];  // FAULT copy_without_wait
}
template <bool kBroken> __device__ void copy_without_barrier(float* x, float* y, int n) {
  extern __shared__ float tile[];
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(shared_address(tile + threadIdx.x)), "l"(x + threadIdx.x) : "memory");
  asm volatile("cp.async.wait_all;" ::: "memory");
  if (!kBroken) __syncthreads();
  y[threadIdx.x] = tile[(threadIdx.x + 32) % blockDim.x];  // FAULT copy_without_barrier
}
template <bool kBroken> __device__ void copy_one_group_short(float* x, float* y, int n) {
  extern __shared__ float tile[];
  for (int g = 0; g < 2; ++g) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(shared_address(tile + g * blockDim.x + threadIdx.x)), "l"(x + threadIdx.x) : "memory");
    asm volatile("cp.async.commit_group;" ::: "memory");
  }
  if (kBroken) asm volatile("cp.async.wait_group 1;" ::: "memory");
  else asm volatile("cp.async.wait_group 0;" ::: "memory");
  __syncthreads();
  y[threadIdx.x] = tile[blockDim.x + threadIdx.x];  // FAULT copy_one_group_short
}
template <bool kBroken> __device__ void bulk_without_wait(float* x, float* y, int n) {
  extern __shared__ __align__(128) float tile[];
  __shared__ uint64_t barrier;
  if (threadIdx.x == 0) {
    mbarrier_init(&barrier, 1);
    proxy_fence();
    mbarrier_expect(&barrier, 128);
    bulk_load(tile, x, 128, &barrier);
  }
  __syncthreads();
  if (!kBroken) mbarrier_wait(&barrier, 0);
  y[threadIdx.x] = tile[threadIdx.x & 31];  // FAULT bulk_without_wait
}
template <bool kBroken> __device__ void bulk_store_without_fence(float* x, float* y, int n) {
  extern __shared__ __align__(128) float tile[];
  tile[threadIdx.x] = x[threadIdx.x];
  if (!kBroken) proxy_fence();
  __syncthreads();
  if (threadIdx.x == 0) {
    asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], 128;" ::"l"(y), "r"(shared_address(tile)) : "memory");  // FAULT bulk_store_without_fence
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
    asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory");
  }
}
template <bool kBroken> __device__ void bulk_store_without_wait(float* x, float* y, int n) {
  extern __shared__ __align__(128) float tile[];
  tile[threadIdx.x] = x[threadIdx.x];
  proxy_fence();
  __syncthreads();
  if (threadIdx.x == 0) {
    asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], 128;" ::"l"(y), "r"(shared_address(tile)) : "memory");  // FAULT bulk_store_without_wait
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
    if (!kBroken) asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory");
  }
}
template <bool kBroken> __device__ void wgmma_without_wait(half* x, float* y, int n) {
  extern __shared__ __align__(1024) half tiles[];
  for (int i = threadIdx.x; i < 64 * 16 + 8 * 16; i += blockDim.x) tiles[i] = x[i];
  proxy_fence();
  __syncthreads();
  float d[4] = {0, 0, 0, 0};
  const uint64_t layout = uint64_t{8} << 16 | uint64_t{16} << 32;  // no swizzle: 128 bytes along K, 256 along M and N
  const uint64_t a = layout | shared_address(tiles) >> 4, b = layout | shared_address(tiles + 64 * 16) >> 4;
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
  asm volatile("wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%0, %1, %2, %3}, %4, %5, 1, 1, 1, 0, 0;" : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "l"(a), "l"(b));
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  if (!kBroken) asm volatile("wgmma.wait_group.sync.aligned 0;" : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])::"memory");
  y[threadIdx.x] = d[0] + d[1] + d[2] + d[3];  // FAULT wgmma_without_wait
}
template <bool kBroken> __device__ void wgmma_without_proxy_fence(half* x, float* y, int n) {
  extern __shared__ __align__(1024) half tiles[];
  for (int i = threadIdx.x; i < 64 * 16 + 8 * 16; i += blockDim.x) tiles[i] = x[i];
  if (!kBroken) proxy_fence();
  __syncthreads();
  float d[4] = {0, 0, 0, 0};
  const uint64_t layout = uint64_t{8} << 16 | uint64_t{16} << 32;
  const uint64_t a = layout | shared_address(tiles) >> 4, b = layout | shared_address(tiles + 64 * 16) >> 4;
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
  asm volatile("wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%0, %1, %2, %3}, %4, %5, 1, 1, 1, 0, 0;" : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "l"(a), "l"(b));  // FAULT wgmma_without_proxy_fence
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  asm volatile("wgmma.wait_group.sync.aligned 0;" : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])::"memory");
  y[threadIdx.x] = d[0] + d[1] + d[2] + d[3];
}

template <bool kBroken> __device__ void wgmma_without_fence(half* x, float* y, int n) {
  extern __shared__ __align__(1024) half tiles[];
  for (int i = threadIdx.x; i < 64 * 16 + 8 * 16; i += 128) tiles[i] = x[i];
  proxy_fence();
  __syncthreads();
  const uint64_t a = uint64_t{8} << 16 | uint64_t{16} << 32 | shared_address(tiles) >> 4, b = uint64_t{8} << 16 | uint64_t{16} << 32 | shared_address(tiles + 64 * 16) >> 4;
  float d[4] = {};
  for (int k = 0; k < n; ++k) {
    if (!kBroken || k == 0) asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
    asm volatile("wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%0, %1, %2, %3}, %4, %5, 1, 1, 1, 0, 0;" : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "l"(a), "l"(b));  // FAULT wgmma_without_fence
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
    asm volatile("wgmma.wait_group.sync.aligned 0;" : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])::"memory");
    for (int i = 0; i < 4; ++i) d[i] = d[i] * 0.5f + 1.0f;
  }
  y[threadIdx.x] = d[0] + d[1] + d[2] + d[3];
}

// Barriers.
template <bool kBroken> __device__ void barrier_after_exit(float* x, float* y, int n) {
  if (kBroken && threadIdx.x >= 96) return;
  y[threadIdx.x] = x[threadIdx.x];
  __syncthreads();  // FAULT barrier_after_exit
}
template <bool kBroken> __device__ void barrier_in_branch(float* x, float* y, int n) {
  if (!kBroken || threadIdx.x % 32 < 16) {
    asm volatile("bar.sync 0;" ::: "memory");  // FAULT barrier_in_branch
  }
  y[threadIdx.x] = x[threadIdx.x];
}
template <bool kBroken> __device__ void barrier_count(float* x, float* y, int n) {
  if (threadIdx.x < 64) asm volatile("bar.sync 3, %0;" ::"r"(kBroken ? 96 : 64) : "memory");  // FAULT barrier_count
  y[threadIdx.x] = x[threadIdx.x];
}
template <bool kBroken> __device__ void mbarrier_never_completes(float* x, float* y, int n) {
  __shared__ uint64_t barrier;
  if (threadIdx.x == 0) mbarrier_init(&barrier, kBroken ? blockDim.x + 1 : blockDim.x);
  __syncthreads();
  mbarrier_arrive(&barrier);
  mbarrier_wait(&barrier, 0);  // FAULT mbarrier_never_completes
  y[threadIdx.x] = x[threadIdx.x];
}
template <bool kBroken> __device__ void mbarrier_uninitialised(float* x, float* y, int n) {
  __shared__ uint64_t barrier;
  if (!kBroken && threadIdx.x == 0) mbarrier_init(&barrier, blockDim.x);
  __syncthreads();
  mbarrier_arrive(&barrier);  // FAULT mbarrier_uninitialised
  y[threadIdx.x] = x[threadIdx.x];
}
template <bool kBroken> __device__ void mbarrier_too_many(float* x, float* y, int n) {
  __shared__ uint64_t barrier;
  if (threadIdx.x == 0) {
    mbarrier_init(&barrier, blockDim.x + 1);
    if (kBroken) asm volatile("{ .reg .b64 s; mbarrier.arrive.shared::cta.b64 s, [%0], %1; }" ::"r"(shared_address(&barrier)), "r"(blockDim.x + 2) : "memory");  // FAULT mbarrier_too_many
  }
  __syncthreads();
  y[threadIdx.x] = x[threadIdx.x];
}
template <bool kBroken> __device__ void mbarrier_overwritten(float* x, float* y, int n) {
  __shared__ uint64_t barrier;
  if (threadIdx.x == 0) {
    mbarrier_init(&barrier, blockDim.x);
    if (kBroken) asm volatile("st.shared.b64 [%0], %1;" ::"r"(shared_address(&barrier)), "l"(uint64_t{0}) : "memory");  // FAULT mbarrier_overwritten
  }
  __syncthreads();
  y[threadIdx.x] = x[threadIdx.x];
}

template <bool kBroken> __device__ void flag_never_set(float* x, float* y, int n) {
  volatile float* flag = y + 512;
  if (threadIdx.x == 0 && blockIdx.x == 0) *flag = kBroken ? 0.0f : 1.0f;
  __threadfence();
  if (blockIdx.x == 1) {
    while (*flag != 1.0f) __nanosleep(20);  // FAULT flag_never_set
  }
  y[blockIdx.x * 32 + threadIdx.x] = x[threadIdx.x];
}

// Convergence.
template <bool kBroken> __device__ void matrix_in_branch(half* x, float* y, int n) {
  extern __shared__ __align__(16) half tiles[];
  if (threadIdx.x < 32) {
    for (int i = 0; i < 2; ++i) tiles[threadIdx.x * 2 + i] = x[threadIdx.x * 2 + i];
  }
  __syncthreads();
  uint32_t r = 0;
  if (threadIdx.x < (kBroken ? 16 : 32)) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(r) : "r"(shared_address(tiles + (threadIdx.x & 7) * 8)) : "memory");  // FAULT matrix_in_branch
  }
  y[threadIdx.x] = static_cast<float>(r & 0xffff);
}
template <bool kBroken> __device__ void shuffle_without_partner(float* x, float* y, int n) {
  float v = x[threadIdx.x];
  if (!kBroken || threadIdx.x % 32 != 7) v += __shfl_xor_sync(0xffffffff, v, 1);  // FAULT shuffle_without_partner
  else asm volatile("bar.warp.sync 0xffffffff;" ::: "memory");
  y[threadIdx.x] = v;
}
template <bool kBroken> __device__ void stops_itself(float* x, float* y, int n) {
  if (kBroken && x[threadIdx.x] > -1e30f) __trap();  // FAULT stops_itself
  y[threadIdx.x] = x[threadIdx.x];
}

#define BOTH(name, type)                                                                                     \
  extern "C" __global__ void name##_broken(type* x, float* y, int n) { name<true>(x, y, n); }                \
  extern "C" __global__ void name##_repaired(type* x, float* y, int n) { name<false>(x, y, n); }
BOTH(read_past_end, float)
BOTH(write_past_end, float)
BOTH(shared_past_end, float)
BOTH(null_pointer, float)
BOTH(misaligned_global, float)
BOTH(misaligned_shared, float)
BOTH(uninitialised_global, float)
BOTH(uninitialised_shared, float)
BOTH(uninitialised_index, int)
BOTH(uninitialised_branch, float)
BOTH(race_read_after_write, float)
BOTH(race_write_after_read, float)
BOTH(race_write_after_write, float)
BOTH(race_named_barrier, float)
BOTH(race_between_blocks, float)
BOTH(race_read_of_other_block, float)
BOTH(last_block, float)
BOTH(lanes_disagree, float)
BOTH(race_between_lanes, float)
BOTH(race_between_warps, float)
BOTH(warps_disagree, float)
BOTH(read_without_acquire, float)
BOTH(copy_without_wait, float)
BOTH(copy_without_barrier, float)
BOTH(copy_one_group_short, float)
BOTH(bulk_without_wait, float)
BOTH(bulk_store_without_fence, float)
BOTH(bulk_store_without_wait, float)
BOTH(wgmma_without_wait, half)
BOTH(wgmma_without_proxy_fence, half)
BOTH(wgmma_without_fence, half)
BOTH(barrier_after_exit, float)
BOTH(barrier_in_branch, float)
BOTH(barrier_count, float)
BOTH(mbarrier_never_completes, float)
BOTH(mbarrier_uninitialised, float)
BOTH(mbarrier_too_many, float)
BOTH(mbarrier_overwritten, float)
BOTH(flag_never_set, float)
BOTH(matrix_in_branch, half)
BOTH(shuffle_without_partner, float)
BOTH(stops_itself, float)
