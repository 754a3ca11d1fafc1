// Graphs of work: nodes, edges, queries, clones. Not thread-safe, as the driver's are not.
#pragma once

#include <any>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "driver/engine/status.h"
#include "driver/engine/work.h"

namespace vgpu::engine {

class Engine;
class Graph;
struct EventState;
struct GraphMemory;

/// CUgraphEdgeData: how far the later node depends on the earlier one.
struct EdgeData {
  std::uint8_t from_port = 0;  ///< port of a kernel: 0 its end, 1 its launch_dependents, 2 the start of its blocks
  std::uint8_t to_port = 0;
  std::uint8_t type = 0;  ///< 0 full, 1 programmatic (kernels only)
  bool operator==(const EdgeData&) const = default;
};

class Node {
 public:
  struct Link {
    Node* node = nullptr;
    EdgeData data;
  };

  WorkKind kind() const { return work_->kind; }
  const Work& work() const { return *work_; }
  Graph& graph() const { return *graph_; }
  std::uint64_t id() const { return id_; }  ///< unique in the process
  std::span<const Link> dependencies() const { return dependencies_; }
  std::span<const Link> dependents() const { return dependents_; }
  /// The graph that a child graph node owns; else null.
  const std::shared_ptr<Graph>& child() const { return child_; }
  /// The event of record_event and wait_event; else null.
  const std::shared_ptr<EventState>& event() const { return event_; }
  /// Address and size of the memory that an allocate node allocates or a release node frees.
  std::uint64_t address() const;
  std::uint64_t bytes() const;

 private:
  friend class Graph;
  friend class GraphExec;
  friend class GraphLauncher;
  friend class Stream;
  Graph* graph_ = nullptr;
  std::uint64_t id_ = 0;
  std::uint64_t origin_ = 0;          ///< id of the node that this one is a clone of
  std::shared_ptr<const Work> work_;  ///< never changed: launches that were submitted keep theirs
  std::vector<Link> dependencies_;
  std::vector<Link> dependents_;
  std::shared_ptr<Graph> child_;
  std::shared_ptr<EventState> event_;
  std::shared_ptr<GraphMemory> memory_;
};

class Graph : public std::enable_shared_from_this<Graph> {
 public:
  static std::shared_ptr<Graph> create(Engine& engine);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Nodes. Status(invalid_value) where a dependency is another graph's or named twice, or `data` is neither empty nor
  // parallel to the dependencies.
  /// Kernel, copy, set, host, values or empty, by work.kind.
  Node* add(std::span<Node* const> dependencies, Work work, std::span<const EdgeData> data = {});
  /// The node holds a clone. Status(not_supported) where the child allocates memory.
  Node* add_child(std::span<Node* const> dependencies, const Graph& child, std::span<const EdgeData> data = {});
  Node* add_record(std::span<Node* const> dependencies, std::shared_ptr<EventState> event,
                   std::span<const EdgeData> data = {});
  Node* add_wait(std::span<Node* const> dependencies, std::shared_ptr<EventState> event,
                 std::span<const EdgeData> data = {});
  /// Reserves the memory; node->address() is what cuGraphAddMemAllocNode returns. Status(out_of_memory).
  Node* add_allocation(std::span<Node* const> dependencies, std::uint64_t bytes, std::any payload = {},
                       std::span<const EdgeData> data = {});
  /// Status(invalid_value) where the address is no graph's allocation, or this graph frees it already.
  Node* add_free(std::span<Node* const> dependencies, std::uint64_t address, std::span<const EdgeData> data = {});

  /// Status(invalid_value) where an edge exists already (or does not, to remove it), joins a node to itself or another
  /// graph's node. A cycle is found when the graph is instantiated.
  void add_edges(std::span<Node* const> from, std::span<Node* const> to, std::span<const EdgeData> data = {});
  void remove_edges(std::span<Node* const> from, std::span<Node* const> to, std::span<const EdgeData> data = {});
  /// Removes the node and its edges. Status(not_supported) for allocations and frees, as in the driver.
  void remove(Node* node);

  /// Replaces a node's work; kind and, of kernels, nothing else must agree. Status(invalid_value).
  void set_work(Node* node, Work work);
  void set_event(Node* node, std::shared_ptr<EventState> event);

  /// In the order of creation.
  std::vector<Node*> nodes() const;
  std::vector<Node*> roots() const;
  struct Edge {
    Node* from = nullptr;
    Node* to = nullptr;
    EdgeData data;
  };
  std::vector<Edge> edges() const;
  bool allocates() const;

  /// Status(not_supported) where the graph allocates or frees memory.
  std::shared_ptr<Graph> clone() const;
  /// The node of this graph, a clone, that stands for a node of the original; null where there is none.
  Node* find_clone(const Node* original) const;
  /// Graphviz. `verbose` adds the descriptions of the work.
  std::string dot(bool verbose) const;

  /// Nodes in an order that edges allow; shorter than nodes() where there is a cycle.
  std::vector<Node*> sorted() const;
  Engine& engine() const { return engine_; }

 private:
  explicit Graph(Engine& engine) : engine_(engine) {}
  Node* append(std::span<Node* const> dependencies, Work work, std::span<const EdgeData> data);
  void expect_own(const Node* node) const;
  void connect(Node* from, Node* to, EdgeData data);
  std::shared_ptr<Graph> copy() const;

  friend class GraphExec;
  Engine& engine_;
  std::map<std::uint64_t, std::unique_ptr<Node>> nodes_;  ///< by id
};

/// True where a node of some graph allocates at this address and the memory is live: cuMemFree and cuMemFreeAsync of it
/// then submit graph_free_work.
bool is_graph_memory(Engine& engine, std::uint64_t address);
/// Work that frees a live allocation of a graph, for a stream.
Work graph_free_work(Engine& engine, std::uint64_t address);

}  // namespace vgpu::engine
