// Bulk reductions, copies between the blocks of a cluster, stores through im2col maps, asynchronous remote stores, 128-bit
// atomics and tensor maps that the kernel changes, for sm_90a.
#include <cstdint>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

struct alignas(64) TensorMap { unsigned char bytes[128]; };

__device__ __forceinline__ uint32_t shared_address(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }
__device__ __forceinline__ void init(uint64_t* b, int count) { asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(b)), "r"(count) : "memory"); }
__device__ __forceinline__ void expect(uint64_t* b, int bytes) { asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(b)), "r"(bytes) : "memory"); }
__device__ __forceinline__ void wait(uint64_t* b, int parity) {
  asm volatile("{ .reg .pred p; AGAIN: mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1; @!p bra AGAIN; }" ::"r"(shared_address(b)), "r"(parity) : "memory");
}
__device__ __forceinline__ void proxy_fence() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
__device__ __forceinline__ void finish() {
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
  asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
}
__device__ __forceinline__ void cluster_barrier() {
  asm volatile("barrier.cluster.arrive.aligned;" ::: "memory");
  asm volatile("barrier.cluster.wait.aligned;" ::: "memory");
}
__device__ __forceinline__ uint32_t cluster_rank() { uint32_t r; asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(r)); return r; }
__device__ __forceinline__ uint32_t in_block(const void* p, uint32_t rank) {
  uint32_t there;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(shared_address(p)), "r"(rank));
  return there;
}

// Every block reduces its 64 values of x into y.
#define REDUCE(name, type, op)                                                                                               \
  extern "C" __global__ void reduce_##name(const type* x, type* y) {                                                         \
    __shared__ alignas(16) type tile[64];                                                                                    \
    tile[threadIdx.x] = x[blockIdx.x * 64 + threadIdx.x];                                                                    \
    proxy_fence();                                                                                                           \
    __syncthreads();                                                                                                         \
    if (threadIdx.x != 0) return;                                                                                            \
    asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group." op " [%0], [%1], %2;" ::"l"(y), "r"(shared_address(tile)), "n"(sizeof tile) : "memory"); \
    finish();                                                                                                                \
  }
REDUCE(add_f32, float, "add.f32")
REDUCE(add_f64, double, "add.f64")
REDUCE(add_f16, half, "add.noftz.f16")
REDUCE(add_bf16, __nv_bfloat16, "add.noftz.bf16")
REDUCE(max_f16, half, "max.f16")
REDUCE(min_s64, long long, "min.s64")
REDUCE(max_u32, unsigned, "max.u32")
REDUCE(inc_u32, unsigned, "inc.u32")
REDUCE(xor_b64, unsigned long long, "xor.b64")

// The same with a tensor map, whose boxes of 8 x 8 lie beyond the tensor's edge in part.
extern "C" __global__ void reduce_tensor(const __grid_constant__ TensorMap map, const float* x, int column, int row) {
  __shared__ alignas(128) float tile[64];
  tile[threadIdx.x] = x[threadIdx.x];
  proxy_fence();
  __syncthreads();
  if (threadIdx.x != 0) return;
  asm volatile("cp.reduce.async.bulk.tensor.2d.global.shared::cta.add.tile.bulk_group [%0, {%1, %2}], [%3];" ::"l"(&map), "r"(column), "r"(row), "r"(shared_address(tile)) : "memory");
  finish();
}

// `pixels` positions of 8 channels out through an im2col map of 4 dimensions.
extern "C" __global__ void store_im2col(const __grid_constant__ TensorMap map, const uint4* x, int pixels, int c, int w, int h, int n) {
  extern __shared__ __align__(128) uint4 tile[];
  for (int i = threadIdx.x; i < pixels; i += blockDim.x) tile[i] = x[i];
  proxy_fence();
  __syncthreads();
  if (threadIdx.x != 0) return;
  asm volatile("cp.async.bulk.tensor.4d.global.shared::cta.im2col_no_offs.bulk_group [%0, {%1, %2, %3, %4}], [%5];" ::"l"(&map), "r"(c), "r"(w), "r"(h), "r"(n), "r"(shared_address(tile)) : "memory");
  finish();
}

// Prefetches of what a load would read.
extern "C" __global__ void prefetch_tile(const __grid_constant__ TensorMap map, int column, int row) {
  if (threadIdx.x == 0) asm volatile("cp.async.bulk.prefetch.tensor.2d.L2.global.tile [%0, {%1, %2}];" ::"l"(&map), "r"(column), "r"(row) : "memory");
}
extern "C" __global__ void prefetch_im2col(const __grid_constant__ TensorMap map, int c, int w, int h, int n, int tap_w, int tap_h) {
  if (threadIdx.x == 0) asm volatile("cp.async.bulk.prefetch.tensor.4d.L2.global.im2col [%0, {%1, %2, %3, %4}], {%5, %6};" ::"l"(&map), "r"(c), "r"(w), "r"(h), "r"(n), "h"(static_cast<short>(tap_w)), "h"(static_cast<short>(tap_h)) : "memory");
}

// Each block copies its tile to the next of the cluster, and adds it to the one after.
extern "C" __global__ void __cluster_dims__(4, 1, 1) pass_on(const int* x, int* y, int* sums) {
  __shared__ alignas(16) int tile[32], copy[32], sum[32];
  __shared__ uint64_t landed;
  const uint32_t rank = cluster_rank();
  tile[threadIdx.x] = x[blockIdx.x * 32 + threadIdx.x];
  sum[threadIdx.x] = 1000;
  proxy_fence();
  if (threadIdx.x == 0) {
    init(&landed, 1);
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    expect(&landed, 2 * sizeof tile);
  }
  cluster_barrier();
  if (threadIdx.x == 0) {
    asm volatile("cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(in_block(copy, (rank + 1) % 4)), "r"(shared_address(tile)), "n"(sizeof tile), "r"(in_block(&landed, (rank + 1) % 4)) : "memory");
    asm volatile("cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes.add.s32 [%0], [%1], %2, [%3];" ::"r"(in_block(sum, (rank + 2) % 4)), "r"(shared_address(tile)), "n"(sizeof tile), "r"(in_block(&landed, (rank + 2) % 4)) : "memory");
  }
  wait(&landed, 0);
  y[blockIdx.x * 32 + threadIdx.x] = copy[threadIdx.x];
  sums[blockIdx.x * 32 + threadIdx.x] = sum[threadIdx.x];
  cluster_barrier();
}

// Every thread stores a pair to the neighbour, and counts there, both asynchronously.
extern "C" __global__ void __cluster_dims__(2, 1, 1) remote_stores(int2* y, unsigned* counts) {
  __shared__ alignas(8) int2 tile[32];
  __shared__ unsigned counter;
  __shared__ uint64_t landed;
  const uint32_t other = cluster_rank() ^ 1;
  if (threadIdx.x == 0) {
    counter = 7;
    init(&landed, 1);
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    expect(&landed, 32 * (8 + 4));
  }
  cluster_barrier();
  asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.s32 [%0], {%1, %2}, [%3];" ::"r"(in_block(tile + threadIdx.x, other)), "r"(blockIdx.x), "r"(threadIdx.x * 3), "r"(in_block(&landed, other)) : "memory");
  asm volatile("red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%0], %1, [%2];" ::"r"(in_block(&counter, other)), "r"(threadIdx.x), "r"(in_block(&landed, other)) : "memory");
  wait(&landed, 0);
  y[blockIdx.x * 32 + threadIdx.x] = tile[threadIdx.x];
  if (threadIdx.x == 0) counts[blockIdx.x] = counter;
  cluster_barrier();
}

// A running 128-bit sum, by compare-and-swap: the low half counts, the high half sums the block's numbers.
extern "C" __global__ void wide_atomics(ulonglong2* total, ulonglong2* before) {
  const uint64_t add = blockIdx.x + 1;
  uint64_t low, high, seen_low, seen_high;
  asm volatile("{ .reg .b128 v; ld.relaxed.gpu.global.b128 v, [%2]; mov.b128 {%0, %1}, v; }" : "=l"(low), "=l"(high) : "l"(total) : "memory");
  while (true) {
    asm volatile("{ .reg .b128 o, e, n; mov.b128 e, {%3, %4}; mov.b128 n, {%5, %6}; atom.relaxed.gpu.global.cas.b128 o, [%2], e, n; mov.b128 {%0, %1}, o; }"
                 : "=l"(seen_low), "=l"(seen_high) : "l"(total), "l"(low), "l"(high), "l"(low + 1), "l"(high + add) : "memory");
    if (seen_low == low && seen_high == high) break;
    low = seen_low;
    high = seen_high;
  }
  before[blockIdx.x * blockDim.x + threadIdx.x] = make_ulonglong2(low, high);
}

// Points a map at another tensor of another size, then loads through it: the warp changes it in shared memory and
// releases it to global memory.
extern "C" __global__ void replace_map(const __grid_constant__ TensorMap given, TensorMap* scratch, const half* x, int columns, int rows, half* y) {
  __shared__ alignas(128) TensorMap map;
  __shared__ alignas(128) half tile[8 * 32];
  __shared__ uint64_t full;
  const int lane = threadIdx.x;
  reinterpret_cast<uint32_t*>(&map)[lane] = reinterpret_cast<const uint32_t*>(&given)[lane];
  __syncwarp();
  if (lane == 0) {
    const uint32_t at = shared_address(&map);
    asm volatile("tensormap.replace.tile.global_address.shared::cta.b1024.b64 [%0], %1;" ::"r"(at), "l"(x) : "memory");
    asm volatile("tensormap.replace.tile.global_dim.shared::cta.b1024.b32 [%0], 0, %1;" ::"r"(at), "r"(columns) : "memory");
    asm volatile("tensormap.replace.tile.global_dim.shared::cta.b1024.b32 [%0], 1, %1;" ::"r"(at), "r"(rows) : "memory");
    asm volatile("tensormap.replace.tile.global_stride.shared::cta.b1024.b64 [%0], 0, %1;" ::"r"(at), "l"(static_cast<uint64_t>(columns) * 2) : "memory");
    init(&full, 1);
  }
  __syncwarp();
  asm volatile("tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.gpu.sync.aligned [%0], [%1], 128;" ::"l"(scratch), "r"(shared_address(&map)) : "memory");
  asm volatile("fence.proxy.tensormap::generic.acquire.gpu [%0], 128;" ::"l"(scratch) : "memory");
  if (lane == 0) {
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    expect(&full, sizeof tile);
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(shared_address(tile)), "l"(scratch), "r"(8), "r"(2), "r"(shared_address(&full)) : "memory");
  }
  __syncwarp();
  wait(&full, 0);
  for (int i = lane; i < 8 * 32; i += 32) y[i] = tile[i];
}
