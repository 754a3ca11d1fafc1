#include "graph.h"

#include <vector>

namespace maskrt::cuda {

Graph Graph::capture(std::shared_ptr<const Context> context, CUstream stream, const std::function<void()>& work) {
  const Driver& driver = context->driver();
  const CurrentContext current(*context);
  Graph graph(std::move(context));
  // Thread-local: other threads may do meanwhile what a capture forbids this one.
  driver.cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
  try {
    work();
  } catch (...) {
    driver.cuStreamEndCapture.status(stream, graph.handle_.put());
    throw;
  }
  driver.cuStreamEndCapture(stream, graph.handle_.put());
  return graph;
}

int Graph::kernels() const {
  const CurrentContext current(handle_.context());
  const Driver& driver = handle_.driver();
  std::size_t count = 0;
  driver.cuGraphGetNodes(get(), nullptr, &count);
  std::vector<CUgraphNode> nodes(count);
  driver.cuGraphGetNodes(get(), nodes.data(), &count);
  int kernels = 0;
  for (CUgraphNode node : nodes) {
    CUgraphNodeType type{};
    driver.cuGraphNodeGetType(node, &type);
    kernels += type == CU_GRAPH_NODE_TYPE_KERNEL;
  }
  return kernels;
}

GraphExec::GraphExec(std::shared_ptr<const Context> context, const Graph& graph) : handle_(std::move(context)) {
  const CurrentContext current(handle_.context());
  const AnyCaptureMode relaxed(handle_.driver());
  handle_.driver().cuGraphInstantiateWithFlags(handle_.put(), graph.get(), 0);
}

void GraphExec::launch(CUstream stream) const {
  const CurrentContext current(handle_.context());
  handle_.driver().cuGraphLaunch(handle_.get(), stream);
}

void GraphExec::upload(CUstream stream) const {
  const CurrentContext current(handle_.context());
  handle_.driver().cuGraphUpload(handle_.get(), stream);
}

}  // namespace maskrt::cuda
