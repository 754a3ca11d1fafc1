// A driver library that passes every call on to the one that COUNTED_DRIVER names, or to libcuda.so.1, and counts.
#include "counting_driver.h"

#include <cuda.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

namespace {

using maskrt::testing::DriverCounts;

std::mutex g_mutex;
DriverCounts g_counts;
std::map<CUgraphExec, std::size_t> g_kernels;  // of each graph ready to launch

void* symbol(const char* name) {
  static void* const library = [] {
    const char* named = std::getenv("COUNTED_DRIVER");
    return dlopen(named != nullptr && *named != '\0' ? named : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  }();
  return library != nullptr ? dlsym(library, name) : nullptr;
}

/// Stands for one entry point, of which `Number` tells those with the same signature apart.
template <int Number, typename Function>
struct Counted;
template <int Number, typename... Arguments>
struct Counted<Number, CUresult (*)(Arguments...)> {
  static inline CUresult (*real)(Arguments...) = nullptr;
  static inline std::size_t DriverCounts::*count = nullptr;
  static CUresult call(Arguments... arguments) {
    {
      const std::lock_guard lock(g_mutex);
      ++(g_counts.*count);
    }
    return real(arguments...);
  }
};

decltype(&::cuGraphInstantiateWithFlags) g_instantiate = nullptr;
decltype(&::cuGraphLaunch) g_launch = nullptr;
decltype(&::cuGraphGetNodes) g_nodes = nullptr;
decltype(&::cuGraphNodeGetType) g_type = nullptr;

bool is_kernel(CUgraphNode node) {
  CUgraphNodeType type{};
  g_type(node, &type);
  return type == CU_GRAPH_NODE_TYPE_KERNEL;
}

/// Sets what is counted of a graph's edges.
void count_edges(CUgraph graph, DriverCounts& counts) {
  static const auto edges = reinterpret_cast<decltype(&::cuGraphGetEdges_v2)>(symbol("cuGraphGetEdges_v2"));
  std::size_t count = 0;
  edges(graph, nullptr, nullptr, nullptr, &count);
  std::vector<CUgraphNode> from(count), to(count);
  std::vector<CUgraphEdgeData> data(count);
  edges(graph, from.data(), to.data(), data.data(), &count);
  counts.kernel_edges = counts.early_edges = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_kernel(from[i]) || !is_kernel(to[i])) continue;
    ++counts.kernel_edges;
    counts.early_edges += data[i].type == CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC ? 1 : 0;
  }
}

CUresult instantiate(CUgraphExec* exec, CUgraph graph, unsigned long long flags) {
  const CUresult status = g_instantiate(exec, graph, flags);
  if (status != CUDA_SUCCESS) return status;
  std::size_t count = 0, kernels = 0;
  g_nodes(graph, nullptr, &count);
  std::vector<CUgraphNode> nodes(count);
  g_nodes(graph, nodes.data(), &count);
  for (CUgraphNode node : nodes) kernels += is_kernel(node) ? 1 : 0;
  const std::lock_guard lock(g_mutex);
  ++g_counts.objects;
  if (kernels > g_counts.largest_graph) {
    g_counts.largest_graph = kernels;
    count_edges(graph, g_counts);
  }
  g_kernels[*exec] = kernels;
  return status;
}

CUresult launch(CUgraphExec exec, CUstream stream) {
  {
    const std::lock_guard lock(g_mutex);
    ++g_counts.graphs;
    g_counts.graph_kernels += g_kernels[exec];
  }
  return g_launch(exec, stream);
}

/// Puts `stand_in` in the place of the function found, which it calls.
template <typename Function>
void replace(void** function, Function& real, Function stand_in) {
  real = reinterpret_cast<Function>(*function);
  *function = reinterpret_cast<void*>(stand_in);
}

template <int Number, typename Function>
void count(void** function, std::size_t DriverCounts::*counter) {
  Counted<Number, Function>::count = counter;
  replace(function, Counted<Number, Function>::real, &Counted<Number, Function>::call);
}

}  // namespace

extern "C" {

#define EXPORTED __attribute__((visibility("default")))

EXPORTED DriverCounts counted_so_far() {
  const std::lock_guard lock(g_mutex);
  return g_counts;
}

EXPORTED CUresult cuDriverGetVersion(int* version) {
  const auto real = reinterpret_cast<decltype(&::cuDriverGetVersion)>(symbol("cuDriverGetVersion"));
  return real != nullptr ? real(version) : CUDA_ERROR_NOT_FOUND;
}

EXPORTED CUresult cuGetErrorName(CUresult error, const char** name) {
  return reinterpret_cast<decltype(&::cuGetErrorName)>(symbol("cuGetErrorName"))(error, name);
}

EXPORTED CUresult cuGetErrorString(CUresult error, const char** text) {
  return reinterpret_cast<decltype(&::cuGetErrorString)>(symbol("cuGetErrorString"))(error, text);
}

EXPORTED CUresult cuGetProcAddress_v2(const char* name, void** function, int version, cuuint64_t flags,
                                      CUdriverProcAddressQueryResult* found) {
  const auto real = reinterpret_cast<decltype(&::cuGetProcAddress)>(symbol("cuGetProcAddress_v2"));
  const CUresult status = real(name, function, version, flags, found);
  if (status != CUDA_SUCCESS || *function == nullptr) return status;
  const std::string_view asked = name;
  if (asked == "cuGraphGetNodes") g_nodes = reinterpret_cast<decltype(g_nodes)>(*function);
  if (asked == "cuGraphNodeGetType") g_type = reinterpret_cast<decltype(g_type)>(*function);
  if (asked == "cuGraphInstantiateWithFlags") replace(function, g_instantiate, &instantiate);
  if (asked == "cuGraphLaunch") replace(function, g_launch, &launch);
#define COUNT(entry, counter) \
  if (asked == #entry) count<__COUNTER__, decltype(&::entry)>(function, &DriverCounts::counter);
  COUNT(cuMemAlloc, allocations)
  COUNT(cuMemHostAlloc, allocations)
  COUNT(cuMemFree, frees)
  COUNT(cuMemFreeHost, frees)
  COUNT(cuModuleLoadData, objects)
  COUNT(cuStreamCreate, objects)
  COUNT(cuEventCreate, objects)
  COUNT(cuLaunchKernelEx, kernels)
  COUNT(cuStreamSynchronize, waits)
  COUNT(cuEventSynchronize, waits)
#undef COUNT
  return status;
}
}
