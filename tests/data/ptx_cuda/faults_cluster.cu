// Kernels of clusters of two blocks, of fences and of register pools, with one planted fault each on the line marked
// FAULT, and the same kernels repaired. The template argument says which: true is broken. Compiled by make_ptx.sh.
#include <cstdint>

__device__ __forceinline__ uint32_t shared_address(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }
__device__ __forceinline__ uint32_t cluster_rank() { uint32_t r; asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(r)); return r; }
__device__ __forceinline__ uint32_t in_block(const void* p, uint32_t rank) {
  uint32_t there;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(shared_address(p)), "r"(rank));
  return there;
}
__device__ __forceinline__ float load_there(uint32_t at) { float v; asm volatile("ld.shared::cluster.f32 %0, [%1];" : "=f"(v) : "r"(at) : "memory"); return v; }
__device__ __forceinline__ void store_there(uint32_t at, float v) { asm volatile("st.shared::cluster.f32 [%0], %1;" ::"r"(at), "f"(v) : "memory"); }
__device__ __forceinline__ void cluster_arrive() { asm volatile("barrier.cluster.arrive.aligned;" ::: "memory"); }
__device__ __forceinline__ void cluster_arrive_relaxed() { asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory"); }
__device__ __forceinline__ void cluster_wait() { asm volatile("barrier.cluster.wait.aligned;" ::: "memory"); }
__device__ __forceinline__ void cluster_barrier() { cluster_arrive(); cluster_wait(); }
__device__ __forceinline__ void init(uint64_t* b, int count) { asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(b)), "r"(count) : "memory"); }
__device__ __forceinline__ void init_fence() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
__device__ __forceinline__ void proxy_fence() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
__device__ __forceinline__ void expect(uint64_t* b, int bytes) { asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(b)), "r"(bytes) : "memory"); }
__device__ __forceinline__ void arrive_there(uint32_t b) { asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0];" ::"r"(b) : "memory"); }
__device__ __forceinline__ void arrive_there_relaxed(uint32_t b) { asm volatile("mbarrier.arrive.relaxed.cluster.shared::cluster.b64 _, [%0];" ::"r"(b) : "memory"); }
__device__ __forceinline__ void wait(uint64_t* b, int parity) {
  asm volatile("{ .reg .pred p; AGAIN: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%0], %1; @!p bra AGAIN; }" ::"r"(shared_address(b)), "r"(parity) : "memory");
}
__device__ __forceinline__ void wait_relaxed(uint64_t* b, int parity) {
  asm volatile("{ .reg .pred p; AGAIN: mbarrier.try_wait.parity.relaxed.cluster.shared::cta.b64 p, [%0], %1; @!p bra AGAIN; }" ::"r"(shared_address(b)), "r"(parity) : "memory");
}
__device__ __forceinline__ void copy_there(uint32_t to, const void* from, int bytes, uint32_t b) {
  asm volatile("cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(to), "r"(shared_address(from)), "r"(bytes), "r"(b) : "memory");
}

// Barriers of the cluster.
template <bool kBroken> __device__ void remote_store(float* x, float* y, int n) {
  __shared__ float tile[32];
  tile[threadIdx.x] = 0.0f;
  cluster_barrier();
  store_there(in_block(tile + threadIdx.x, cluster_rank() ^ 1), x[threadIdx.x]);
  if (!kBroken) cluster_barrier();
  y[blockIdx.x * 32 + threadIdx.x] = tile[threadIdx.x];  // FAULT remote_store
  cluster_barrier();
}
template <bool kBroken> __device__ void remote_load_before_wait(float* x, float* y, int n) {
  __shared__ float tile[32];
  tile[threadIdx.x] = x[threadIdx.x];
  cluster_arrive();
  if (!kBroken) cluster_wait();
  const float v = kBroken && blockIdx.x < n ? load_there(in_block(tile + threadIdx.x, cluster_rank() ^ 1)) : 0.0f;  // FAULT remote_load_before_wait
  if (kBroken) cluster_wait();
  y[blockIdx.x * 32 + threadIdx.x] = v + load_there(in_block(tile + threadIdx.x, cluster_rank() ^ 1));
  cluster_barrier();
}
// The remote read is over before its owner overwrites the place.
template <bool kBroken> __device__ void store_after_remote_load(float* x, float* y, int n) {
  __shared__ float tile[32];
  tile[threadIdx.x] = x[threadIdx.x];
  cluster_barrier();
  y[blockIdx.x * 32 + threadIdx.x] = load_there(in_block(tile + threadIdx.x, cluster_rank() ^ 1));
  if (kBroken) cluster_arrive_relaxed();
  else cluster_arrive();
  cluster_wait();
  tile[threadIdx.x] = n;  // FAULT store_after_remote_load
  y[blockIdx.x * 32 + threadIdx.x] += tile[threadIdx.x];
}
template <bool kBroken> __device__ void relaxed_cluster_arrive(float* x, float* y, int n) {
  __shared__ float tile[32];
  tile[threadIdx.x] = x[threadIdx.x];
  if (kBroken) cluster_arrive_relaxed();
  else cluster_arrive();
  cluster_wait();
  y[blockIdx.x * 32 + threadIdx.x] = load_there(in_block(tile + threadIdx.x, cluster_rank() ^ 1));  // FAULT relaxed_cluster_arrive
  cluster_barrier();
}
// A fence publishes for the relaxed arrival after it, as far as its scope reaches.
template <bool kBroken> __device__ void fence_before_relaxed_arrive(float* x, float* y, int n) {
  __shared__ float tile[32];
  tile[threadIdx.x] = x[threadIdx.x];
  if (kBroken) asm volatile("fence.acq_rel.cta;" ::: "memory");
  else asm volatile("fence.acq_rel.cluster;" ::: "memory");
  cluster_arrive_relaxed();
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
  y[blockIdx.x * 32 + threadIdx.x] = load_there(in_block(tile + threadIdx.x, cluster_rank() ^ 1));  // FAULT fence_before_relaxed_arrive
  cluster_barrier();
}
template <bool kBroken> __device__ void global_after_relaxed_arrive(float* x, float* y, int n) {
  y[blockIdx.x * 32 + threadIdx.x] = x[threadIdx.x];
  if (kBroken) cluster_arrive_relaxed();
  else cluster_arrive();
  cluster_wait();
  x[512 + blockIdx.x * 32 + threadIdx.x] = y[(blockIdx.x ^ 1) * 32 + threadIdx.x];  // FAULT global_after_relaxed_arrive
}
// A flag in the other block's memory announces the data beside it.
template <bool kBroken> __device__ void flag_without_release(float* x, float* y, int n) {
  __shared__ float tile[32];
  __shared__ unsigned flag;
  if (threadIdx.x == 0) flag = 0;
  cluster_barrier();
  const uint32_t other = cluster_rank() ^ 1;
  store_there(in_block(tile + threadIdx.x, other), x[threadIdx.x]);
  __syncwarp();
  if (threadIdx.x == 0) {
    if (kBroken) asm volatile("st.shared::cluster.u32 [%0], 1;" ::"r"(in_block(&flag, other)) : "memory");
    else asm volatile("st.release.cluster.shared::cluster.u32 [%0], 1;" ::"r"(in_block(&flag, other)) : "memory");
    unsigned seen;
    do asm volatile("ld.acquire.cluster.shared::cta.u32 %0, [%1];" : "=r"(seen) : "r"(shared_address(&flag)) : "memory"); while (seen != 1);  // FAULT flag_without_release
  }
  __syncwarp();
  y[blockIdx.x * 32 + threadIdx.x] = tile[threadIdx.x];
  cluster_barrier();
}

// mbarriers.
template <bool kBroken> __device__ void mbarrier_without_init_fence(float* x, float* y, int n) {
  __shared__ uint64_t barrier;
  if (threadIdx.x == 0) {
    init(&barrier, 32);
    if (!kBroken) init_fence();
  }
  __syncwarp();
  cluster_arrive_relaxed();
  cluster_wait();
  arrive_there(in_block(&barrier, cluster_rank() ^ 1));  // FAULT mbarrier_without_init_fence
  wait(&barrier, 0);
  y[blockIdx.x * 32 + threadIdx.x] = x[threadIdx.x];
  cluster_barrier();
}
// Initialised by the first warp, used by the second of the same block.
template <bool kBroken> __device__ void mbarrier_init_unordered(float* x, float* y, int n) {
  __shared__ uint64_t barrier;
  if (threadIdx.x == 0) init(&barrier, 64);
  if (kBroken) cluster_arrive_relaxed();
  else cluster_arrive();
  cluster_wait();
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(&barrier)) : "memory");  // FAULT mbarrier_init_unordered
  wait(&barrier, 0);
  y[blockIdx.x * 64 + threadIdx.x] = x[threadIdx.x];
}
__device__ __forceinline__ void init_for_both(uint64_t* barrier, int count) {
  if (threadIdx.x == 0) {
    init(barrier, count);
    init_fence();
  }
  cluster_barrier();
}
template <bool kBroken> __device__ void relaxed_mbarrier_arrive(float* x, float* y, int n) {
  __shared__ float tile[32];
  __shared__ uint64_t barrier;
  init_for_both(&barrier, 32);
  const uint32_t other = cluster_rank() ^ 1;
  store_there(in_block(tile + threadIdx.x, other), x[threadIdx.x]);
  if (kBroken) arrive_there_relaxed(in_block(&barrier, other));
  else arrive_there(in_block(&barrier, other));
  wait(&barrier, 0);
  y[blockIdx.x * 32 + threadIdx.x] = tile[threadIdx.x];  // FAULT relaxed_mbarrier_arrive
  cluster_barrier();
}
template <bool kBroken> __device__ void relaxed_mbarrier_wait(float* x, float* y, int n) {
  __shared__ float tile[32];
  __shared__ uint64_t barrier;
  init_for_both(&barrier, 32);
  const uint32_t other = cluster_rank() ^ 1;
  store_there(in_block(tile + threadIdx.x, other), x[threadIdx.x]);
  arrive_there(in_block(&barrier, other));
  wait_relaxed(&barrier, 0);
  if (!kBroken) asm volatile("fence.acq_rel.cluster;" ::: "memory");
  y[blockIdx.x * 32 + threadIdx.x] = tile[threadIdx.x];  // FAULT relaxed_mbarrier_wait
  cluster_barrier();
}

// Bulk copies into the other block.
template <bool kBroken> __device__ void bulk_seen_by_others(float* x, float* y, int n) {
  __shared__ alignas(16) float tile[32], copy[32];
  __shared__ uint64_t landed;
  if (threadIdx.x < 32) tile[threadIdx.x] = x[threadIdx.x];
  proxy_fence();
  init_for_both(&landed, 1);
  const uint32_t other = cluster_rank() ^ 1;
  if (threadIdx.x == 0) {
    expect(&landed, sizeof copy);
    copy_there(in_block(copy, other), tile, sizeof copy, in_block(&landed, other));
  }
  // The first warp waits for the bytes. A relaxed arrival tells the second that they are there, and no more.
  if (threadIdx.x < 32) wait(&landed, 0);
  if (kBroken) cluster_arrive_relaxed();
  else cluster_arrive();
  cluster_wait();
  if (threadIdx.x >= 32) y[blockIdx.x * 32 + threadIdx.x - 32] = copy[threadIdx.x - 32];  // FAULT bulk_seen_by_others
}
// A stage of shared memory is filled again by the other block's copy once its readers have arrived there.
template <bool kBroken> __device__ void bulk_over_unread(float* x, float* y, int n) {
  __shared__ alignas(16) float tile[32], stage[32];
  __shared__ uint64_t landed, empty;
  if (threadIdx.x == 0) init(&empty, 32);
  tile[threadIdx.x] = x[threadIdx.x];
  stage[threadIdx.x] = 1.0f;
  proxy_fence();
  init_for_both(&landed, 1);
  const uint32_t other = cluster_rank() ^ 1;
  const float before = stage[threadIdx.x];
  if (kBroken) arrive_there_relaxed(in_block(&empty, other));
  else arrive_there(in_block(&empty, other));
  if (threadIdx.x == 0) {
    expect(&landed, sizeof stage);
    wait(&empty, 0);
    copy_there(in_block(stage, other), tile, sizeof stage, in_block(&landed, other));  // FAULT bulk_over_unread
  }
  __syncwarp();
  wait(&landed, 0);
  y[blockIdx.x * 32 + threadIdx.x] = stage[threadIdx.x] + before;
  cluster_barrier();
}

// Prefetches of 4096 bytes of x.
__device__ __forceinline__ void prefetch(const void* from, int bytes) { asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(from), "r"(bytes) : "memory"); }
template <bool kBroken> __device__ void prefetch_past_end(float* x, float* y, int n) {
  if (threadIdx.x == 0) prefetch(x + 512, kBroken ? 2064 : 2048);  // FAULT prefetch_past_end
}
template <bool kBroken> __device__ void prefetch_misaligned(float* x, float* y, int n) {
  if (threadIdx.x == 0) prefetch(x + (kBroken ? 2 : 4), 16);  // FAULT prefetch_misaligned
}
template <bool kBroken> __device__ void prefetch_odd_size(float* x, float* y, int n) {
  if (threadIdx.x == 0) prefetch(x, kBroken ? 24 : 32);  // FAULT prefetch_odd_size
}

// 384 threads with 168 registers each.
template <int kRegisters> __device__ __forceinline__ void registers_dec() { asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters)); }
template <int kRegisters> __device__ __forceinline__ void registers_inc() { asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters)); }
template <bool kBroken> __device__ void registers_never_come(float* x, float* y, int n) {
  if (threadIdx.x >= 256) registers_dec<kBroken ? 48 : 40>();
  else registers_inc<232>();  // FAULT registers_never_come
  y[threadIdx.x] = x[threadIdx.x];
}
template <bool kBroken> __device__ void registers_of_warps_differ(float* x, float* y, int n) {
  if (threadIdx.x >= 320) registers_dec<kBroken ? 24 : 40>();  // FAULT registers_of_warps_differ
  else if (threadIdx.x >= 256) registers_dec<40>();
  y[threadIdx.x] = x[threadIdx.x];
}
template <bool kBroken> __device__ void registers_of_half_a_group(float* x, float* y, int n) {
  if (threadIdx.x >= (kBroken ? 320 : 256)) registers_dec<40>();  // FAULT registers_of_half_a_group
  y[threadIdx.x] = x[threadIdx.x];
}
template <bool kBroken> __device__ void registers_grow_downwards(float* x, float* y, int n) {
  if (threadIdx.x >= 256) {
    if (kBroken) registers_inc<40>();  // FAULT registers_grow_downwards
    else registers_dec<40>();
  }
  y[threadIdx.x] = x[threadIdx.x];
}

#define BOTH(name, ...)                                                                                      \
  extern "C" __global__ void __VA_ARGS__ name##_broken(float* x, float* y, int n) { name<true>(x, y, n); }   \
  extern "C" __global__ void __VA_ARGS__ name##_repaired(float* x, float* y, int n) { name<false>(x, y, n); }
BOTH(remote_store, __cluster_dims__(2, 1, 1))
BOTH(remote_load_before_wait, __cluster_dims__(2, 1, 1))
BOTH(store_after_remote_load, __cluster_dims__(2, 1, 1))
BOTH(relaxed_cluster_arrive, __cluster_dims__(2, 1, 1))
BOTH(fence_before_relaxed_arrive, __cluster_dims__(2, 1, 1))
BOTH(global_after_relaxed_arrive, __cluster_dims__(2, 1, 1))
BOTH(flag_without_release, __cluster_dims__(2, 1, 1))
BOTH(mbarrier_without_init_fence, __cluster_dims__(2, 1, 1))
BOTH(mbarrier_init_unordered, )
BOTH(relaxed_mbarrier_arrive, __cluster_dims__(2, 1, 1))
BOTH(relaxed_mbarrier_wait, __cluster_dims__(2, 1, 1))
BOTH(bulk_seen_by_others, __cluster_dims__(2, 1, 1))
BOTH(bulk_over_unread, __cluster_dims__(2, 1, 1))
BOTH(prefetch_past_end, )
BOTH(prefetch_misaligned, )
BOTH(prefetch_odd_size, )
BOTH(registers_never_come, __launch_bounds__(384, 1))
BOTH(registers_of_warps_differ, __launch_bounds__(384, 1))
BOTH(registers_of_half_a_group, __launch_bounds__(384, 1))
BOTH(registers_grow_downwards, __launch_bounds__(384, 1))
