#include "driver/engine/graph.h"

#include <algorithm>
#include <utility>

#include "driver/engine/graph_memory.h"
#include "driver/engine/scheduler.h"

namespace vgpu::engine {
namespace {

[[noreturn]] void invalid(const std::string& message) { throw Status(Code::invalid_value, message); }

bool linked(const Node* from, const Node* to) {
  const auto links = from->dependents();
  return std::any_of(links.begin(), links.end(), [&](const Node::Link& link) { return link.node == to; });
}

/// Programmatic edges join kernels, from a port that kernels have. CUgraphEdgeData.
void check_edge(const Node* from, const Node* to, EdgeData data) {
  const bool kernels = from->kind() == WorkKind::kernel && to->kind() == WorkKind::kernel;
  if (data.type > 1 || data.to_port != 0 || data.from_port > 2) invalid("expected edge data of a known type and port");
  if (data.type == 1 && (!kernels || data.from_port == 0)) {
    invalid("expected a programmatic edge to leave a kernel by its programmatic or launch port for a kernel");
  }
  if (data.type == 0 && data.from_port != 0) invalid("expected a full edge to leave a node by port 0");
}

Work named(WorkKind kind) {
  Work work;
  work.kind = kind;
  return work;
}

}  // namespace

std::uint64_t Node::address() const { return memory_ == nullptr ? 0 : memory_->address; }
std::uint64_t Node::bytes() const { return memory_ == nullptr ? 0 : memory_->bytes; }

std::shared_ptr<Graph> Graph::create(Engine& engine) { return std::shared_ptr<Graph>(new Graph(engine)); }
Graph::~Graph() = default;

void Graph::expect_own(const Node* node) const {
  if (node == nullptr || node->graph_ != this) invalid("expected a node of this graph, found another's or none");
}

void Graph::connect(Node* from, Node* to, EdgeData data) {
  from->dependents_.push_back({to, data});
  to->dependencies_.push_back({from, data});
}

Node* Graph::append(std::span<Node* const> dependencies, Work work, std::span<const EdgeData> data) {
  if (!data.empty() && data.size() != dependencies.size()) invalid("expected edge data for each dependency or none");
  auto node = std::make_unique<Node>();
  node->graph_ = this;
  node->id_ = next_id();
  node->work_ = std::make_shared<const Work>(std::move(work));
  for (std::size_t i = 0; i < dependencies.size(); ++i) {
    expect_own(dependencies[i]);
    if (std::count(dependencies.begin(), dependencies.end(), dependencies[i]) != 1) {
      invalid("expected each dependency once, found one twice");
    }
    check_edge(dependencies[i], node.get(), data.empty() ? EdgeData{} : data[i]);
  }
  for (std::size_t i = 0; i < dependencies.size(); ++i) {
    connect(dependencies[i], node.get(), data.empty() ? EdgeData{} : data[i]);
  }
  Node* added = node.get();
  nodes_[added->id_] = std::move(node);
  return added;
}

Node* Graph::add(std::span<Node* const> dependencies, Work work, std::span<const EdgeData> data) {
  switch (work.kind) {
    case WorkKind::allocate:
    case WorkKind::release:
    case WorkKind::record_event:
    case WorkKind::wait_event:
    case WorkKind::child_graph:
      invalid(std::string("expected a node that only needs its work, found a node of kind ") + name_of(work.kind));
    default:
      return append(dependencies, std::move(work), data);
  }
}

Node* Graph::add_child(std::span<Node* const> dependencies, const Graph& child, std::span<const EdgeData> data) {
  std::shared_ptr<Graph> clone = child.clone();
  Node* node = append(dependencies, named(WorkKind::child_graph), data);
  node->child_ = std::move(clone);
  return node;
}

Node* Graph::add_record(std::span<Node* const> dependencies, std::shared_ptr<EventState> event,
                        std::span<const EdgeData> data) {
  Node* node = append(dependencies, named(WorkKind::record_event), data);
  node->event_ = std::move(event);
  return node;
}

Node* Graph::add_wait(std::span<Node* const> dependencies, std::shared_ptr<EventState> event,
                      std::span<const EdgeData> data) {
  Node* node = append(dependencies, named(WorkKind::wait_event), data);
  node->event_ = std::move(event);
  return node;
}

Node* Graph::add_allocation(std::span<Node* const> dependencies, std::uint64_t bytes, std::any payload,
                            std::span<const EdgeData> data) {
  if (bytes == 0) invalid("expected at least one byte to allocate, found none");
  std::shared_ptr<GraphMemory> memory = engine_.scheduler().graph_memory().reserve(bytes);
  if (memory == nullptr) {
    throw Status(Code::out_of_memory, "expected " + std::to_string(bytes) + " free bytes of device memory, found less");
  }
  Work work = graph_allocation_work(memory);
  work.payload = std::move(payload);
  Node* node = append(dependencies, std::move(work), data);
  node->memory_ = std::move(memory);
  return node;
}

Node* Graph::add_free(std::span<Node* const> dependencies, std::uint64_t address, std::span<const EdgeData> data) {
  std::shared_ptr<GraphMemory> memory = engine_.scheduler().graph_memory().find(address);
  if (memory == nullptr) invalid("expected an address that a graph's node allocates, found another");
  for (const auto& [id, node] : nodes_) {
    if (node->kind() == WorkKind::release && node->memory_ == memory) {
      invalid("expected memory that this graph does not free yet, found a node that frees it");
    }
  }
  Node* node = append(dependencies, graph_release_work(memory), data);
  node->memory_ = std::move(memory);
  return node;
}

void Graph::add_edges(std::span<Node* const> from, std::span<Node* const> to, std::span<const EdgeData> data) {
  if (from.size() != to.size() || (!data.empty() && data.size() != from.size())) {
    invalid("expected as many nodes that edges leave as nodes they enter, and edge data for each or none");
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    expect_own(from[i]);
    expect_own(to[i]);
    if (from[i] == to[i]) invalid("expected an edge between two nodes, found one from a node to itself");
    if (linked(from[i], to[i])) invalid("expected a new edge, found one that exists");
    check_edge(from[i], to[i], data.empty() ? EdgeData{} : data[i]);
  }
  for (std::size_t i = 0; i < from.size(); ++i) connect(from[i], to[i], data.empty() ? EdgeData{} : data[i]);
}

void Graph::remove_edges(std::span<Node* const> from, std::span<Node* const> to, std::span<const EdgeData> data) {
  if (from.size() != to.size() || (!data.empty() && data.size() != from.size())) {
    invalid("expected as many nodes that edges leave as nodes they enter, and edge data for each or none");
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    expect_own(from[i]);
    expect_own(to[i]);
    const Node::Link wanted{to[i], data.empty() ? EdgeData{} : data[i]};
    const bool exists = std::any_of(from[i]->dependents_.begin(), from[i]->dependents_.end(), [&](const auto& link) {
      return link.node == wanted.node && link.data == wanted.data;
    });
    if (!exists) invalid("expected an edge of this graph to remove, found none such");
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::erase_if(from[i]->dependents_, [&](const Node::Link& link) { return link.node == to[i]; });
    std::erase_if(to[i]->dependencies_, [&](const Node::Link& link) { return link.node == from[i]; });
  }
}

void Graph::remove(Node* node) {
  expect_own(node);
  if (node->memory_ != nullptr) {
    throw Status(Code::not_supported, "expected a node that neither allocates nor frees memory to remove");
  }
  for (const Node::Link& link : node->dependencies_) {
    std::erase_if(link.node->dependents_, [&](const Node::Link& back) { return back.node == node; });
  }
  for (const Node::Link& link : node->dependents_) {
    std::erase_if(link.node->dependencies_, [&](const Node::Link& back) { return back.node == node; });
  }
  nodes_.erase(node->id_);
}

void Graph::set_work(Node* node, Work work) {
  expect_own(node);
  if (work.kind != node->kind() || node->memory_ != nullptr || node->child_ != nullptr || node->event_ != nullptr) {
    invalid(std::string("expected a ") + name_of(work.kind) + " node to set, found a " + name_of(node->kind()) +
            " node");
  }
  node->work_ = std::make_shared<const Work>(std::move(work));
}

void Graph::set_event(Node* node, std::shared_ptr<EventState> event) {
  expect_own(node);
  if (node->event_ == nullptr) invalid("expected a node that records or awaits an event, found another");
  node->event_ = std::move(event);
}

std::vector<Node*> Graph::nodes() const {
  std::vector<Node*> list;
  for (const auto& [id, node] : nodes_) list.push_back(node.get());
  return list;
}

std::vector<Node*> Graph::roots() const {
  std::vector<Node*> list = nodes();
  std::erase_if(list, [](const Node* node) { return !node->dependencies_.empty(); });
  return list;
}

std::vector<Graph::Edge> Graph::edges() const {
  std::vector<Edge> list;
  for (const auto& [id, node] : nodes_) {
    for (const Node::Link& link : node->dependents_) list.push_back({node.get(), link.node, link.data});
  }
  return list;
}

bool Graph::allocates() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const auto& entry) { return entry.second->memory_ != nullptr; });
}

std::shared_ptr<Graph> Graph::clone() const {
  if (allocates()) throw Status(Code::not_supported, "expected a graph that allocates no memory to clone");
  return copy();
}

std::shared_ptr<Graph> Graph::copy() const {
  std::shared_ptr<Graph> graph = create(engine_);
  std::map<const Node*, Node*> clones;
  for (const auto& [id, node] : nodes_) {
    auto clone = std::make_unique<Node>();
    clone->graph_ = graph.get();
    clone->id_ = next_id();
    clone->origin_ = id;
    clone->work_ = node->work_;
    clone->child_ = node->child_ == nullptr ? nullptr : node->child_->copy();
    clone->event_ = node->event_;
    clone->memory_ = node->memory_;
    clones[node.get()] = clone.get();
    graph->nodes_[clone->id_] = std::move(clone);
  }
  for (const auto& [id, node] : nodes_) {
    for (const Node::Link& link : node->dependencies_) {
      graph->connect(clones.at(link.node), clones.at(node.get()), link.data);
    }
  }
  return graph;
}

Node* Graph::find_clone(const Node* original) const {
  for (const auto& [id, node] : nodes_) {
    if (node->origin_ == original->id_) return node.get();
  }
  return nullptr;
}

std::vector<Node*> Graph::sorted() const {
  std::map<const Node*, std::size_t> missing;
  std::vector<Node*> list = roots();
  for (const auto& [id, node] : nodes_) missing[node.get()] = node->dependencies_.size();
  for (std::size_t i = 0; i < list.size(); ++i) {
    for (const Node::Link& link : list[i]->dependents_) {
      if (--missing[link.node] == 0) list.push_back(link.node);
    }
  }
  return list;
}

bool is_graph_memory(Engine& engine, std::uint64_t address) { return engine.scheduler().graph_memory().live(address); }

Work graph_free_work(Engine& engine, std::uint64_t address) {
  GraphMemoryTable& table = engine.scheduler().graph_memory();
  const std::shared_ptr<GraphMemory> memory = table.find(address);
  if (memory == nullptr || !table.set_live(*memory, false)) {
    invalid("expected live memory of a graph to free, found none at this address");
  }
  return graph_release_work(memory);
}

}  // namespace vgpu::engine
