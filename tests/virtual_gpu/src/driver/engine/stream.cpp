#include "driver/engine/stream.h"

#include <algorithm>
#include <utility>

#include "driver/engine/capture.h"
#include "driver/engine/event.h"
#include "driver/engine/scheduler.h"

namespace vgpu::engine {

std::vector<Dependency> behind(const StreamState& stream) {
  std::vector<Dependency> before{{stream.tail}};
  const ContextState& context = *stream.context;
  if (stream.legacy) {
    for (const auto& other : context.streams) {
      if (!other->non_blocking) before.push_back({other->tail});
    }
    before.push_back({context.closed_blocking});
  } else if (!stream.non_blocking) {
    before.push_back({context.legacy->tail});
  }
  return before;
}

namespace {

/// What a wait for the stream waits for; for the legacy stream also the work of others that its own would wait for.
std::vector<TaskPtr> part_of(const StreamState& stream) {
  std::vector<TaskPtr> tasks{stream.tail};
  if (!stream.legacy) return tasks;
  for (const Dependency& d : behind(stream)) tasks.push_back(d.task);
  return tasks;
}

bool is_kernel(const TaskPtr& task) { return task != nullptr && task->kind == WorkKind::kernel; }

/// Adds a node that depends on the stream's frontier. A programmatic launch may overlap the kernels it depends on.
void capture_work(StreamState& stream, Work work) {
  std::vector<EdgeData> data = data_of(stream.frontier);
  const auto kernel = [](const Node::Link& link) { return link.node->kind() == WorkKind::kernel; };
  if (work.programmatic && std::all_of(stream.frontier.begin(), stream.frontier.end(), kernel)) {
    std::fill(data.begin(), data.end(), EdgeData{1, 0, 1});
  }
  Node* node = stream.capture->graph->add(nodes_of(stream.frontier), std::move(work), data);
  stream.frontier = {{node, {}}};
}

}  // namespace

Stream::Stream(std::shared_ptr<StreamState> state) : state_(std::move(state)) {}

Stream::~Stream() {
  if (state_->legacy) return;
  ContextState& context = *state_->context;
  Lock lock = context.scheduler.enter();
  if (state_->capture != nullptr) {
    invalidate(*state_->capture);
    if (state_->capture->origin == state_.get()) leave_capture(*state_->capture);
  }
  std::erase(context.streams, state_);
  if (state_->tail != nullptr) {
    TaskPtr& closed = state_->non_blocking ? context.closed_non_blocking : context.closed_blocking;
    closed = context.scheduler.submit(lock, state_->context, nullptr, {}, {{closed}, {state_->tail}});
  }
}

std::uint64_t Stream::id() const { return state_->id; }
bool Stream::non_blocking() const { return state_->non_blocking; }
int Stream::priority() const { return state_->priority; }
bool Stream::is_legacy() const { return state_->legacy; }

void Stream::submit(Work work) {
  Scheduler& scheduler = state_->context->scheduler;
  Lock lock = scheduler.enter();
  state_->context->check();
  refuse_implicit(*state_, true);
  if (is_captured(*state_)) return capture_work(*state_, std::move(work));
  std::vector<Dependency> before = behind(*state_);
  before.front().programmatic = work.programmatic && is_kernel(state_->tail);
  state_->tail = scheduler.submit(lock, state_->context, std::make_shared<const Work>(std::move(work)), state_->name,
                                  std::move(before));
}

void Stream::submit_and_wait(Work work) {
  Scheduler& scheduler = state_->context->scheduler;
  Lock lock = scheduler.enter();
  state_->context->check();
  refuse_implicit(*state_, true);
  refuse_captured(*state_, "a synchronous call");
  const TaskPtr task = scheduler.submit(lock, state_->context, std::make_shared<const Work>(std::move(work)),
                                        state_->name, behind(*state_), true);
  state_->tail = task;
  scheduler.wait(lock, {task});
  state_->context->check();
}

void Stream::record(Event& event, bool external) {
  Scheduler& scheduler = state_->context->scheduler;
  Lock lock = scheduler.enter();
  state_->context->check();
  refuse_implicit(*state_, true);
  EventState& recorded = *event.state();
  if (recorded.context != state_->context) {
    throw Status(Code::invalid_handle, "expected an event of the stream's context, found another context's");
  }
  if (!is_captured(*state_)) {
    if (external) throw Status(Code::invalid_value, "expected a captured stream for an external record");
    recorded.capture.reset();
    recorded.captured.clear();
    recorded.recorded = scheduler.submit(lock, state_->context, nullptr, state_->name, behind(*state_));
    state_->tail = recorded.recorded;
  } else if (external) {
    Node* node =
        state_->capture->graph->add_record(nodes_of(state_->frontier), event.state(), data_of(state_->frontier));
    state_->frontier = {{node, {}}};
  } else {
    recorded.recorded.reset();
    recorded.capture = state_->capture;
    recorded.captured = state_->frontier;
  }
}

void Stream::wait(Event& event, bool external) {
  Scheduler& scheduler = state_->context->scheduler;
  Lock lock = scheduler.enter();
  state_->context->check();
  refuse_implicit(*state_, true);
  const EventState& awaited = *event.state();
  const std::shared_ptr<Capture>& other = awaited.capture;
  const bool capturing = is_captured(*state_);
  if (external) {
    if (!capturing) throw Status(Code::invalid_value, "expected a captured stream for an external wait");
    Node* node = state_->capture->graph->add_wait(nodes_of(state_->frontier), event.state(), data_of(state_->frontier));
    state_->frontier = {{node, {}}};
  } else if (capturing) {
    if (other == nullptr || other->status == CaptureStatus::none) {
      invalidate(*state_->capture);
      throw Status(Code::capture_isolation,
                   "expected an event recorded in the same capture, found one recorded outside: the capture is "
                   "invalidated");
    }
    if (other != state_->capture) {
      invalidate(*state_->capture);
      invalidate(*other);
      throw Status(Code::capture_merge,
                   "expected an event recorded in the same capture, found another capture's: both are invalidated");
    }
    merge_links(state_->frontier, awaited.captured);
  } else if (other != nullptr) {
    if (other->status == CaptureStatus::none) {
      throw Status(Code::captured_event,
                   "expected an event that was recorded in a stream, found one whose capture has "
                   "ended");
    }
    if (state_->legacy) {
      invalidate(*other);
      throw Status(Code::capture_unsupported,
                   "expected a stream that can be captured to wait for a captured event, found the default stream: the "
                   "capture is invalidated");
    }
    state_->capture = other;
    state_->frontier = awaited.captured;
    other->streams.push_back(state_);
    is_captured(*state_);
  } else if (awaited.recorded != nullptr) {
    std::vector<Dependency> before = behind(*state_);
    before.push_back({awaited.recorded});
    state_->tail = scheduler.submit(lock, state_->context, nullptr, state_->name, std::move(before));
  }
}

void Stream::synchronize() {
  Scheduler& scheduler = state_->context->scheduler;
  Lock lock = scheduler.enter();
  state_->context->check();
  refuse_implicit(*state_, true);
  refuse_captured(*state_, "a synchronisation");
  scheduler.wait(lock, part_of(*state_));
  state_->context->check();
}

bool Stream::query() {
  Scheduler& scheduler = state_->context->scheduler;
  Lock lock = scheduler.enter();
  state_->context->check();
  refuse_implicit(*state_, true);
  refuse_captured(*state_, "a query");
  bool done = true;
  for (const TaskPtr& task : part_of(*state_)) done = done && scheduler.poll(lock, task);
  state_->context->check();
  return done;
}

}  // namespace vgpu::engine
