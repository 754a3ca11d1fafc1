// Streams, events, captures and graphs through the driver's interface: what the engine's own tests can't see is how
// handles, parameters and errors travel.
#include <algorithm>
#include <cstdio>

#include "driver_harness.h"

namespace vgpu_test {
namespace {

struct Stream {
  explicit Stream(unsigned flags = CU_STREAM_NON_BLOCKING) { OK(cuStreamCreate(&handle, flags)); }
  ~Stream() { cuStreamDestroy(handle); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  operator CUstream() const { return handle; }
  CUstream handle = nullptr;
};

struct Event {
  explicit Event(unsigned flags = CU_EVENT_DISABLE_TIMING) { OK(cuEventCreate(&handle, flags)); }
  ~Event() { cuEventDestroy(handle); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  operator CUevent() const { return handle; }
  CUevent handle = nullptr;
};

std::vector<CUgraphNode> nodes_of(CUgraph graph) {
  std::size_t count = 0;
  OK(cuGraphGetNodes(graph, nullptr, &count));
  std::vector<CUgraphNode> nodes(count);
  if (count > 0) OK(cuGraphGetNodes(graph, nodes.data(), &count));
  return nodes;
}

CUgraphNodeType type_of(CUgraphNode node) {
  CUgraphNodeType type{};
  OK(cuGraphNodeGetType(node, &type));
  return type;
}

CUgraphExec instantiate(CUgraph graph) {
  CUgraphExec exec = nullptr;
  OK(cuGraphInstantiate(&exec, graph, 0));
  return exec;
}

/// Parameters of a launch of scale, kept alive.
struct Scale {
  Scale(CUfunction function, CUdeviceptr address, float f, float s) : x(address), factor(f), summand(s) {
    params.func = function;
    params.gridDimX = 2;
    params.gridDimY = params.gridDimZ = params.blockDimY = params.blockDimZ = 1;
    params.blockDimX = 128;
    params.kernelParams = pointers;
  }
  CUdeviceptr x;
  int n = 256;
  float factor, summand;
  void* pointers[4] = {&x, &n, &factor, &summand};
  CUDA_KERNEL_NODE_PARAMS params{};
};

}  // namespace

TEST_CASE("streams tell what they are") {
  const Session session;
  int least = 9, greatest = 9, priority = 9;
  OK(cuCtxGetStreamPriorityRange(&least, &greatest));
  CHECK(greatest < least);
  CUstream stream = nullptr;
  OK(cuStreamCreateWithPriority(&stream, CU_STREAM_NON_BLOCKING, greatest - 5));
  OK(cuStreamGetPriority(stream, &priority));
  CHECK(priority == greatest);
  unsigned flags = 9;
  OK(cuStreamGetFlags(stream, &flags));
  CHECK(flags == CU_STREAM_NON_BLOCKING);
  CUcontext context = nullptr;
  OK(cuStreamGetCtx(stream, &context));
  CHECK(context == session.context);
  unsigned long long id = 0, legacy = 0;
  OK(cuStreamGetId(stream, &id));
  OK(cuStreamGetId(CU_STREAM_LEGACY, &legacy));
  CHECK(id != legacy);
  OK(cuStreamDestroy(stream));
  GIVES(CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize(stream));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuStreamCreate(&stream, 2));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuStreamCreate(nullptr, 0));
}

TEST_CASE("queries say when work is done, and events measure it") {
  const Session session;
  const Kernels kernels;
  const Stream stream;
  const Event before(CU_EVENT_DEFAULT), after(CU_EVENT_DEFAULT), never(CU_EVENT_DEFAULT);
  const CUdeviceptr x = upload(std::vector<float>(256, 1.0f));
  OK(cuCtxSynchronize());
  OK(cuEventRecord(before, stream));
  OK(launch(kernels["scale"], 2, 128, stream, x, 256, 2.0f, 0.0f));
  OK(launch(kernels["scale"], 2, 128, stream, x, 256, 2.0f, 0.0f));
  OK(cuEventRecord(after, stream));
  float ms = -1;
  GIVES(CUDA_ERROR_NOT_READY, cuEventElapsedTime(&ms, before, after));
  GIVES(CUDA_ERROR_NOT_READY, cuEventQuery(after));
  CUresult status = CUDA_ERROR_NOT_READY;
  for (int i = 0; i < 100 && status == CUDA_ERROR_NOT_READY; ++i) status = cuStreamQuery(stream);
  GIVES(CUDA_SUCCESS, status);
  OK(cuEventQuery(after));
  OK(cuEventElapsedTime(&ms, before, after));
  CHECK(ms >= 0);
  GIVES(CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(&ms, before, never));
  OK(cuEventSynchronize(never));
  OK(cuMemFree(x));
}

TEST_CASE("stream 0 waits for blocking streams, and each thread's own stream is another") {
  const Session session;
  const Kernels kernels;
  const Stream blocking(CU_STREAM_DEFAULT);
  const CUdeviceptr x = upload(std::vector<float>(256, 1.0f));
  OK(cuCtxSynchronize());
  OK(launch(kernels["scale"], 2, 128, blocking, x, 256, 2.0f, 0.0f));
  OK(launch(kernels["scale"], 2, 128, nullptr, x, 256, 1.0f, 5.0f));
  OK(launch(kernels["scale"], 2, 128, blocking, x, 256, 10.0f, 0.0f));
  OK(launch(kernels["scale"], 2, 128, CU_STREAM_PER_THREAD, x, 256, 1.0f, 0.0f));  // unordered with the one before ...
  GIVES(CUDA_ERROR_LAUNCH_FAILED, cuCtxSynchronize());                             // ... which is reported
}

TEST_CASE("a captured graph can be looked at, cloned, changed and replayed") {
  const Session session;
  const Kernels kernels;
  const Stream stream, side;
  const Event fork, join;
  const CUdeviceptr x = upload(std::vector<float>(256, 0.0f)), y = upload(std::vector<float>(256, 0.0f));
  OK(cuCtxSynchronize());
  OK(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
  GIVES(CUDA_ERROR_ILLEGAL_STATE, cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
  OK(cuMemsetD32Async(x, 0x3f800000, 256, stream));
  OK(cuEventRecord(fork, stream));
  OK(cuStreamWaitEvent(side, fork, 0));
  OK(cuMemcpyDtoDAsync(y, x, 1024, side));
  OK(launch(kernels["scale"], 2, 128, stream, x, 256, 3.0f, 0.0f));  // races with the copy of x, so not yet joined ...
  OK(cuEventRecord(join, side));
  OK(cuStreamWaitEvent(stream, join, 0));
  CUstreamCaptureStatus status{};
  cuuint64_t id = 0;
  CUgraph running = nullptr;
  const CUgraphNode* frontier = nullptr;
  std::size_t count = 0;
  OK(cuStreamGetCaptureInfo(stream, &status, &id, &running, &frontier, nullptr, &count));
  CHECK(status == CU_STREAM_CAPTURE_STATUS_ACTIVE);
  CHECK(count == 2);
  CUgraph graph = nullptr;
  OK(cuStreamEndCapture(stream, &graph));
  CHECK(graph == running);

  const auto nodes = nodes_of(graph);
  REQUIRE(nodes.size() == 3);
  CHECK(type_of(nodes[0]) == CU_GRAPH_NODE_TYPE_MEMSET);
  CHECK(type_of(nodes[1]) == CU_GRAPH_NODE_TYPE_MEMCPY);
  CHECK(type_of(nodes[2]) == CU_GRAPH_NODE_TYPE_KERNEL);
  std::size_t edges = 0, roots = 0, dependents = 0;
  OK(cuGraphGetEdges(graph, nullptr, nullptr, nullptr, &edges));
  CHECK(edges == 2);
  OK(cuGraphGetRootNodes(graph, nullptr, &roots));
  CHECK(roots == 1);
  OK(cuGraphNodeGetDependentNodes(nodes[0], nullptr, nullptr, &dependents));
  CHECK(dependents == 2);
  CUDA_MEMSET_NODE_PARAMS set{};
  OK(cuGraphMemsetNodeGetParams(nodes[0], &set));
  CHECK(set.dst == x);
  CHECK(set.value == 0x3f800000);
  CHECK(set.width == 256);
  CUDA_MEMCPY3D copy{};
  OK(cuGraphMemcpyNodeGetParams(nodes[1], &copy));
  CHECK(copy.srcDevice == x);
  CHECK(copy.dstDevice == y);
  CHECK(copy.WidthInBytes == 1024);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphMemsetNodeGetParams(nodes[1], &set));

  // ... ordered here: the kernel after the copy.
  OK(cuGraphAddDependencies(graph, &nodes[1], &nodes[2], nullptr, 1));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphAddDependencies(graph, &nodes[1], &nodes[2], nullptr, 1));
  CUgraph clone = nullptr;
  OK(cuGraphClone(&clone, graph));
  CUgraphNode twin = nullptr;
  OK(cuGraphNodeFindInClone(&twin, nodes[2], clone));
  CHECK(type_of(twin) == CU_GRAPH_NODE_TYPE_KERNEL);

  const CUgraphExec exec = instantiate(graph);
  const auto run = [&] {
    OK(cuGraphLaunch(exec, stream));
    OK(cuStreamSynchronize(stream));
    return std::pair{download<float>(x, 256)[255], download<float>(y, 256)[255]};
  };
  CHECK(run() == std::pair{3.0f, 1.0f});
  // The executable graph takes over what the clone was changed to.
  Scale other(kernels["scale"], x, 5, 1);
  OK(cuGraphKernelNodeSetParams(twin, &other.params));
  CUgraphExecUpdateResultInfo info{};
  OK(cuGraphExecUpdate(exec, clone, &info));
  CHECK(info.result == CU_GRAPH_EXEC_UPDATE_SUCCESS);
  CHECK(run() == std::pair{6.0f, 1.0f});
  CUgraphNode extra = nullptr;
  OK(cuGraphAddEmptyNode(&extra, clone, &twin, 1));
  GIVES(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, cuGraphExecUpdate(exec, clone, &info));
  CHECK(info.result == CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED);
  // One node of the executable graph alone; then switched off.
  Scale third(kernels["scale"], x, 7, 0);
  OK(cuGraphExecKernelNodeSetParams(exec, nodes[2], &third.params));
  CHECK(run() == std::pair{7.0f, 1.0f});
  OK(cuGraphNodeSetEnabled(exec, nodes[2], 0));
  unsigned enabled = 9;
  OK(cuGraphNodeGetEnabled(exec, nodes[2], &enabled));
  CHECK(enabled == 0);
  CHECK(run() == std::pair{1.0f, 1.0f});

  OK(cuGraphDestroy(clone));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphNodeGetType(twin, nullptr));
  CUgraphNodeType type{};
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphNodeGetType(twin, &type));
  OK(cuGraphDestroy(graph));
  CHECK(run() == std::pair{1.0f, 1.0f});  // the executable graph lives on its own
  OK(cuGraphExecDestroy(exec));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphLaunch(exec, stream));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphDestroy(graph));
}

TEST_CASE("a graph is built node by node") {
  const Session session;
  const Kernels kernels;
  const Stream stream;
  const CUdeviceptr x = upload(std::vector<float>(256, 0.0f));
  OK(cuCtxSynchronize());
  std::vector<float> host(256, -1.0f);
  CUgraph graph = nullptr, child = nullptr;
  OK(cuGraphCreate(&graph, 0));
  OK(cuGraphCreate(&child, 0));
  CUgraphNode set = nullptr, inner = nullptr, kernel = nullptr, copy = nullptr, call = nullptr;
  const CUDA_MEMSET_NODE_PARAMS ones{x, 0, 0x3f800000, 4, 256, 1};
  OK(cuGraphAddMemsetNode(&set, graph, nullptr, 0, &ones, session.context));
  Scale twice(kernels["scale"], x, 2, 0), plus(kernels["scale"], x, 1, 4);
  CUgraphNode in_child = nullptr;
  OK(cuGraphAddKernelNode(&in_child, child, nullptr, 0, &twice.params));
  OK(cuGraphAddChildGraphNode(&inner, graph, &set, 1, child));
  CUgraphNodeParams any{};
  any.type = CU_GRAPH_NODE_TYPE_KERNEL;
  any.kernel.func = kernels["scale"];
  any.kernel.gridDimX = 2;
  any.kernel.gridDimY = any.kernel.gridDimZ = any.kernel.blockDimY = any.kernel.blockDimZ = 1;
  any.kernel.blockDimX = 128;
  any.kernel.kernelParams = plus.pointers;
  OK(cuGraphAddNode(&kernel, graph, &inner, nullptr, 1, &any));
  CUDA_MEMCPY3D to_host{};
  to_host.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  to_host.srcDevice = x;
  to_host.dstMemoryType = CU_MEMORYTYPE_HOST;
  to_host.dstHost = host.data();
  to_host.WidthInBytes = 1024;
  to_host.Height = to_host.Depth = 1;
  OK(cuGraphAddMemcpyNode(&copy, graph, &kernel, 1, &to_host, session.context));
  float seen = 0;
  struct Call {
    const float* from;
    float* to;
  } data{host.data(), &seen};
  const CUDA_HOST_NODE_PARAMS function{[](void* d) { *static_cast<Call*>(d)->to = *static_cast<Call*>(d)->from; },
                                       &data};
  OK(cuGraphAddHostNode(&call, graph, &copy, 1, &function));
  CUDA_HOST_NODE_PARAMS back{};
  OK(cuGraphHostNodeGetParams(call, &back));
  CHECK(back.userData == &data);

  CUgraphExec exec = instantiate(graph);
  OK(cuGraphLaunch(exec, stream));
  OK(cuStreamSynchronize(stream));
  CHECK(seen == 6);
  CHECK(host[255] == 6);

  // Inside the child, and the same for the executable graph.
  CUgraph held = nullptr;
  OK(cuGraphChildGraphNodeGetGraph(inner, &held));
  CHECK(held != child);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphDestroy(held));
  Scale thrice(kernels["scale"], x, 3, 0);
  OK(cuGraphKernelNodeSetParams(nodes_of(held)[0], &thrice.params));
  OK(cuGraphExecKernelNodeSetParams(exec, nodes_of(held)[0], &thrice.params));
  OK(cuGraphLaunch(exec, stream));
  OK(cuStreamSynchronize(stream));
  CHECK(seen == 7);

  // A cycle is found at instantiation.
  OK(cuGraphAddDependencies(graph, &call, &set, nullptr, 1));
  CUDA_GRAPH_INSTANTIATE_PARAMS params{};
  CUgraphExec broken = nullptr;
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphInstantiateWithParams(&broken, graph, &params));
  CHECK(params.result_out == CUDA_GRAPH_INSTANTIATE_INVALID_STRUCTURE);
  OK(cuGraphRemoveDependencies(graph, &call, &set, nullptr, 1));
  OK(cuGraphDestroyNode(call));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphHostNodeGetParams(call, &back));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphAddEmptyNode(&call, graph, &in_child, 1));  // another graph's node
  const CUDA_MEMSET_NODE_PARAMS wrong{x, 0, 0, 3, 256, 1};
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphAddMemsetNode(&call, graph, nullptr, 0, &wrong, session.context));
  OK(cuGraphExecDestroy(exec));
  OK(cuGraphDestroy(graph));
  OK(cuGraphDestroy(child));
}

TEST_CASE("nodes of any kind change by one structure, kernels keep their attributes, events travel") {
  const Session session;
  const Kernels kernels;
  const Stream stream, other;
  const Event event, another;
  const CUdeviceptr x = upload(std::vector<float>(256, 1.0f));
  OK(cuCtxSynchronize());
  CUgraph graph = nullptr;
  OK(cuGraphCreate(&graph, 0));
  CUgraphNode set = nullptr, kernel = nullptr, second = nullptr, record = nullptr;
  const CUDA_MEMSET_NODE_PARAMS ones{x, 0, 0x3f800000, 4, 256, 1};
  OK(cuGraphAddMemsetNode(&set, graph, nullptr, 0, &ones, session.context));
  Scale twice(kernels["scale"], x, 2, 0);
  OK(cuGraphAddKernelNode(&kernel, graph, &set, 1, &twice.params));
  OK(cuGraphAddKernelNode(&second, graph, &kernel, 1, &twice.params));
  OK(cuGraphAddEventRecordNode(&record, graph, &second, 1, event));

  CUkernelNodeAttrValue value{};
  value.priority = -2;
  OK(cuGraphKernelNodeSetAttribute(kernel, CU_LAUNCH_ATTRIBUTE_PRIORITY, &value));
  OK(cuGraphKernelNodeCopyAttributes(second, kernel));
  value = {};
  OK(cuGraphKernelNodeGetAttribute(second, CU_LAUNCH_ATTRIBUTE_PRIORITY, &value));
  CHECK(value.priority == -2);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphKernelNodeGetAttribute(set, CU_LAUNCH_ATTRIBUTE_PRIORITY, &value));

  CUevent found = nullptr;
  OK(cuGraphEventRecordNodeGetEvent(record, &found));
  CHECK(found == event);
  OK(cuGraphEventRecordNodeSetEvent(record, another));
  OK(cuGraphEventRecordNodeGetEvent(record, &found));
  CHECK(found == another);

  CUgraphExec exec = instantiate(graph);
  OK(cuGraphLaunch(exec, stream));
  OK(cuStreamWaitEvent(other, another, 0));
  OK(launch(kernels["scale"], 2, 128, other, x, 256, 1.0f, 3.0f));  // ordered by the graph's record
  OK(cuStreamSynchronize(other));
  CHECK(download<float>(x, 256)[0] == 7);

  CUgraphNodeParams params{};
  params.type = CU_GRAPH_NODE_TYPE_MEMSET;
  params.memset.dst = x;
  params.memset.value = 0x40400000;  // 3.0f
  params.memset.elementSize = 4;
  params.memset.width = 256;
  params.memset.height = 1;
  OK(cuGraphExecNodeSetParams(exec, set, &params));
  OK(cuGraphLaunch(exec, stream));
  OK(cuStreamSynchronize(stream));
  CHECK(download<float>(x, 256)[0] == 12);
  OK(cuGraphNodeSetParams(set, &params));
  CUDA_MEMSET_NODE_PARAMS back{};
  OK(cuGraphMemsetNodeGetParams(set, &back));
  CHECK(back.value == 0x40400000);
  params.type = CU_GRAPH_NODE_TYPE_HOST;
  GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphNodeSetParams(set, &params));
  params.type = CU_GRAPH_NODE_TYPE_CONDITIONAL;
  CUgraphNode none = nullptr;
  GIVES(CUDA_ERROR_NOT_SUPPORTED, cuGraphAddNode(&none, graph, nullptr, nullptr, 0, &params));

  OK(cuGraphDebugDotPrint(graph, "driver_graph.dot", CU_GRAPH_DEBUG_DOT_FLAGS_VERBOSE));
  CHECK_THAT(file_text("driver_graph.dot"), Catch::Contains("digraph") && Catch::Contains("scale"));
  std::remove("driver_graph.dot");
  GIVES(CUDA_ERROR_OPERATING_SYSTEM, cuGraphDebugDotPrint(graph, "/nonexistent/graph.dot", 0));
  OK(cuGraphExecDestroy(exec));
  OK(cuGraphDestroy(graph));
}

TEST_CASE("graphs allocate and free") {
  const Session session;
  const Kernels kernels;
  const Stream stream;
  const CUdeviceptr y = upload(std::vector<float>(256, 0.0f));
  OK(cuCtxSynchronize());
  OK(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  CUdeviceptr x = 0;
  OK(cuMemAllocAsync(&x, 1024, stream));
  OK(cuMemsetD32Async(x, 0x40000000, 256, stream));
  OK(launch(kernels["add"], 2, 128, stream, x, y, 256));
  OK(cuMemFreeAsync(x, stream));
  CUgraph graph = nullptr;
  OK(cuStreamEndCapture(stream, &graph));
  const auto nodes = nodes_of(graph);
  REQUIRE(nodes.size() == 4);
  CUDA_MEM_ALLOC_NODE_PARAMS params{};
  OK(cuGraphMemAllocNodeGetParams(nodes[0], &params));
  CHECK(params.dptr == x);
  CHECK(params.bytesize == 1024);
  CUdeviceptr freed = 0;
  OK(cuGraphMemFreeNodeGetParams(nodes[3], &freed));
  CHECK(freed == x);
  const CUgraphExec exec = instantiate(graph);
  for (int i = 1; i <= 3; ++i) {
    OK(cuGraphLaunch(exec, stream));
    OK(cuStreamSynchronize(stream));
    CHECK(download<float>(y, 256)[0] == 2.0f * static_cast<float>(i));
  }
  OK(cuGraphExecDestroy(exec));
  OK(cuGraphDestroy(graph));
}

TEST_CASE("captures refuse what can't be captured") {
  const Session session;
  const Kernels kernels;
  const Stream stream, other;
  const Event outside;
  CUdeviceptr x = 0;
  CUgraph graph = nullptr;
  OK(cuMemAlloc(&x, 1024));
  GIVES(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamBeginCapture(nullptr, CU_STREAM_CAPTURE_MODE_RELAXED));
  GIVES(CUDA_ERROR_ILLEGAL_STATE, cuStreamEndCapture(stream, &graph));
  OK(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CUdeviceptr y = 0;
  GIVES(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemAlloc(&y, 16));
  GIVES(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, &graph));
  CHECK(graph == nullptr);
  // Another thread's question about an event spoils a global capture, unless that thread's mode is relaxed.
  OK(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  OK(cuThreadExchangeStreamCaptureMode(&mode));
  CHECK(mode == CU_STREAM_CAPTURE_MODE_GLOBAL);
  OK(cuEventQuery(outside));
  OK(cuThreadExchangeStreamCaptureMode(&mode));
  GIVES(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuEventQuery(outside));
  GIVES(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, &graph));
  // So does loading a module, which may wait for the device.
  OK(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CUmodule module = nullptr;
  GIVES(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuModuleLoadData(&module, test_ptx("driver.ptx").c_str()));
  GIVES(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, &graph));
  // In relaxed mode the first call is allowed.
  OK(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
  OK(cuMemAlloc(&y, 16));
  OK(cuEventRecord(outside, other));
  GIVES(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, cuStreamWaitEvent(stream, outside, 0));
  GIVES(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, &graph));
  // Forked and not joined.
  const Event fork;
  OK(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  OK(cuMemsetD8Async(x, 0, 16, stream));
  OK(cuEventRecord(fork, stream));
  OK(cuStreamWaitEvent(other, fork, 0));
  OK(cuMemsetD8Async(x + 16, 0, 16, other));
  GIVES(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, cuStreamEndCapture(other, &graph));
  GIVES(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, cuStreamEndCapture(stream, &graph));
  CUstreamCaptureStatus status{};
  OK(cuStreamIsCapturing(stream, &status));
  CHECK(status == CU_STREAM_CAPTURE_STATUS_NONE);
  OK(cuMemFree(x));
  OK(cuMemFree(y));
}

TEST_CASE("streams write and wait for words of memory") {
  const Session session;
  const Kernels kernels;
  const Stream first, second;
  const CUdeviceptr x = upload(std::vector<float>(256, 1.0f));
  const CUdeviceptr flag = upload(std::vector<unsigned>{0, 0});
  OK(cuCtxSynchronize());
  OK(cuStreamWaitValue32(second, flag, 3, CU_STREAM_WAIT_VALUE_GEQ));
  OK(launch(kernels["scale"], 2, 128, second, x, 256, 1.0f, 5.0f));
  OK(launch(kernels["scale"], 2, 128, first, x, 256, 2.0f, 0.0f));
  OK(cuStreamWriteValue32(first, flag, 3, 0));
  OK(cuStreamSynchronize(second));
  CHECK(download<float>(x, 256)[0] == 7);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuStreamWriteValue32(first, flag + 2, 3, 0));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuStreamWaitValue64(first, flag, 3, 17));
}

TEST_CASE("host functions may not call the driver") {
  const Session session;
  const Stream stream;
  CUresult inside = CUDA_SUCCESS;
  OK(cuLaunchHostFunc(
      stream,
      [](void* status) {
        std::size_t free = 0, total = 0;
        *static_cast<CUresult*>(status) = cuMemGetInfo(&free, &total);
      },
      &inside));
  OK(cuStreamSynchronize(stream));
  GIVES(CUDA_ERROR_NOT_PERMITTED, inside);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuLaunchHostFunc(stream, nullptr, nullptr));
}

}  // namespace vgpu_test
