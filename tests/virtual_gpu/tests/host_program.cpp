// A program that knows nothing but the CUDA driver's interface: streams, events, capture and replay, pools, error
// paths. It runs unchanged on NVIDIA's driver and on the virtual GPU; MASKRT_CUDA_DRIVER names the library, else it is
// libcuda.so.1. Prints a line a part, and what failed; exits 1 when something did, 77 where there is no driver.
#include <cuda.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

// scale: x[i] = x[i] * factor + summand for i < n. spoil: writes where nothing is.
constexpr const char* kPtx = R"(
.version 7.0
.target sm_75
.address_size 64

.visible .entry scale(.param .u64 x, .param .u32 n, .param .f32 factor, .param .f32 summand)
{
  .reg .pred %p;
  .reg .b32 %r<6>;
  .reg .f32 %f<5>;
  .reg .b64 %rd<4>;
  ld.param.u64 %rd1, [x];
  ld.param.u32 %r1, [n];
  ld.param.f32 %f1, [factor];
  ld.param.f32 %f2, [summand];
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  setp.ge.u32 %p, %r5, %r1;
  @%p bra done;
  cvta.to.global.u64 %rd2, %rd1;
  mul.wide.u32 %rd3, %r5, 4;
  add.s64 %rd2, %rd2, %rd3;
  ld.global.f32 %f3, [%rd2];
  fma.rn.f32 %f4, %f3, %f1, %f2;
  st.global.f32 [%rd2], %f4;
done:
  ret;
}

.visible .entry spoil()
{
  .reg .b32 %r1;
  .reg .b64 %rd1;
  mov.u64 %rd1, 64;
  mov.u32 %r1, 1;
  st.global.u32 [%rd1], %r1;
  ret;
}
)";

// clang-format off
#define ENTRY_POINTS(X) \
  X(cuInit) X(cuDriverGetVersion) X(cuGetErrorName) X(cuDeviceGetCount) X(cuDeviceGet) X(cuDeviceGetName) \
  X(cuDeviceGetAttribute) X(cuDevicePrimaryCtxRetain) X(cuDevicePrimaryCtxRelease) X(cuDevicePrimaryCtxReset) \
  X(cuCtxSetCurrent) X(cuModuleLoadData) X(cuModuleLoadDataEx) X(cuModuleUnload) X(cuModuleGetFunction) \
  X(cuLaunchKernel) X(cuMemAlloc) X(cuMemFree) X(cuMemHostAlloc) X(cuMemFreeHost) X(cuMemcpyHtoD) \
  X(cuMemcpyDtoH) X(cuMemcpyHtoDAsync) X(cuMemcpyDtoHAsync) X(cuMemsetD32Async) X(cuMemAllocAsync) \
  X(cuMemFreeAsync) X(cuDeviceGetDefaultMemPool) X(cuMemPoolSetAttribute) X(cuMemPoolGetAttribute) \
  X(cuMemPoolTrimTo) X(cuStreamCreate) X(cuStreamDestroy) X(cuStreamSynchronize) X(cuStreamQuery) \
  X(cuStreamWaitEvent) X(cuStreamBeginCapture) X(cuStreamEndCapture) X(cuStreamIsCapturing) X(cuEventCreate) \
  X(cuEventDestroy) X(cuEventRecord) X(cuEventQuery) X(cuEventSynchronize) X(cuEventElapsedTime) \
  X(cuGraphInstantiateWithFlags) X(cuGraphLaunch) X(cuGraphExecDestroy) X(cuGraphDestroy) X(cuGraphGetNodes) \
  X(cuGraphNodeGetType) X(cuGraphKernelNodeGetParams) X(cuGraphExecKernelNodeSetParams) X(cuLaunchHostFunc)
// clang-format on

/// The driver's functions by their own names.
struct Driver {
#define MEMBER(name) decltype(&::name) name = nullptr;
  ENTRY_POINTS(MEMBER)
#undef MEMBER
} cu;

bool load_driver() {
  const char* named = std::getenv("MASKRT_CUDA_DRIVER");
  const char* library = named != nullptr && *named != '\0' ? named : "libcuda.so.1";
  void* handle = dlopen(library, RTLD_NOW);
  if (handle == nullptr) {
    std::fprintf(stderr, "host_program: expected a driver, %s\n", dlerror());
    return false;
  }
  const auto get = reinterpret_cast<decltype(&::cuGetProcAddress)>(dlsym(handle, "cuGetProcAddress_v2"));
  if (get == nullptr) {
    std::fprintf(stderr, "host_program: expected cuGetProcAddress_v2 in %s, found none\n", library);
    return false;
  }
  bool complete = true;
  const auto find = [&](const char* name, auto& function) {
    void* address = nullptr;
    CUdriverProcAddressQueryResult found = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
    if (get(name, &address, 12000, CU_GET_PROC_ADDRESS_DEFAULT, &found) != CUDA_SUCCESS || address == nullptr) {
      std::fprintf(stderr, "host_program: expected the entry point %s in %s, found none\n", name, library);
      complete = false;
    }
    function = reinterpret_cast<std::decay_t<decltype(function)>>(address);
  };
#define FIND(name) find(#name, cu.name);
  ENTRY_POINTS(FIND)
#undef FIND
  return complete;
}

int g_failures = 0;

std::string name_of(CUresult status) {
  const char* name = nullptr;
  cu.cuGetErrorName(status, &name);
  return name != nullptr ? name : std::to_string(static_cast<int>(status));
}

void expect_status(CUresult want, CUresult got, const char* call, int line) {
  if (want == got) return;
  ++g_failures;
  std::printf("line %d: %s: expected %s, found %s\n", line, call, name_of(want).c_str(), name_of(got).c_str());
}
#define GIVES(status, call) expect_status(status, call, #call, __LINE__)
#define OK(call) GIVES(CUDA_SUCCESS, call)

void expect_all(const float* values, size_t n, float want, const char* what, int line) {
  for (size_t i = 0; i < n; ++i) {
    if (values[i] == want) continue;
    ++g_failures;
    std::printf("line %d: %s[%zu]: expected %g, found %g\n", line, what, i, static_cast<double>(want),
                static_cast<double>(values[i]));
    return;
  }
}
#define ALL(values, n, want) expect_all(values, n, want, #values, __LINE__)

constexpr unsigned kCount = 1000;
constexpr size_t kBytes = kCount * sizeof(float);

struct Kernels {
  CUmodule module = nullptr;
  CUfunction scale = nullptr, spoil = nullptr;
  void load() {
    OK(cu.cuModuleLoadData(&module, kPtx));
    OK(cu.cuModuleGetFunction(&scale, module, "scale"));
    OK(cu.cuModuleGetFunction(&spoil, module, "spoil"));
  }
  CUresult launch_scale(CUstream stream, CUdeviceptr x, float factor, float summand) const {
    unsigned n = kCount;
    void* params[] = {&x, &n, &factor, &summand};
    return cu.cuLaunchKernel(scale, (kCount + 127) / 128, 1, 1, 128, 1, 1, 0, stream, params, nullptr);
  }
};

void streams_and_events(const Kernels& kernels) {
  CUstream first = nullptr, second = nullptr;
  CUevent start = nullptr, filled = nullptr, end = nullptr;
  OK(cu.cuStreamCreate(&first, CU_STREAM_NON_BLOCKING));
  OK(cu.cuStreamCreate(&second, CU_STREAM_NON_BLOCKING));
  OK(cu.cuEventCreate(&start, CU_EVENT_DEFAULT));
  OK(cu.cuEventCreate(&filled, CU_EVENT_DISABLE_TIMING));
  OK(cu.cuEventCreate(&end, CU_EVENT_DEFAULT));
  OK(cu.cuEventQuery(end));  // nothing was recorded

  CUdeviceptr x = 0;
  float* host = nullptr;
  OK(cu.cuMemAlloc(&x, kBytes));
  OK(cu.cuMemHostAlloc(reinterpret_cast<void**>(&host), kBytes, 0));
  for (unsigned i = 0; i < kCount; ++i) host[i] = 3;
  OK(cu.cuEventRecord(start, first));
  OK(cu.cuMemcpyHtoDAsync(x, host, kBytes, first));
  OK(cu.cuEventRecord(filled, first));
  OK(cu.cuStreamWaitEvent(second, filled, 0));
  OK(kernels.launch_scale(second, x, 2, 1));
  OK(cu.cuMemcpyDtoHAsync(host, x, kBytes, second));
  OK(cu.cuEventRecord(end, second));
  OK(cu.cuEventSynchronize(end));
  ALL(host, kCount, 7.0f);
  float milliseconds = -1;
  OK(cu.cuEventElapsedTime(&milliseconds, start, end));
  if (milliseconds < 0) std::printf("expected a time that is not negative, found %g\n", milliseconds), ++g_failures;
  GIVES(CUDA_ERROR_INVALID_HANDLE, cu.cuEventElapsedTime(&milliseconds, filled, end));
  OK(cu.cuStreamQuery(second));

  static int calls = 0;
  OK(cu.cuLaunchHostFunc(
      second, [](void* count) { ++*static_cast<int*>(count); }, &calls));
  OK(cu.cuStreamSynchronize(second));
  if (calls != 1) std::printf("expected one call of the host function, found %d\n", calls), ++g_failures;

  OK(cu.cuMemFreeHost(host));
  OK(cu.cuMemFree(x));
  for (const CUevent event : {start, filled, end}) OK(cu.cuEventDestroy(event));
  OK(cu.cuStreamDestroy(first));
  OK(cu.cuStreamDestroy(second));
}

void capture_and_replay(const Kernels& kernels) {
  CUstream stream = nullptr, side = nullptr;
  CUevent fork = nullptr, join = nullptr;
  CUdeviceptr x = 0, y = 0;
  std::vector<float> host(kCount);
  OK(cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  OK(cu.cuStreamCreate(&side, CU_STREAM_NON_BLOCKING));
  OK(cu.cuEventCreate(&fork, CU_EVENT_DISABLE_TIMING));
  OK(cu.cuEventCreate(&join, CU_EVENT_DISABLE_TIMING));
  OK(cu.cuMemAlloc(&x, kBytes));
  OK(cu.cuMemAlloc(&y, kBytes));

  OK(cu.cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  OK(cu.cuStreamIsCapturing(stream, &status));
  if (status != CU_STREAM_CAPTURE_STATUS_ACTIVE) std::printf("expected an active capture\n"), ++g_failures;
  OK(cu.cuMemsetD32Async(x, 0x3f800000, kCount, stream));  // 1.0f
  OK(cu.cuEventRecord(fork, stream));
  OK(cu.cuStreamWaitEvent(side, fork, 0));
  OK(cu.cuMemsetD32Async(y, 0x40000000, kCount, side));  // 2.0f
  OK(kernels.launch_scale(side, y, 3, 0));
  OK(cu.cuEventRecord(join, side));
  OK(kernels.launch_scale(stream, x, 4, 1));
  OK(cu.cuStreamWaitEvent(stream, join, 0));
  OK(kernels.launch_scale(stream, y, 1, 10));
  GIVES(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cu.cuStreamSynchronize(stream));
  CUgraph graph = nullptr;
  GIVES(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cu.cuStreamEndCapture(stream, &graph));

  // Again, without the call that spoils it.
  OK(cu.cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  OK(cu.cuMemsetD32Async(x, 0x3f800000, kCount, stream));
  OK(cu.cuEventRecord(fork, stream));
  OK(cu.cuStreamWaitEvent(side, fork, 0));
  OK(cu.cuMemsetD32Async(y, 0x40000000, kCount, side));
  OK(kernels.launch_scale(side, y, 3, 0));
  OK(cu.cuEventRecord(join, side));
  OK(kernels.launch_scale(stream, x, 4, 1));
  OK(cu.cuStreamWaitEvent(stream, join, 0));
  OK(kernels.launch_scale(stream, y, 1, 10));
  OK(cu.cuStreamEndCapture(stream, &graph));

  size_t count = 0;
  OK(cu.cuGraphGetNodes(graph, nullptr, &count));
  if (count != 5) std::printf("expected 5 nodes, found %zu\n", count), ++g_failures;
  std::vector<CUgraphNode> nodes(count);
  OK(cu.cuGraphGetNodes(graph, nodes.data(), &count));
  CUgraphExec exec = nullptr;
  OK(cu.cuGraphInstantiateWithFlags(&exec, graph, 0));
  for (int replay = 0; replay < 3; ++replay) {
    OK(cu.cuGraphLaunch(exec, stream));
    OK(cu.cuStreamSynchronize(stream));
    OK(cu.cuMemcpyDtoH(host.data(), x, kBytes));
    ALL(host.data(), kCount, 5.0f);
    OK(cu.cuMemcpyDtoH(host.data(), y, kBytes));
    ALL(host.data(), kCount, 16.0f);
  }

  // Another summand for the kernel that works on x.
  for (const CUgraphNode node : nodes) {
    CUgraphNodeType type = CU_GRAPH_NODE_TYPE_EMPTY;
    OK(cu.cuGraphNodeGetType(node, &type));
    if (type != CU_GRAPH_NODE_TYPE_KERNEL) continue;
    CUDA_KERNEL_NODE_PARAMS params{};
    OK(cu.cuGraphKernelNodeGetParams(node, &params));
    if (*static_cast<CUdeviceptr*>(params.kernelParams[0]) != x) continue;
    float factor = 4, summand = 2;
    unsigned n = kCount;
    void* changed[] = {&x, &n, &factor, &summand};
    params.kernelParams = changed;
    OK(cu.cuGraphExecKernelNodeSetParams(exec, node, &params));
  }
  OK(cu.cuGraphLaunch(exec, stream));
  OK(cu.cuStreamSynchronize(stream));
  OK(cu.cuMemcpyDtoH(host.data(), x, kBytes));
  ALL(host.data(), kCount, 6.0f);

  OK(cu.cuGraphExecDestroy(exec));
  OK(cu.cuGraphDestroy(graph));
  OK(cu.cuMemFree(x));
  OK(cu.cuMemFree(y));
  for (const CUevent event : {fork, join}) OK(cu.cuEventDestroy(event));
  OK(cu.cuStreamDestroy(side));
  OK(cu.cuStreamDestroy(stream));
}

void pools(const Kernels& kernels, CUdevice device) {
  CUmemoryPool pool = nullptr;
  OK(cu.cuDeviceGetDefaultMemPool(&pool, device));
  cuuint64_t keep = ~cuuint64_t{0}, used = 1;
  OK(cu.cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &keep));
  CUstream stream = nullptr;
  OK(cu.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  std::vector<float> host(kCount);
  for (int round = 0; round < 3; ++round) {
    CUdeviceptr x = 0;
    OK(cu.cuMemAllocAsync(&x, kBytes, stream));
    OK(cu.cuMemsetD32Async(x, 0x3f800000, kCount, stream));
    OK(kernels.launch_scale(stream, x, 2, static_cast<float>(round)));
    OK(cu.cuMemcpyDtoHAsync(host.data(), x, kBytes, stream));
    OK(cu.cuMemFreeAsync(x, stream));
    OK(cu.cuStreamSynchronize(stream));
    ALL(host.data(), kCount, 2.0f + static_cast<float>(round));
  }
  OK(cu.cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used));
  if (used != 0) std::printf("expected nothing in use, found %llu bytes\n", (unsigned long long)used), ++g_failures;
  OK(cu.cuMemPoolTrimTo(pool, 0));
  OK(cu.cuStreamDestroy(stream));
}

void errors_of_calls(const Kernels& kernels) {
  CUdeviceptr x = 0;
  GIVES(CUDA_ERROR_INVALID_VALUE, cu.cuMemAlloc(&x, 0));
  GIVES(CUDA_ERROR_OUT_OF_MEMORY, cu.cuMemAlloc(&x, size_t{1} << 50));
  GIVES(CUDA_ERROR_INVALID_VALUE, cu.cuMemAlloc(nullptr, 16));
  GIVES(CUDA_ERROR_INVALID_VALUE, cu.cuMemFree(12345));
  OK(cu.cuMemFree(0));
  CUdevice device = 0;
  GIVES(CUDA_ERROR_INVALID_DEVICE, cu.cuDeviceGet(&device, 1000));
  CUmodule module = nullptr;
  char log[512] = "";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
  GIVES(
      CUDA_ERROR_INVALID_PTX,
      cu.cuModuleLoadDataEx(&module, ".version 7.0\n.target sm_75\n.address_size 64\nnonsense\n", 2, options, values));
  if (log[0] == '\0') std::printf("expected words in the error log\n"), ++g_failures;
  GIVES(CUDA_ERROR_INVALID_IMAGE, cu.cuModuleLoadData(&module, "neither PTX nor anything else"));
  CUfunction function = nullptr;
  GIVES(CUDA_ERROR_NOT_FOUND, cu.cuModuleGetFunction(&function, kernels.module, "missing"));
  OK(cu.cuMemAlloc(&x, kBytes));
  unsigned n = 1;
  float one = 1;
  void* params[] = {&x, &n, &one, &one};
  GIVES(CUDA_ERROR_INVALID_VALUE, cu.cuLaunchKernel(kernels.scale, 1, 1, 1, 2048, 1, 1, 0, nullptr, params, nullptr));
  GIVES(CUDA_ERROR_INVALID_VALUE, cu.cuLaunchKernel(kernels.scale, 0, 1, 1, 32, 1, 1, 0, nullptr, params, nullptr));
  GIVES(CUDA_ERROR_INVALID_VALUE,
        cu.cuLaunchKernel(kernels.scale, 1, 1, 1, 32, 1, 1, 1 << 20, nullptr, params, nullptr));
  OK(cu.cuMemFree(x));
}

/// Ends the context; a kernel that writes where nothing is spoils it for good.
void sticky_error(const Kernels& kernels, CUdevice device) {
  CUdeviceptr x = 0;
  OK(cu.cuMemAlloc(&x, kBytes));
  OK(cu.cuLaunchKernel(kernels.spoil, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
  GIVES(CUDA_ERROR_ILLEGAL_ADDRESS, cu.cuStreamSynchronize(nullptr));
  float value = 0;
  GIVES(CUDA_ERROR_ILLEGAL_ADDRESS, cu.cuMemcpyDtoH(&value, x, sizeof value));
  GIVES(CUDA_ERROR_ILLEGAL_ADDRESS, kernels.launch_scale(nullptr, x, 1, 1));
  GIVES(CUDA_ERROR_ILLEGAL_ADDRESS, cu.cuMemFree(x));
  OK(cu.cuDevicePrimaryCtxReset(device));
}

}  // namespace

int main() {
  if (!load_driver()) return 77;
  CUresult status = cu.cuInit(0);
  if (status != CUDA_SUCCESS) {
    std::fprintf(stderr, "host_program: cuInit: %s\n", name_of(status).c_str());
    return 77;
  }
  int version = 0, major = 0, minor = 0;
  CUdevice device = 0;
  char name[128] = "";
  OK(cu.cuDriverGetVersion(&version));
  OK(cu.cuDeviceGet(&device, 0));
  OK(cu.cuDeviceGetName(name, sizeof name, device));
  OK(cu.cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device));
  OK(cu.cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device));
  std::printf("driver %d.%d, %s, compute capability %d.%d\n", version / 1000, version % 1000 / 10, name, major, minor);

  CUcontext context = nullptr;
  OK(cu.cuDevicePrimaryCtxRetain(&context, device));
  OK(cu.cuCtxSetCurrent(context));
  Kernels kernels;
  kernels.load();
  const auto part = [](const char* what, auto run) {
    const int before = g_failures;
    run();
    std::printf("%-22s %s\n", what, g_failures == before ? "ok" : "FAILED");
  };
  part("streams and events", [&] { streams_and_events(kernels); });
  part("capture and replay", [&] { capture_and_replay(kernels); });
  part("pools", [&] { pools(kernels, device); });
  part("errors of calls", [&] { errors_of_calls(kernels); });
  part("sticky error", [&] { sticky_error(kernels, device); });
  std::printf("%s\n", g_failures == 0 ? "all ok" : "FAILED");
  return g_failures == 0 ? 0 : 1;
}
