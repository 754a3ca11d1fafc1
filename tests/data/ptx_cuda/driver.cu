// arch: sm_75
// What the tests of the driver's interface launch: little kernels whose effects are easy to foretell.
#include <cassert>
#include <cstdio>

__device__ int counter = 7;
__constant__ float weights[4] = {1, 2, 3, 4};

extern "C" __global__ void scale(float* x, int n, float factor, float summand) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = x[i] * factor + summand;
}

extern "C" __global__ void add(const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] += x[i];
}

// Which of a fat binary's images runs: the compute capability times 10, and one more where it is for this chip alone.
extern "C" __global__ void architecture(int* result) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  *result = __CUDA_ARCH__ + 1;
#else
  *result = __CUDA_ARCH__;
#endif
}

extern "C" __global__ void count(int* result) { *result = ++counter; }

// 40 KB of static shared memory, as much dynamic as the launch asks for.
extern "C" __global__ void much_shared(float* x) {
  __shared__ float table[10240];
  extern __shared__ float more[];
  table[threadIdx.x] = x[threadIdx.x];
  more[threadIdx.x] = weights[threadIdx.x % 4];
  __syncthreads();
  x[threadIdx.x] = table[blockDim.x - 1 - threadIdx.x] + more[0];
}

extern "C" __global__ void __launch_bounds__(128) small_blocks(float* x) { x[threadIdx.x] = 1; }

extern "C" __global__ void __maxnreg__(40) few_registers(float* x) { x[threadIdx.x] = 2; }

// Waits for every block of the grid.
extern "C" __global__ void meet(unsigned* arrived) {
  atomicAdd(arrived, 1);
  while (atomicAdd(arrived, 0) < gridDim.x) {
  }
}

extern "C" __global__ void say(int n) { printf("hello %d\n", n); }

// Parameters of several sizes, and a structure.
struct Mixed {
  char a;
  double b;
  short c[3];
};
extern "C" __global__ void mixed(double* result, char a, Mixed m, short c) {
  *result = a + m.a + m.b + m.c[2] + c;
}

// One fault for each error code.
extern "C" __global__ void out_of_bounds(float* x) { x[1 << 20] = 1; }
extern "C" __global__ void misaligned(float* x) { *reinterpret_cast<float2*>(x + 1) = {1, 2}; }
extern "C" __global__ void stops() { asm volatile("trap;"); }
extern "C" __global__ void asserts(float* x) { assert(x == nullptr); }
extern "C" __global__ void never_written(const float* x, float* y) { y[0] = x[0] + 1; }
