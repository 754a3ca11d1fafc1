// Recorded work.
#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <stdexcept>

#include "kernels/elementwise/elementwise_cuda.h"
#include "runtime/cuda/graph.h"
#include "support/gpu.h"

namespace maskrt::cuda {
namespace {

using testing::DeviceArray;
using testing::Gpu;

kernels::Tensor four(const DeviceArray<float>& numbers) {
  return kernels::dense(numbers.data(), DataType::f32, 1, 1, 1, 4, 0);
}

TEST_CASE("a recorded launch runs when the graph does, each time anew") {
  Gpu& gpu = Gpu::instance();
  const DeviceArray<float> sum({1, 2, 3, 4}), step({1, 1, 2, 2});
  const auto work = [&] {
    kernels::add_cuda(gpu.queue(), four(sum), four(step), four(sum));
    kernels::add_cuda(gpu.queue(), four(sum), four(step), four(sum));
    gpu.queue().set_bytes(step.data() + 3, 0, sizeof(float));
  };
  kernels::add_cuda(gpu.queue(), four(sum), four(step), four(sum));  // loads the kernel
  const Graph graph = Graph::capture(gpu.context(), gpu.stream().get(), work);
  CHECK(graph.kernels() == 2);
  CHECK(sum.download() == std::vector<float>{2, 3, 5, 6});

  const GraphExec exec(gpu.context(), graph);
  exec.upload(gpu.stream().get());
  exec.launch(gpu.stream().get());
  CHECK(sum.download() == std::vector<float>{4, 5, 9, 10});
  exec.launch(gpu.stream().get());
  CHECK(sum.download() == std::vector<float>{6, 7, 13, 10});
}

TEST_CASE("a recorded launch that may overlap the one before it may do so in the graph, on Hopper and from 12.3 on") {
  Gpu& gpu = Gpu::instance();
  const DeviceArray<float> sum({1, 2, 3, 4}), step({1, 1, 2, 2});
  kernels::add_cuda(gpu.queue(), four(sum), four(step), four(sum));  // loads the kernel
  gpu.synchronize();
  const Graph graph = Graph::capture(gpu.context(), gpu.stream().get(), [&] {
    for (int i = 0; i < 3; ++i) kernels::add_cuda(gpu.queue(), four(sum), four(step), four(sum));
  });
  void* const library = dlopen(gpu.context()->driver().library().c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library != nullptr);
  const auto edges_of = reinterpret_cast<decltype(&::cuGraphGetEdges_v2)>(dlsym(library, "cuGraphGetEdges_v2"));
  const bool has_programmatic = gpu.context()->driver().version() >= kProgrammaticEdges;
  if (edges_of == nullptr && !has_programmatic) return;  // nor can be asked for them
  REQUIRE(edges_of != nullptr);
  const CurrentContext current(*gpu.context());
  CUgraphNode from[2], to[2];
  CUgraphEdgeData data[2];
  std::size_t count = 2;
  REQUIRE(edges_of(graph.get(), from, to, data, &count) == CUDA_SUCCESS);
  REQUIRE(count == 2);
  const bool hopper = gpu.chip().path() == kernels::KernelPath::sm90a;
  for (const CUgraphEdgeData& edge : data)
    CHECK(edge.type ==
          (hopper && has_programmatic ? CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC : CU_GRAPH_DEPENDENCY_TYPE_DEFAULT));
  dlclose(library);
}

TEST_CASE("a graph outlives what it was recorded from") {
  Gpu& gpu = Gpu::instance();
  const DeviceArray<float> numbers({1, 1, 1, 1});
  const auto record = [&] {
    return GraphExec(gpu.context(), Graph::capture(gpu.context(), gpu.stream().get(), [&] {
                       gpu.queue().set_bytes(numbers.data(), 0, 2 * sizeof(float));
                     }));
  };
  GraphExec exec = record();
  exec.launch(gpu.stream().get());
  CHECK(numbers.download() == std::vector<float>{0, 0, 1, 1});
}

TEST_CASE("what throws while it is recorded leaves the stream usable") {
  Gpu& gpu = Gpu::instance();
  const DeviceArray<float> numbers({1, 1, 1, 1});
  const auto work = [&] {
    gpu.queue().set_bytes(numbers.data(), 0, sizeof(float));
    throw std::runtime_error("midway");
  };
  CHECK_THROWS_WITH(Graph::capture(gpu.context(), gpu.stream().get(), work), "midway");
  CHECK(numbers.download() == std::vector<float>{1, 1, 1, 1});
  gpu.queue().set_bytes(numbers.data(), 0, sizeof(float));
  CHECK(numbers.download() == std::vector<float>{0, 1, 1, 1});
}

}  // namespace
}  // namespace maskrt::cuda
