// Handles of graphs and their nodes.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "driver/engine/graph.h"
#include "driver/engine/graph_exec.h"
#include "driver/objects/context.h"

namespace vgpu::driver {

struct GraphExecObject {
  std::unique_ptr<engine::GraphExec> exec;
  cuuint64_t flags = 0;
};

/// What the driver calls a kind of node.
CUgraphNodeType type_of(engine::WorkKind kind);

/// Programs own the graphs they make and those that captures return; graphs inside of others, and those of a capture
/// that runs, only have a handle. Thread-safe.
class GraphTable {
 public:
  /// The handle of a graph, the same at every call.
  CUgraph handle_of(const std::shared_ptr<engine::Graph>& graph, bool owned);
  /// Throws Status with CUDA_ERROR_INVALID_VALUE, as the driver does.
  std::shared_ptr<engine::Graph> get(CUgraph handle);
  /// Ends a graph that the program owns. Throws Status with CUDA_ERROR_INVALID_VALUE.
  void destroy(CUgraph handle);

  CUgraphNode handle_of(const engine::Node* node);
  /// Throws Status with CUDA_ERROR_INVALID_VALUE where the node is none or its graph is gone.
  engine::Node* get(CUgraphNode handle);

  /// Graphs that programs own.
  std::size_t size() const;

 private:
  struct Entry {
    std::shared_ptr<engine::Graph> owned;
    std::weak_ptr<engine::Graph> graph;
  };
  mutable std::mutex mutex_;
  std::uintptr_t next_ = 0x600a'0000'0000;
  std::map<std::uintptr_t, Entry> graphs_;
  std::map<std::uintptr_t, std::weak_ptr<engine::Graph>> nodes_;
};

}  // namespace vgpu::driver
