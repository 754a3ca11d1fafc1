// Errors through the driver's interface: every kind of fault is sticky with its own code, and no handle, however wild,
// crashes a call.
#include <thread>

#include "driver_harness.h"
#include "vgpu.h"

namespace vgpu_test {

TEST_CASE("each kind of fault has its code, which every later call gives") {
  struct Case {
    const char* kernel;
    CUresult status;
  };
  for (const Case& c : {Case{"out_of_bounds", CUDA_ERROR_ILLEGAL_ADDRESS},
                        Case{"misaligned", CUDA_ERROR_MISALIGNED_ADDRESS}, Case{"stops", CUDA_ERROR_LAUNCH_FAILED},
                        Case{"asserts", CUDA_ERROR_ASSERT}, Case{"never_written", CUDA_ERROR_LAUNCH_FAILED}}) {
    INFO(c.kernel);
    const Session session;
    const Kernels kernels;
    const std::size_t reports = vgpuGetReportCount();
    CUdeviceptr x = 0, y = upload(std::vector<float>(16, 1.0f));
    OK(cuMemAlloc(&x, 64));
    CUstream stream = nullptr, other = nullptr;
    CUevent event = nullptr;
    OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    OK(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING));
    OK(cuEventCreate(&event, 0));
    OK(cuCtxSynchronize());
    void* params[] = {&x, &y};
    OK(cuLaunchKernel(kernels[c.kernel], 1, 1, 1, 1, 1, 1, 0, stream, params, nullptr));
    OK(cuEventRecord(event, stream));
    GIVES(c.status, cuEventSynchronize(event));
    CHECK(vgpuGetReportCount() == reports + 1);
    // Whatever is asked now.
    float value = 0;
    CUdeviceptr z = 0;
    std::size_t free = 0, total = 0;
    CUmodule module = nullptr;
    CUgraph graph = nullptr;
    GIVES(c.status, cuCtxSynchronize());
    GIVES(c.status, cuStreamSynchronize(other));
    GIVES(c.status, cuStreamQuery(other));
    GIVES(c.status, cuEventQuery(event));
    GIVES(c.status, cuEventRecord(event, other));
    GIVES(c.status, cuStreamWaitEvent(other, event, 0));
    GIVES(c.status, cuStreamBeginCapture(other, CU_STREAM_CAPTURE_MODE_RELAXED));
    GIVES(c.status, cuStreamEndCapture(other, &graph));
    GIVES(c.status, cuMemcpyDtoH(&value, y, 4));
    GIVES(c.status, cuMemcpyHtoDAsync(y, &value, 4, other));
    GIVES(c.status, cuMemsetD8Async(y, 0, 4, other));
    GIVES(c.status, cuMemAlloc(&z, 4));
    GIVES(c.status, cuMemAllocAsync(&z, 4, other));
    GIVES(c.status, cuMemFree(x));
    GIVES(c.status, cuMemFreeAsync(x, other));
    GIVES(c.status, cuMemGetInfo(&free, &total));
    GIVES(c.status, cuModuleLoadData(&module, test_ptx("driver.ptx").c_str()));
    GIVES(c.status, launch(kernels["scale"], 1, 16, other, y, 16, 1.0f, 1.0f));
    GIVES(c.status, cuLaunchHostFunc(
                        other, [](void*) {}, nullptr));
    GIVES(c.status, cuStreamCreate(&stream, 0));
    GIVES(c.status, cuEventCreate(&event, 0));
    // A context of one's own is not touched by it.
    CUcontext fresh = nullptr;
    OK(cuCtxCreate(&fresh, nullptr, 0, 0));
    OK(cuMemAlloc(&z, 4));
    OK(cuMemFree(z));
    OK(cuCtxDestroy(fresh));
  }
  // Nor is what comes after the reset.
  const Session session;
  const Kernels kernels;
  const CUdeviceptr x = upload(std::vector<float>(16, 1.0f));
  OK(launch(kernels["scale"], 1, 16, nullptr, x, 16, 2.0f, 0.0f));
  CHECK(download<float>(x, 16)[15] == 2);
}

TEST_CASE("wild and stale handles are errors, never crashes") {
  const Session session;
  const Kernels kernels;
  int other = 0;
  const auto value_or_handle = [](CUresult status) {
    INFO(name_of(status));
    CHECK((status == CUDA_ERROR_INVALID_HANDLE || status == CUDA_ERROR_INVALID_VALUE ||
           status == CUDA_ERROR_INVALID_CONTEXT));
  };
  for (void* wild : {static_cast<void*>(&other), reinterpret_cast<void*>(0x123456789abc), reinterpret_cast<void*>(8)}) {
    const auto stream = static_cast<CUstream>(wild);
    const auto event = static_cast<CUevent>(wild);
    const auto module = static_cast<CUmodule>(wild);
    const auto function = static_cast<CUfunction>(wild);
    const auto graph = static_cast<CUgraph>(wild);
    const auto node = static_cast<CUgraphNode>(wild);
    const auto exec = static_cast<CUgraphExec>(wild);
    const auto pool = static_cast<CUmemoryPool>(wild);
    CUfunction found = nullptr;
    CUgraphNode made = nullptr;
    CUgraph copy = nullptr;
    CUgraphExec instance = nullptr;
    CUdeviceptr x = 0;
    int number = 0;
    float ms = 0;
    cuuint64_t bytes = 0;
    CUgraphNodeType type{};
    value_or_handle(cuStreamSynchronize(stream));
    value_or_handle(cuStreamDestroy(stream));
    value_or_handle(cuStreamQuery(stream));
    value_or_handle(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    value_or_handle(cuStreamEndCapture(stream, &copy));
    value_or_handle(cuStreamWaitEvent(nullptr, event, 0));
    value_or_handle(cuEventRecord(event, nullptr));
    value_or_handle(cuEventSynchronize(event));
    value_or_handle(cuEventQuery(event));
    value_or_handle(cuEventDestroy(event));
    value_or_handle(cuEventElapsedTime(&ms, event, event));
    value_or_handle(cuModuleUnload(module));
    value_or_handle(cuModuleGetFunction(&found, module, "scale"));
    value_or_handle(cuFuncGetAttribute(&number, CU_FUNC_ATTRIBUTE_NUM_REGS, function));
    value_or_handle(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
    value_or_handle(cuLaunchKernel(kernels["stops"], 1, 1, 1, 1, 1, 1, 0, stream, nullptr, nullptr));
    value_or_handle(cuOccupancyMaxActiveBlocksPerMultiprocessor(&number, function, 32, 0));
    value_or_handle(cuGraphDestroy(graph));
    value_or_handle(cuGraphClone(&copy, graph));
    value_or_handle(cuGraphInstantiate(&instance, graph, 0));
    value_or_handle(cuGraphAddEmptyNode(&made, graph, nullptr, 0));
    value_or_handle(cuGraphNodeGetType(node, &type));
    value_or_handle(cuGraphLaunch(exec, nullptr));
    value_or_handle(cuGraphExecDestroy(exec));
    value_or_handle(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &bytes));
    value_or_handle(cuMemPoolDestroy(pool));
    value_or_handle(cuMemAllocFromPoolAsync(&x, 16, pool, nullptr));
    value_or_handle(cuCtxPushCurrent(static_cast<CUcontext>(wild)));
    value_or_handle(cuCtxDestroy(static_cast<CUcontext>(wild)));
    value_or_handle(cuLibraryUnload(static_cast<CUlibrary>(wild)));
    value_or_handle(cuMemFree(reinterpret_cast<CUdeviceptr>(wild)));
    value_or_handle(cuMemFreeHost(wild));
  }
  value_or_handle(cuModuleGetFunction(nullptr, kernels.module, "scale"));
  value_or_handle(cuMemcpyDtoH(&other, 0, 4));
  value_or_handle(cuDeviceGetAttribute(nullptr, CU_DEVICE_ATTRIBUTE_WARP_SIZE, 0));
  value_or_handle(cuDeviceGetAttribute(&other, static_cast<CUdevice_attribute>(100000), 0));
}

TEST_CASE("contexts are stacked, and calls without one say so") {
  OK(cuInit(0));
  CUdeviceptr x = 0;
  CUcontext context = nullptr, a = nullptr, b = nullptr;
  OK(cuCtxGetCurrent(&context));
  CHECK(context == nullptr);
  GIVES(CUDA_ERROR_INVALID_CONTEXT, cuMemAlloc(&x, 4));
  GIVES(CUDA_ERROR_INVALID_CONTEXT, cuCtxSynchronize());
  GIVES(CUDA_ERROR_INVALID_CONTEXT, cuCtxPopCurrent(&context));
  OK(cuCtxCreate(&a, nullptr, CU_CTX_SCHED_BLOCKING_SYNC, 0));
  OK(cuCtxCreate(&b, nullptr, 0, 0));
  OK(cuCtxGetCurrent(&context));
  CHECK(context == b);
  OK(cuCtxPopCurrent(&context));
  CHECK(context == b);
  unsigned flags = 0;
  OK(cuCtxGetFlags(&flags));
  CHECK(flags == CU_CTX_SCHED_BLOCKING_SYNC);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuCtxCreate(&context, nullptr, 0x1000, 0));
  GIVES(CUDA_ERROR_INVALID_DEVICE, cuCtxCreate(&context, nullptr, 0, 1));
  // Another thread starts with none, and sees when its context is destroyed under it.
  std::thread([&] {
    CHECK(name_of(cuMemAlloc(&x, 4)) == "CUDA_ERROR_INVALID_CONTEXT");
    CHECK(name_of(cuCtxSetCurrent(b)) == "CUDA_SUCCESS");
    CHECK(name_of(cuCtxDestroy(b)) == "CUDA_SUCCESS");
    CHECK(name_of(cuMemAlloc(&x, 4)) == "CUDA_ERROR_INVALID_CONTEXT");
  }).join();
  GIVES(CUDA_ERROR_INVALID_CONTEXT, cuCtxSetCurrent(b));
  std::size_t stack = 0;
  OK(cuCtxGetLimit(&stack, CU_LIMIT_STACK_SIZE));
  OK(cuCtxSetLimit(CU_LIMIT_STACK_SIZE, 4096));
  OK(cuCtxGetLimit(&stack, CU_LIMIT_STACK_SIZE));
  CHECK(stack == 4096);
  GIVES(CUDA_ERROR_UNSUPPORTED_LIMIT, cuCtxSetLimit(CU_LIMIT_CIG_ENABLED, 1));
  OK(cuCtxDestroy(a));
  GIVES(CUDA_ERROR_INVALID_CONTEXT, cuMemAlloc(&x, 4));

  int active = 9;
  OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
  CHECK(active == 0);
  GIVES(CUDA_ERROR_INVALID_CONTEXT, cuDevicePrimaryCtxRelease(0));
  OK(cuDevicePrimaryCtxSetFlags(0, CU_CTX_SCHED_YIELD));
  OK(cuDevicePrimaryCtxRetain(&a, 0));
  OK(cuDevicePrimaryCtxRetain(&b, 0));
  CHECK(a == b);
  GIVES(CUDA_ERROR_INVALID_CONTEXT, cuCtxDestroy(a));
  OK(cuDevicePrimaryCtxRelease(0));
  OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
  CHECK(active == 1);
  CHECK(flags == CU_CTX_SCHED_YIELD);
  OK(cuDevicePrimaryCtxRelease(0));
  OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
  CHECK(active == 0);
  OK(cuDevicePrimaryCtxSetFlags(0, 0));
}

TEST_CASE("threads call at the same time") {
  const Session session;
  const Kernels kernels;
  const CUfunction scale = kernels["scale"];
  std::vector<std::string> failures(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < failures.size(); ++t) {
    threads.emplace_back([&, t] {
      const auto run = [&]() -> std::string {
        const auto step = [](CUresult status, const char* what) {
          return status == CUDA_SUCCESS ? "" : what + (": " + name_of(status));
        };
        std::string why = step(cuCtxSetCurrent(session.context), "cuCtxSetCurrent");
        CUstream stream = nullptr;
        if (why.empty()) why = step(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
        for (int round = 0; round < 20 && why.empty(); ++round) {
          std::vector<float> values(256, static_cast<float>(t));
          CUdeviceptr x = 0;
          why = step(cuMemAllocAsync(&x, 1024, stream), "cuMemAllocAsync");
          if (why.empty()) why = step(cuMemcpyHtoDAsync(x, values.data(), 1024, stream), "cuMemcpyHtoDAsync");
          if (why.empty()) why = step(launch(scale, 2, 128, stream, x, 256, 2.0f, 1.0f), "cuLaunchKernel");
          if (why.empty()) why = step(cuMemcpyDtoHAsync(values.data(), x, 1024, stream), "cuMemcpyDtoHAsync");
          if (why.empty()) why = step(cuMemFreeAsync(x, stream), "cuMemFreeAsync");
          if (why.empty()) why = step(cuStreamSynchronize(stream), "cuStreamSynchronize");
          const float want = 2.0f * static_cast<float>(t) + 1.0f;
          if (why.empty() && values[255] != want) why = "expected " + std::to_string(want);
        }
        if (why.empty()) why = step(cuStreamDestroy(stream), "cuStreamDestroy");
        return why;
      };
      failures[t] = run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& failure : failures) CHECK(failure.empty());
}

TEST_CASE("what is not given back is counted") {
  OK(cuInit(0));
  VgpuLeaks before{}, now{};
  vgpuGetLeaks(&before);
  CUcontext context = nullptr;
  OK(cuCtxCreate(&context, nullptr, 0, 0));
  CUdeviceptr x = 0;
  void* pinned = nullptr;
  CUstream stream = nullptr;
  CUevent event = nullptr;
  CUgraph graph = nullptr;
  CUgraphExec exec = nullptr;
  OK(cuMemAlloc(&x, 100));
  OK(cuMemHostAlloc(&pinned, 200, 0));
  OK(cuStreamCreate(&stream, 0));
  OK(cuEventCreate(&event, 0));
  OK(cuGraphCreate(&graph, 0));
  OK(cuGraphInstantiate(&exec, graph, 0));
  const Kernels kernels;
  vgpuGetLeaks(&now);
  CHECK(now.device_allocations - before.device_allocations == 1);
  CHECK(now.device_bytes - before.device_bytes == 100);
  CHECK(now.host_allocations - before.host_allocations == 1);
  CHECK(now.host_bytes - before.host_bytes == 200);
  CHECK(now.contexts - before.contexts == 1);
  CHECK(now.streams - before.streams == 1);
  CHECK(now.events - before.events == 1);
  CHECK(now.modules - before.modules == 1);
  CHECK(now.graphs - before.graphs == 1);
  CHECK(now.graph_execs - before.graph_execs == 1);
  OK(cuGraphExecDestroy(exec));
  OK(cuGraphDestroy(graph));
  OK(cuEventDestroy(event));
  OK(cuStreamDestroy(stream));
  OK(cuMemFreeHost(pinned));
  OK(cuModuleUnload(kernels.module));
  // The context takes the device memory with it: that still was not given back.
  OK(cuCtxDestroy(context));
  vgpuGetLeaks(&now);
  CHECK(now.device_allocations - before.device_allocations == 1);
  CHECK(now.host_allocations == before.host_allocations);
  CHECK(now.contexts == before.contexts);
  CHECK(now.modules == before.modules);
  CHECK(now.graphs == before.graphs);
}

}  // namespace vgpu_test
