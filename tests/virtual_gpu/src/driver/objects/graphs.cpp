#include "driver/objects/graphs.h"

#include <algorithm>

#include "driver/objects/status.h"

namespace vgpu::driver {
namespace {

constexpr std::uintptr_t kNodes = 0x600b'0000'0000;

std::uintptr_t node_value(const engine::Node* node) { return kNodes + 16 * static_cast<std::uintptr_t>(node->id()); }

}  // namespace

CUgraphNodeType type_of(engine::WorkKind kind) {
  switch (kind) {
    case engine::WorkKind::empty:
      return CU_GRAPH_NODE_TYPE_EMPTY;
    case engine::WorkKind::kernel:
      return CU_GRAPH_NODE_TYPE_KERNEL;
    case engine::WorkKind::copy:
      return CU_GRAPH_NODE_TYPE_MEMCPY;
    case engine::WorkKind::set:
      return CU_GRAPH_NODE_TYPE_MEMSET;
    case engine::WorkKind::host:
      return CU_GRAPH_NODE_TYPE_HOST;
    case engine::WorkKind::allocate:
      return CU_GRAPH_NODE_TYPE_MEM_ALLOC;
    case engine::WorkKind::release:
      return CU_GRAPH_NODE_TYPE_MEM_FREE;
    case engine::WorkKind::values:
      return CU_GRAPH_NODE_TYPE_BATCH_MEM_OP;
    case engine::WorkKind::record_event:
      return CU_GRAPH_NODE_TYPE_EVENT_RECORD;
    case engine::WorkKind::wait_event:
      return CU_GRAPH_NODE_TYPE_WAIT_EVENT;
    case engine::WorkKind::child_graph:
      return CU_GRAPH_NODE_TYPE_GRAPH;
  }
  return CU_GRAPH_NODE_TYPE_EMPTY;
}

CUgraph GraphTable::handle_of(const std::shared_ptr<engine::Graph>& graph, bool owned) {
  const std::lock_guard lock(mutex_);
  std::erase_if(graphs_, [](const auto& entry) { return entry.second.graph.expired(); });
  for (auto& [value, entry] : graphs_) {
    if (entry.graph.lock() != graph) continue;
    if (owned) entry.owned = graph;
    return reinterpret_cast<CUgraph>(value);
  }
  next_ += 16;
  graphs_[next_] = {owned ? graph : nullptr, graph};
  return reinterpret_cast<CUgraph>(next_);
}

std::shared_ptr<engine::Graph> GraphTable::get(CUgraph handle) {
  const std::lock_guard lock(mutex_);
  const auto it = graphs_.find(reinterpret_cast<std::uintptr_t>(handle));
  std::shared_ptr<engine::Graph> graph = it == graphs_.end() ? nullptr : it->second.graph.lock();
  require_value(graph != nullptr, "expected a live graph, found a handle that is none or was destroyed");
  return graph;
}

void GraphTable::destroy(CUgraph handle) {
  std::shared_ptr<engine::Graph> graph;  // ends without the lock
  const std::lock_guard lock(mutex_);
  const auto it = graphs_.find(reinterpret_cast<std::uintptr_t>(handle));
  require_value(it != graphs_.end() && it->second.owned != nullptr,
                "expected a graph that the program owns, found another handle or one that was destroyed");
  graph = std::move(it->second.owned);
  graphs_.erase(it);
  std::erase_if(nodes_, [&](const auto& entry) { return entry.second.lock() == graph; });
}

CUgraphNode GraphTable::handle_of(const engine::Node* node) {
  const std::lock_guard lock(mutex_);
  const std::uintptr_t value = node_value(node);
  nodes_[value] = node->graph().weak_from_this();
  return reinterpret_cast<CUgraphNode>(value);
}

engine::Node* GraphTable::get(CUgraphNode handle) {
  const std::lock_guard lock(mutex_);
  const auto value = reinterpret_cast<std::uintptr_t>(handle);
  const auto it = nodes_.find(value);
  const std::shared_ptr<engine::Graph> graph = it == nodes_.end() ? nullptr : it->second.lock();
  if (graph != nullptr) {
    for (engine::Node* node : graph->nodes()) {
      if (node_value(node) == value) return node;
    }
    nodes_.erase(it);
  }
  throw Status(CUDA_ERROR_INVALID_VALUE, "expected a node of a live graph, found a handle that is none");
}

std::size_t GraphTable::size() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(graphs_.begin(), graphs_.end(), [](const auto& entry) { return entry.second.owned != nullptr; }));
}

}  // namespace vgpu::driver
