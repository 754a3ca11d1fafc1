#include <algorithm>
#include <utility>

#include "driver/engine/capture.h"
#include "driver/engine/graph_exec.h"
#include "driver/engine/scheduler.h"

namespace vgpu::engine {

/// Turns the nodes of an instantiated graph into tasks.
class GraphLauncher {
 public:
  GraphLauncher(const GraphExec& exec, Lock& lock, std::shared_ptr<ContextState> context, std::string where)
      : exec_(exec),
        lock_(lock),
        scheduler_(context->scheduler),
        context_(std::move(context)),
        where_(std::move(where)) {}

  /// A task that is done when the whole graph is. The graph's roots depend on `entry`.
  TaskPtr launch(const Graph& graph, const TaskPtr& entry) {
    std::map<const Node*, TaskPtr> tasks;
    std::vector<Dependency> leaves{{entry}};
    for (const Node* node : graph.sorted()) {
      std::vector<Dependency> before;
      for (const Node::Link& link : node->dependencies()) before.push_back({tasks.at(link.node), link.data.type == 1});
      if (before.empty()) before.push_back({entry});
      const TaskPtr task = launch(*node, std::move(before));
      tasks[node] = task;
      if (node->dependents().empty()) leaves.push_back({task});
    }
    return submit(nullptr, std::move(leaves));
  }

 private:
  TaskPtr launch(const Node& node, std::vector<Dependency> before) {
    GraphMemoryTable& memory = scheduler_.graph_memory();
    if (node.child() != nullptr) return launch(*node.child(), submit(nullptr, std::move(before)));
    switch (node.kind()) {
      case WorkKind::wait_event:
        before.push_back({node.event()->recorded});
        return submit(nullptr, std::move(before));
      case WorkKind::record_event: {
        EventState& event = *node.event();
        event.capture.reset();
        event.captured.clear();
        return event.recorded = submit(nullptr, std::move(before));
      }
      case WorkKind::allocate:
        memory.set_live(*node.memory_, true);
        break;
      case WorkKind::release:
        memory.set_live(*node.memory_, false);
        break;
      default:
        break;
    }
    return submit(exec_.disabled_.contains(&node) ? nullptr : node.work_, std::move(before));
  }

  TaskPtr submit(std::shared_ptr<const Work> work, std::vector<Dependency> before) {
    return scheduler_.submit(lock_, context_, std::move(work), where_, std::move(before));
  }

  const GraphExec& exec_;
  Lock& lock_;
  Scheduler& scheduler_;
  std::shared_ptr<ContextState> context_;
  std::string where_;
};

void Stream::launch(GraphExec& exec) {
  Scheduler& scheduler = state_->context->scheduler;
  Lock lock = scheduler.enter();
  state_->context->check();
  refuse_implicit(*state_, true);
  if (is_captured(*state_)) {
    Node* node = state_->capture->graph->add_child(nodes_of(state_->frontier), exec.graph(), data_of(state_->frontier));
    state_->frontier = {{node, {}}};
    return;
  }
  std::vector<Dependency> before = behind(*state_);
  before.push_back({exec.last_});
  for (const Node* node : exec.graph().nodes()) {
    if (node->kind() != WorkKind::allocate || !scheduler.graph_memory().live(node->address())) continue;
    if (!exec.auto_free_) {
      throw Status(Code::invalid_value,
                   "expected memory that the graph's last launch allocated to be freed before the next, found it live");
    }
    scheduler.graph_memory().set_live(*node->memory_, false);
    auto release = std::make_shared<const Work>(graph_release_work(node->memory_));
    before = {{scheduler.submit(lock, state_->context, std::move(release), state_->name, std::move(before))}};
  }
  const std::string where = "a graph launched in " + state_->name;
  const TaskPtr entry = scheduler.submit(lock, state_->context, nullptr, where, std::move(before));
  exec.last_ = GraphLauncher(exec, lock, state_->context, where).launch(exec.graph(), entry);
  state_->tail = exec.last_;
}

}  // namespace vgpu::engine
