// Clusters, tensor copies, wgmma and asynchronous copies with zero fill, for sm_90a.
#include <cstdint>
#include <cuda_fp16.h>

struct alignas(64) TensorMap { unsigned char bytes[128]; };

__device__ __forceinline__ uint32_t shared_address(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }
__device__ __forceinline__ void init(uint64_t* b, int count) { asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(b)), "r"(count) : "memory"); }
__device__ __forceinline__ void expect(uint64_t* b, int bytes) { asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(b)), "r"(bytes) : "memory"); }
__device__ __forceinline__ void wait(uint64_t* b, int parity) {
  asm volatile("{ .reg .pred p; AGAIN: mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1; @!p bra AGAIN; }" ::"r"(shared_address(b)), "r"(parity) : "memory");
}
__device__ __forceinline__ void cluster_barrier() {
  asm volatile("barrier.cluster.arrive.aligned;" ::: "memory");
  asm volatile("barrier.cluster.wait.aligned;" ::: "memory");
}
__device__ __forceinline__ uint32_t cluster_rank() { uint32_t r; asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(r)); return r; }

// Each block reads what its neighbour wrote into its own shared memory, and counts in block 0's.
extern "C" __global__ void __cluster_dims__(4, 1, 1) neighbours(int* y, int* count) {
  __shared__ int tile[64];
  __shared__ int counter;
  const uint32_t rank = cluster_rank();
  tile[threadIdx.x] = rank * 1000 + threadIdx.x;
  if (threadIdx.x == 0) counter = 0;
  cluster_barrier();
  uint32_t there, home;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(shared_address(tile + threadIdx.x)), "r"((rank + 1) % 4));
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(home) : "r"(shared_address(&counter)), "r"(0));
  int v;
  asm volatile("ld.shared::cluster.u32 %0, [%1];" : "=r"(v) : "r"(there) : "memory");
  asm volatile("red.relaxed.cluster.shared::cluster.add.u32 [%0], 1;" ::"r"(home) : "memory");
  y[blockIdx.x * 64 + threadIdx.x] = v;
  cluster_barrier();
  if (rank == 0 && threadIdx.x == 0) count[blockIdx.x / 4] = counter;
}

// Block 0 of each pair loads one tile into both.
extern "C" __global__ void __cluster_dims__(2, 1, 1) multicast(const __grid_constant__ TensorMap map, half* y, int row) {
  __shared__ alignas(128) half tile[16 * 32];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    init(&full, 1);
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    expect(&full, sizeof tile);
  }
  cluster_barrier();
  if (cluster_rank() == 0 && threadIdx.x == 0) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, {%2, %3}], [%4], %5;" ::"r"(shared_address(tile)),
                 "l"(&map), "r"(0), "r"(row), "r"(shared_address(&full)), "h"(static_cast<short>(3)) : "memory");
  }
  wait(&full, 0);
  for (int i = threadIdx.x; i < 16 * 32; i += blockDim.x) y[blockIdx.x * 16 * 32 + i] = tile[i];
  cluster_barrier();
}

// One tap of a convolution's input: `pixels` positions of `channels` channels, for 4-dimensional NHWC data.
extern "C" __global__ void im2col(const __grid_constant__ TensorMap map, half* y, int elements, int c, int w, int h, int n, int tap_w, int tap_h) {
  extern __shared__ __align__(128) half pixels[];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    init(&full, 1);
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    expect(&full, elements * 2);
    asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4, %5}], [%6], {%7, %8};" ::"r"(shared_address(pixels)),
                 "l"(&map), "r"(c), "r"(w), "r"(h), "r"(n), "r"(shared_address(&full)), "h"(static_cast<short>(tap_w)), "h"(static_cast<short>(tap_h)) : "memory");
  }
  __syncthreads();
  wait(&full, 0);
  for (int i = threadIdx.x; i < elements; i += blockDim.x) y[i] = pixels[i];
}

// A tile out to global memory through a swizzled box: the inverse of what a load does.
extern "C" __global__ void tensor_copy(const __grid_constant__ TensorMap from, const __grid_constant__ TensorMap to, int bytes, int x, int y, int to_x, int to_y) {
  extern __shared__ __align__(1024) unsigned char tile[];
  __shared__ uint64_t full;
  if (threadIdx.x == 0) {
    init(&full, 1);
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    expect(&full, bytes);
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(shared_address(tile)), "l"(&from), "r"(x), "r"(y), "r"(shared_address(&full)) : "memory");
    wait(&full, 0);
    asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%0, {%1, %2}], [%3];" ::"l"(&to), "r"(to_x), "r"(to_y), "r"(shared_address(tile)) : "memory");
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
    asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
  }
}

// D = A * B with m64n16k16: `image` is what shared memory holds, the descriptors say where and how the operands lie in it.
template <int kTransA, int kTransB> __device__ void product(const uint4* image, int chunks, uint64_t a, uint64_t b, float* d) {
  extern __shared__ __align__(1024) uint4 memory[];
  for (int i = threadIdx.x; i < chunks; i += blockDim.x) memory[i] = image[i];
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  const uint64_t base = shared_address(memory) >> 4;
  float c[8] = {};
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
  asm volatile("wgmma.mma_async.sync.aligned.m64n16k16.f32.f16.f16 {%0, %1, %2, %3, %4, %5, %6, %7}, %8, %9, 0, 1, 1, %10, %11;" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), "+f"(c[4]), "+f"(c[5]), "+f"(c[6]), "+f"(c[7]) : "l"(a + base), "l"(b + base), "n"(kTransA), "n"(kTransB));
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  asm volatile("wgmma.wait_group.sync.aligned 0;" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), "+f"(c[4]), "+f"(c[5]), "+f"(c[6]), "+f"(c[7])::"memory");
  const int row = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4, column = threadIdx.x % 4 * 2;
  for (int i = 0; i < 8; ++i) d[(row + i / 2 % 2 * 8) * 16 + i / 4 * 8 + column + i % 2] = c[i];
}
extern "C" __global__ void product_nn(const uint4* image, int chunks, uint64_t a, uint64_t b, float* d) { product<0, 0>(image, chunks, a, b, d); }
extern "C" __global__ void product_tt(const uint4* image, int chunks, uint64_t a, uint64_t b, float* d) { product<1, 1>(image, chunks, a, b, d); }

// A in registers, accumulated twice: D = 2 * A * B + C, in bf16. B: no swizzle, rows of 8 values, 128 bytes along K, 256 along N.
extern "C" __global__ void product_registers(const uint32_t* a, const uint4* b, float* d) {
  __shared__ __align__(128) uint4 memory[32];
  if (threadIdx.x < 32) memory[threadIdx.x] = b[threadIdx.x];
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  const int row = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4, pair = threadIdx.x % 4;
  uint32_t r[4];
  for (int i = 0; i < 4; ++i) r[i] = a[(row + i % 2 * 8) * 8 + i / 2 * 4 + pair];
  float c[8];
  for (int i = 0; i < 8; ++i) c[i] = d[(row + i / 2 % 2 * 8) * 16 + i / 4 * 8 + pair * 2 + i % 2];
  const uint64_t layout = uint64_t{8} << 16 | uint64_t{16} << 32 | shared_address(memory) >> 4;
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
  for (int k = 0; k < 2; ++k) {
    asm volatile("wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {%0, %1, %2, %3, %4, %5, %6, %7}, {%8, %9, %10, %11}, %12, 1, 1, 1, 0;" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), "+f"(c[4]), "+f"(c[5]), "+f"(c[6]), "+f"(c[7]) : "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3]), "l"(layout));
  }
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  asm volatile("wgmma.wait_group.sync.aligned 0;" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), "+f"(c[4]), "+f"(c[5]), "+f"(c[6]), "+f"(c[7])::"memory");
  for (int i = 0; i < 8; ++i) d[(row + i / 2 % 2 * 8) * 16 + i / 4 * 8 + pair * 2 + i % 2] = c[i];
}

// Copies of 4, 8 and 16 bytes of which only the first `size` come from memory; arrival on an mbarrier.
template <int kBytes> __device__ void zero_fill(const char* x, char* y, int size) {
  __shared__ __align__(16) char tile[32 * kBytes];
  __shared__ uint64_t landed;
  if (threadIdx.x == 0) init(&landed, blockDim.x);
  __syncthreads();
  const int at = threadIdx.x * kBytes;
  asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(tile + at)), "l"(x + at), "n"(kBytes), "r"(size) : "memory");
  asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(shared_address(&landed)) : "memory");
  wait(&landed, 0);
  for (int i = 0; i < kBytes; ++i) y[at + i] = tile[(31 - threadIdx.x) * kBytes + i];
}
extern "C" __global__ void zero_fill_4(const char* x, char* y, int size) { zero_fill<4>(x, y, size); }
extern "C" __global__ void zero_fill_8(const char* x, char* y, int size) { zero_fill<8>(x, y, size); }
extern "C" __global__ void zero_fill_16(const char* x, char* y, int size) { zero_fill<16>(x, y, size); }
