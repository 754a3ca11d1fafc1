// arch: sm_75
// Divergence, calls, local memory, constants, shuffles and atomics, as nvcc lays them out.
#include <cstdint>

__constant__ float table[8] = {1, 2, 4, 8, 16, 32, 64, 128};
__device__ int total = 5;
__device__ int* total_pointer = &total;

// Each thread leaves the loop at another time, then all meet for the shuffle.
extern "C" __global__ void collatz(const int* x, int* y) {
  int n = x[threadIdx.x], steps = 0;
  while (n != 1) {
    n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    ++steps;
    if (steps > 1000) break;
  }
  y[threadIdx.x] = __shfl_xor_sync(0xffffffff, steps, 5);
}

__device__ __noinline__ int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
extern "C" __global__ void recursion(const int* x, int* y) { y[threadIdx.x] = fibonacci(x[threadIdx.x] % 12); }

struct Pair { float a; int b[3]; };
__device__ __noinline__ Pair make_pair(float a, int b) { return {a * 2, {b, b + 1, b + 2}}; }
extern "C" __global__ void structures(const int* x, int* y, Pair given) {
  const Pair p = x[threadIdx.x] % 2 == 0 ? make_pair(1.5f, x[threadIdx.x]) : given;
  y[threadIdx.x] = static_cast<int>(p.a) + p.b[x[threadIdx.x] % 3];
}

extern "C" __global__ void branches(const int* x, int* y) {
  const int v = x[threadIdx.x];
  int r = 0;
  switch (v % 9) {
    case 0: r = v + 1; break;
    case 1: r = v * 3; break;
    case 2: r = v - 7;
    case 3: r += v ^ 5; break;
    case 4: r = v << 2; break;
    case 5: r = -v; break;
    case 6: r = v / 3; break;
    case 7: r = v % 5; break;
    default: r = 99;
  }
  y[threadIdx.x] = r;
}

extern "C" __global__ void local_memory(const int* x, float* y) {
  float stack[16];
  for (int i = 0; i < 16; ++i) stack[i] = table[(i + x[threadIdx.x]) & 7] * i;
  float sum = 0;
  for (int i = 0; i < 5; ++i) sum += stack[(x[threadIdx.x] * (i + 1)) & 15];
  y[threadIdx.x] = sum;
}

// A lock that the lanes of one warp take in turn: needs independent progress of diverged lanes.
extern "C" __global__ void spin_lock(int* lock, int* y) {
  bool done = false;
  while (!done) {
    if (atomicCAS(lock, 0, 1) == 0) {
      volatile int* counter = y;
      *counter = *counter + 1;
      __threadfence();
      atomicExch(lock, 0);
      done = true;
    }
  }
}

extern "C" __global__ void votes(const int* x, unsigned* y) {
  const int v = x[threadIdx.x];
  unsigned r = __ballot_sync(0xffffffff, v % 3 == 0);
  if (v % 2 == 0) r += __popc(__activemask()) * 1000003u;
  r ^= __match_any_sync(0xffffffff, v % 4);
  if (__any_sync(0xffffffff, v == 77)) r += 7;
  if (__all_sync(0xffffffff, v >= 0)) r += 11;
  y[threadIdx.x] = r;
}

extern "C" __global__ void atomics(const int* x, int* sums, unsigned long long* wide, float* real) {
  const int v = x[threadIdx.x + blockIdx.x * blockDim.x];
  atomicAdd(&sums[v % 4], v);
  atomicMax(&sums[4], v);
  atomicMin(&sums[5], v);
  atomicOr(reinterpret_cast<unsigned*>(&sums[6]), 1u << (v & 31));
  atomicAdd(&wide[0], static_cast<unsigned long long>(v) << 30);
  atomicMax(&wide[1], static_cast<unsigned long long>(v) * v);
  atomicAdd(real, 0.5f);
  atomicAdd(total_pointer, 1);
}
extern "C" __global__ void read_total(int* y) { y[0] = total; }

// The last block to finish sums what all blocks wrote: released by the fence, acquired by the ticket.
__device__ unsigned ticket = 0;
extern "C" __global__ void last_block_sum(const float* x, float* partial, float* y) {
  __shared__ float tile[128];
  __shared__ bool last;
  tile[threadIdx.x] = x[blockIdx.x * blockDim.x + threadIdx.x];
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) tile[threadIdx.x] += tile[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = tile[0];
    __threadfence();
    last = atomicInc(&ticket, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    float sum = 0;
    for (int i = 0; i < gridDim.x; ++i) sum += *static_cast<volatile float*>(partial + i);
    y[0] = sum;
  }
}

// Blocks hand a value on, each waiting for the one before: needs resident blocks that make progress together.
extern "C" __global__ void chain(volatile int* flags, int* values) {
  if (threadIdx.x == 0) {
    int v = 0;
    if (blockIdx.x > 0) {
      while (flags[blockIdx.x - 1] == 0) {
      }
      __threadfence();
      v = values[blockIdx.x - 1];
    }
    values[blockIdx.x] = v + blockIdx.x;
    __threadfence();
    flags[blockIdx.x] = 1;
  }
}

// Producer and consumer halves with named barriers.
extern "C" __global__ void named_barriers(const int* x, int* y) {
  __shared__ int buffer[64];
  const int lane = threadIdx.x % 64;
  for (int k = 0; k < 8; ++k) {
    if (threadIdx.x < 64) {
      asm volatile("bar.sync 1, 128;" ::: "memory");
      buffer[lane] = x[lane] + k;
      __threadfence_block();
      asm volatile("bar.arrive 2, 128;" ::: "memory");
    } else {
      if (k == 0) asm volatile("bar.arrive 1, 128;" ::: "memory");
      asm volatile("bar.sync 2, 128;" ::: "memory");
      y[k * 64 + lane] = buffer[63 - lane];
      if (k < 7) asm volatile("bar.arrive 1, 128;" ::: "memory");
    }
  }
}

extern "C" __global__ void barrier_reductions(const int* x, int* y) {
  const int v = x[threadIdx.x];
  const int count = __syncthreads_count(v % 2), all = __syncthreads_and(v >= 0) != 0, any = __syncthreads_or(v == 77) != 0;
  y[threadIdx.x] = count * 4 + all * 2 + any;
}

// Calls through tables of functions and through virtual functions; each lane may call another.
__device__ __noinline__ int square(int v) { return v * v; }
__device__ __noinline__ int successor(int v) { return v + 1; }
__device__ __noinline__ int climb(int v) { return v < 2 ? v : climb(v - 1) + 2; }
__device__ int (*functions[3])(int) = {square, successor, climb};
struct Shape {
  virtual __device__ int area(int scale) const = 0;
};
struct Box : Shape {
  int side;
  __device__ explicit Box(int s) : side(s) {}
  __device__ int area(int scale) const override { return side * side * scale; }
};
struct Strip : Shape {
  int length;
  __device__ explicit Strip(int l) : length(l) {}
  __device__ int area(int scale) const override { return functions[2](length % 8) * scale; }
};
extern "C" __global__ void indirect_calls(const int* x, int* y) {
  const int v = x[threadIdx.x];
  const Box box(v % 10);
  const Strip strip(v);
  const Shape* shape = v % 2 == 0 ? static_cast<const Shape*>(&box) : &strip;
  y[threadIdx.x] = functions[v % 3](v % 20) + shape->area(3);
}

// Local memory of a size known only when it runs.
extern "C" __global__ void dynamic_local(const int* x, int* y) {
  const int n = x[threadIdx.x] % 13 + 1;
  int* list = static_cast<int*>(__builtin_alloca(n * sizeof(int)));
  for (int i = 0; i < n; ++i) list[i] = x[(threadIdx.x + i) % blockDim.x];
  int sum = 0;
  for (int i = 0; i < n; ++i) sum = sum * 3 + list[n - 1 - i];
  y[threadIdx.x] = sum;
}
