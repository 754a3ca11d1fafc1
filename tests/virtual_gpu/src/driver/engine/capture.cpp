#include "driver/engine/capture.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "driver/engine/scheduler.h"

namespace vgpu::engine {
namespace {

struct CaptureTable {
  std::mutex mutex;
  std::vector<std::weak_ptr<Capture>> captures;
};
CaptureTable& capture_table() {
  static CaptureTable table;
  return table;
}

thread_local CaptureMode thread_mode = CaptureMode::global;

/// True where `from` or what it depends on includes `wanted`.
bool reaches(const std::vector<Node::Link>& from, const Node* wanted) {
  std::vector<const Node*> open;
  std::set<const Node*> known;
  for (const Node::Link& link : from) open.push_back(link.node);
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    if (node == wanted) return true;
    if (!known.insert(node).second) continue;
    for (const Node::Link& link : node->dependencies()) open.push_back(link.node);
  }
  return false;
}

}  // namespace

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

void announce(const std::shared_ptr<Capture>& capture) {
  CaptureTable& table = capture_table();
  const std::lock_guard lock(table.mutex);
  std::erase_if(table.captures, [](const auto& entry) { return entry.expired(); });
  table.captures.push_back(capture);
}

void invalidate(Capture& capture) {
  CaptureStatus active = CaptureStatus::active;
  capture.status.compare_exchange_strong(active, CaptureStatus::invalidated);
}

bool is_captured(const StreamState& stream) {
  if (stream.capture == nullptr) return false;
  if (stream.capture->status == CaptureStatus::invalidated) {
    throw Status(Code::capture_invalidated, "expected a valid capture, found one that an earlier error invalidated");
  }
  return true;
}

void refuse_captured(const StreamState& stream, const char* what) {
  if (stream.capture == nullptr) return;
  invalidate(*stream.capture);
  throw Status(Code::capture_unsupported, std::string("expected a stream that is not captured for ") + what +
                                              ", found one that is: the capture is invalidated");
}

void refuse_implicit(const StreamState& stream, bool invalidates) {
  if (!stream.legacy) return;
  bool found = false;
  for (const auto& other : stream.context->streams) {
    if (other->non_blocking || other->capture == nullptr) continue;
    if (invalidates) invalidate(*other->capture);
    found = true;
  }
  if (found) {
    throw Status(Code::capture_implicit,
                 "expected no blocking stream under capture when the default stream is used, found one");
  }
}

void leave_capture(Capture& capture) {
  capture.status = CaptureStatus::none;
  const auto streams = std::move(capture.streams);
  for (const auto& stream : streams) {
    stream->frontier.clear();
    stream->capture.reset();
  }
}

std::vector<Node*> nodes_of(const std::vector<Node::Link>& links) {
  std::vector<Node*> nodes;
  for (const Node::Link& link : links) nodes.push_back(link.node);
  return nodes;
}

std::vector<EdgeData> data_of(const std::vector<Node::Link>& links) {
  std::vector<EdgeData> data;
  for (const Node::Link& link : links) data.push_back(link.data);
  return data;
}

void merge_links(std::vector<Node::Link>& into, const std::vector<Node::Link>& from) {
  for (const Node::Link& link : from) {
    const bool known = std::any_of(into.begin(), into.end(), [&](const auto& l) { return l.node == link.node; });
    if (!known) into.push_back(link);
  }
}

void Stream::begin_capture(CaptureMode mode) { begin_capture_to(nullptr, {}, {}, mode); }

void Stream::begin_capture_to(std::shared_ptr<Graph> graph, std::span<Node* const> dependencies,
                              std::span<const EdgeData> data, CaptureMode mode) {
  Scheduler& scheduler = state_->context->scheduler;
  const Lock lock = scheduler.enter();
  state_->context->check();
  if (state_->legacy) throw Status(Code::capture_unsupported, "expected a stream to capture, found the default stream");
  if (state_->capture != nullptr) {
    throw Status(Code::illegal_state, "expected a stream that is not captured, found one that is");
  }
  if (!data.empty() && data.size() != dependencies.size()) {
    throw Status(Code::invalid_value, "expected edge data for each dependency or none");
  }
  if (graph == nullptr) graph = Graph::create(scheduler.engine());
  std::vector<Node::Link> frontier;
  for (std::size_t i = 0; i < dependencies.size(); ++i) {
    if (dependencies[i] == nullptr || &dependencies[i]->graph() != graph.get()) {
      throw Status(Code::invalid_value, "expected dependencies in the graph to capture to, found another graph's node");
    }
    frontier.push_back({dependencies[i], data.empty() ? EdgeData{} : data[i]});
  }
  auto capture = std::make_shared<Capture>();
  capture->id = next_id();
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->graph = std::move(graph);
  capture->origin = state_.get();
  capture->streams = {state_};
  announce(capture);
  state_->capture = std::move(capture);
  state_->frontier = std::move(frontier);
}

std::shared_ptr<Graph> Stream::end_capture() {
  Scheduler& scheduler = state_->context->scheduler;
  const Lock lock = scheduler.enter();
  const std::shared_ptr<Capture> capture = state_->capture;
  if (capture == nullptr) throw Status(Code::illegal_state, "expected a stream that is captured, found one that isn't");
  if (capture->mode != CaptureMode::relaxed && capture->thread != std::this_thread::get_id()) {
    throw Status(Code::capture_wrong_thread, "expected the thread that began the capture to end it, found another");
  }
  if (capture->origin != state_.get()) {
    throw Status(Code::capture_unmatched, "expected the stream where the capture began, found one that joined it");
  }
  const bool valid = capture->status == CaptureStatus::active;
  const bool joined =
      std::all_of(capture->streams.begin(), capture->streams.end(), [&](const std::shared_ptr<StreamState>& stream) {
        return std::all_of(stream->frontier.begin(), stream->frontier.end(),
                           [&](const Node::Link& link) { return reaches(state_->frontier, link.node); });
      });
  leave_capture(*capture);
  if (!valid) {
    throw Status(Code::capture_invalidated, "expected a valid capture, found one that an earlier error invalidated");
  }
  if (!joined) {
    throw Status(Code::capture_unjoined,
                 "expected every stream that joined the capture to be joined again by the first, found one that isn't");
  }
  return capture->graph;
}

CaptureStatus Stream::capture_status() const {
  const Lock lock = state_->context->scheduler.enter();
  refuse_implicit(*state_, false);
  return state_->capture == nullptr ? CaptureStatus::none : state_->capture->status.load();
}

CaptureInfo Stream::capture_info() const {
  const Lock lock = state_->context->scheduler.enter();
  refuse_implicit(*state_, false);
  CaptureInfo info;
  if (state_->capture == nullptr) return info;
  info.status = state_->capture->status;
  info.id = state_->capture->id;
  info.graph = state_->capture->graph;
  info.dependencies = nodes_of(state_->frontier);
  info.edge_data = data_of(state_->frontier);
  return info;
}

void Stream::update_capture_dependencies(std::span<Node* const> dependencies, std::span<const EdgeData> data,
                                         bool replace) {
  const Lock lock = state_->context->scheduler.enter();
  if (state_->capture == nullptr) {
    throw Status(Code::illegal_state, "expected a stream that is captured, found one that isn't");
  }
  is_captured(*state_);
  if (!data.empty() && data.size() != dependencies.size()) {
    throw Status(Code::invalid_value, "expected edge data for each dependency or none");
  }
  std::vector<Node::Link> links;
  for (std::size_t i = 0; i < dependencies.size(); ++i) {
    if (dependencies[i] == nullptr || &dependencies[i]->graph() != state_->capture->graph.get()) {
      throw Status(Code::invalid_value, "expected nodes of the graph under capture, found another graph's");
    }
    links.push_back({dependencies[i], data.empty() ? EdgeData{} : data[i]});
  }
  if (replace) state_->frontier.clear();
  merge_links(state_->frontier, links);
}

std::uint64_t Stream::capture_allocation(std::uint64_t bytes, std::any payload) {
  const Lock lock = state_->context->scheduler.enter();
  if (!is_captured(*state_)) {
    throw Status(Code::illegal_state, "expected a stream that is captured, found one that isn't");
  }
  Node* node = state_->capture->graph->add_allocation(nodes_of(state_->frontier), bytes, std::move(payload),
                                                      data_of(state_->frontier));
  state_->frontier = {{node, {}}};
  return node->address();
}

void Stream::capture_free(std::uint64_t address) {
  const Lock lock = state_->context->scheduler.enter();
  if (!is_captured(*state_)) {
    throw Status(Code::illegal_state, "expected a stream that is captured, found one that isn't");
  }
  Node* node = state_->capture->graph->add_free(nodes_of(state_->frontier), address, data_of(state_->frontier));
  state_->frontier = {{node, {}}};
}

CaptureMode exchange_thread_capture_mode(CaptureMode mode) { return std::exchange(thread_mode, mode); }

void guard_unsafe_call() {
  if (thread_mode == CaptureMode::relaxed) return;
  CaptureTable& table = capture_table();
  const std::lock_guard lock(table.mutex);
  bool refused = false;
  for (const auto& entry : table.captures) {
    const auto capture = entry.lock();
    if (capture == nullptr || capture->status == CaptureStatus::none) continue;
    const bool own = capture->thread == std::this_thread::get_id() && capture->mode != CaptureMode::relaxed;
    const bool others = capture->mode == CaptureMode::global && thread_mode == CaptureMode::global;
    if (!own && !others) continue;
    invalidate(*capture);
    refused = true;
  }
  if (refused) {
    throw Status(Code::capture_unsupported,
                 "expected no capture under way that forbids this call in its mode, found one: it is invalidated");
  }
}

}  // namespace vgpu::engine
