// An instantiated graph: a copy that can be launched, and updated in place.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>

#include "driver/engine/graph.h"

namespace vgpu::engine {

class Stream;
struct Task;

/// CUgraphInstantiateResult, with its values.
enum class InstantiateResult : std::uint8_t {
  success = 0,
  error = 1,
  invalid_structure = 2,
  node_operation_not_supported = 3,
  multiple_contexts_not_supported = 4,
};
/// CUgraphExecUpdateResult, with its values.
enum class UpdateResult : std::uint8_t {
  success = 0,
  error = 1,
  topology_changed = 2,
  node_type_changed = 3,
  function_changed = 4,
  parameters_changed = 5,
  not_supported = 6,
  unsupported_function_change = 7,
  attributes_changed = 8,
};

class GraphExec {
 public:
  struct Instantiation {
    std::unique_ptr<GraphExec> exec;  ///< null where it failed
    InstantiateResult result = InstantiateResult::success;
    Node* error_node = nullptr;
  };
  /// `auto_free`: memory that a launch has left allocated is freed by the next (AUTO_FREE_ON_LAUNCH). A cycle is an
  /// invalid structure.
  static Instantiation instantiate(const Graph& graph, bool auto_free = false);
  ~GraphExec();

  struct Update {
    UpdateResult result = UpdateResult::success;
    Node* error_node = nullptr;       ///< node of the graph passed to the update
    Node* error_from_node = nullptr;  ///< its other node, where an edge differs
  };
  /// cuGraphExecUpdate: takes over the parameters of a graph of the same shape. Nothing changes unless it succeeds;
  /// launches that were submitted before keep theirs.
  Update update(const Graph& graph);

  // Setters of single nodes, named by the node of the graph that was instantiated (or of a graph inside it).
  // Status(invalid_value) where there is no such node, or its kind differs.
  void set_work(const Node* node, Work work);
  void set_event(const Node* node, std::shared_ptr<EventState> event);
  /// Status(graph_exec_update_failure) where the shape differs.
  void set_child(const Node* node, const Graph& child);
  /// Kernels, copies and sets only; others Status(invalid_value). A node that is off only orders.
  void set_enabled(const Node* node, bool enabled);
  bool enabled(const Node* node) const;

  const Graph& graph() const { return *graph_; }

 private:
  friend class Stream;
  friend class GraphLauncher;
  GraphExec() = default;
  Node* find(const Node* original) const;
  void index(const Graph& graph);
  static void take_over(const Graph& mine, const Graph& theirs);

  std::shared_ptr<Graph> graph_;              ///< a copy of its own
  std::map<std::uint64_t, Node*> by_origin_;  ///< nodes of the copy, children's too, by the original's id
  std::set<const Node*> disabled_;
  std::shared_ptr<Task> last_;  ///< the end of the last launch: launches of one graph never overlap
  bool auto_free_ = false;
};

}  // namespace vgpu::engine
