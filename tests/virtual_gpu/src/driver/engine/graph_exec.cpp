#include "driver/engine/graph_exec.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "driver/engine/scheduler.h"

namespace vgpu::engine {
namespace {

/// The first node that is in a cycle, child graphs included; null where there is none.
Node* in_cycle(const Graph& graph) {
  const std::vector<Node*> sorted = graph.sorted();
  for (Node* node : graph.nodes()) {
    if (std::find(sorted.begin(), sorted.end(), node) == sorted.end()) return node;
    if (node->child() != nullptr && in_cycle(*node->child()) != nullptr) return node;
  }
  return nullptr;
}

/// Positions in creation order and edge data of what a node depends on, to compare two graphs.
using Shape = std::map<std::size_t, EdgeData>;
std::vector<Shape> shape_of(const Graph& graph) {
  const std::vector<Node*> nodes = graph.nodes();
  std::map<const Node*, std::size_t> position;
  for (std::size_t i = 0; i < nodes.size(); ++i) position[nodes[i]] = i;
  std::vector<Shape> shapes(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const Node::Link& link : nodes[i]->dependencies()) shapes[i][position[link.node]] = link.data;
  }
  return shapes;
}

/// The first difference that an update can't bridge.
std::optional<GraphExec::Update> difference(const Graph& old, const Graph& graph) {
  const std::vector<Node*> mine = old.nodes();
  const std::vector<Node*> theirs = graph.nodes();
  const std::vector<Shape> my_shape = shape_of(old);
  const std::vector<Shape> their_shape = shape_of(graph);
  if (mine.size() != theirs.size()) {
    Node* extra = theirs.size() > mine.size() ? theirs[mine.size()] : nullptr;
    return GraphExec::Update{UpdateResult::topology_changed, extra, nullptr};
  }
  for (std::size_t i = 0; i < mine.size(); ++i) {
    if (mine[i]->kind() != theirs[i]->kind()) {
      return GraphExec::Update{UpdateResult::node_type_changed, theirs[i], nullptr};
    }
    if (my_shape[i] != their_shape[i]) {
      GraphExec::Update update{UpdateResult::topology_changed, theirs[i], nullptr};
      for (const auto& [at, data] : their_shape[i]) {
        const auto same = my_shape[i].find(at);
        if (same == my_shape[i].end() || same->second != data) update.error_from_node = theirs[at];
      }
      return update;
    }
    // Memory of a graph keeps its address.
    if (mine[i]->address() != theirs[i]->address()) {
      return GraphExec::Update{UpdateResult::not_supported, theirs[i], nullptr};
    }
    if (mine[i]->child() == nullptr) continue;
    if (auto inner = difference(*mine[i]->child(), *theirs[i]->child())) return inner;
  }
  return std::nullopt;
}

}  // namespace

GraphExec::~GraphExec() = default;

GraphExec::Instantiation GraphExec::instantiate(const Graph& graph, bool auto_free) {
  Instantiation made;
  if (Node* node = in_cycle(graph)) {
    made.result = InstantiateResult::invalid_structure;
    made.error_node = node;
    return made;
  }
  made.exec.reset(new GraphExec());
  made.exec->graph_ = graph.copy();
  made.exec->auto_free_ = auto_free;
  made.exec->index(*made.exec->graph_);
  return made;
}

void GraphExec::index(const Graph& graph) {
  for (Node* node : graph.nodes()) {
    by_origin_[node->origin_] = node;
    if (node->child_ != nullptr) index(*node->child_);
  }
}

Node* GraphExec::find(const Node* original) const {
  const auto it = original == nullptr ? by_origin_.end() : by_origin_.find(original->id());
  if (it == by_origin_.end()) {
    throw Status(Code::invalid_value, "expected a node of the graph that was instantiated, found another");
  }
  return it->second;
}

void GraphExec::take_over(const Graph& mine, const Graph& theirs) {
  const std::vector<Node*> to = mine.nodes();
  const std::vector<Node*> from = theirs.nodes();
  for (std::size_t i = 0; i < to.size(); ++i) {
    to[i]->work_ = from[i]->work_;
    to[i]->event_ = from[i]->event_;
    if (to[i]->child_ != nullptr) take_over(*to[i]->child_, *from[i]->child_);
  }
}

GraphExec::Update GraphExec::update(const Graph& graph) {
  const Lock lock = graph_->engine().scheduler().enter();
  if (auto found = difference(*graph_, graph)) return *found;
  take_over(*graph_, graph);
  return {};
}

void GraphExec::set_work(const Node* node, Work work) {
  const Lock lock = graph_->engine().scheduler().enter();
  Node* mine = find(node);
  mine->graph().set_work(mine, std::move(work));
}

void GraphExec::set_event(const Node* node, std::shared_ptr<EventState> event) {
  const Lock lock = graph_->engine().scheduler().enter();
  Node* mine = find(node);
  mine->graph().set_event(mine, std::move(event));
}

void GraphExec::set_child(const Node* node, const Graph& child) {
  const Lock lock = graph_->engine().scheduler().enter();
  Node* mine = find(node);
  if (mine->child_ == nullptr) throw Status(Code::invalid_value, "expected a child graph node, found another kind");
  if (difference(*mine->child_, child)) {
    throw Status(Code::graph_exec_update_failure, "expected a child graph of the same shape, found another shape");
  }
  take_over(*mine->child_, child);
}

void GraphExec::set_enabled(const Node* node, bool enabled) {
  const Lock lock = graph_->engine().scheduler().enter();
  const Node* mine = find(node);
  if (mine->kind() != WorkKind::kernel && mine->kind() != WorkKind::copy && mine->kind() != WorkKind::set) {
    throw Status(Code::invalid_value,
                 std::string("expected a kernel, copy or set node, found a ") + name_of(mine->kind()) + " node");
  }
  if (enabled) {
    disabled_.erase(mine);
  } else {
    disabled_.insert(mine);
  }
}

bool GraphExec::enabled(const Node* node) const {
  const Lock lock = graph_->engine().scheduler().enter();
  return !disabled_.contains(find(node));
}

}  // namespace vgpu::engine
