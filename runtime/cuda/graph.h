// Work recorded once and launched many times.
#pragma once

#include <functional>

#include "handle.h"

namespace maskrt::cuda {

/// Recorded work.
class Graph {
 public:
  /// Records what `work` sends to the stream instead of running it. Throws what `work` throws, and Error where it did
  /// what cannot be recorded; the stream is usable afterwards in any case.
  static Graph capture(std::shared_ptr<const Context> context, CUstream stream, const std::function<void()>& work);

  CUgraph get() const { return handle_.get(); }
  /// How many nodes launch a kernel.
  int kernels() const;

 private:
  explicit Graph(std::shared_ptr<const Context> context) : handle_(std::move(context)) {}
  Handle<CUgraph, &Driver::cuGraphDestroy> handle_;
};

/// A graph ready to launch; independent of the Graph that it was made from. One launch at a time.
class GraphExec {
 public:
  GraphExec(std::shared_ptr<const Context> context, const Graph& graph);
  void launch(CUstream stream) const;
  /// Sends what the first launch would otherwise send.
  void upload(CUstream stream) const;

 private:
  Handle<CUgraphExec, &Driver::cuGraphExecDestroy> handle_;
};

}  // namespace maskrt::cuda
