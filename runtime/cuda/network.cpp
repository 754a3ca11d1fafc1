#include "network.h"

#include "program_builder.h"

namespace maskrt::cuda {

CudaNetwork::CudaNetwork(graph::Graph graph, Precision precision, KernelLibrary& library)
    : graph_(std::move(graph)),
      precision_(precision),
      fusions_(find_fusions(graph_)),
      library_(library),
      weights_(library.context()) {
  graph::check(graph_);
}

Program CudaNetwork::compile(std::int64_t batch, std::int64_t height, std::int64_t width, int) {
  const std::vector<graph::Extent> extents = graph::infer_extents(graph_, batch, height, width);
  return ProgramBuilder(graph_, extents, fusions_, precision_, library_.context()->chip(), weights_).build();
}

}  // namespace maskrt::cuda
