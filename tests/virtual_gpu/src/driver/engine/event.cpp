#include "driver/engine/event.h"

#include "driver/engine/capture.h"
#include "driver/engine/scheduler.h"

namespace vgpu::engine {
namespace {

void refuse_captured_event(const EventState& event) {
  if (event.capture == nullptr) return;
  invalidate(*event.capture);
  throw Status(Code::captured_event,
               "expected an event that was recorded in a stream, found one recorded in a capture");
}

}  // namespace

Event::Event(std::shared_ptr<ContextState> context, bool timing) : state_(std::make_shared<EventState>()) {
  state_->context = std::move(context);
  state_->timing = timing;
}

Event::~Event() = default;

bool Event::query() {
  Scheduler& scheduler = state_->context->scheduler;
  Lock lock = scheduler.enter();
  state_->context->check();
  refuse_captured_event(*state_);
  const TaskPtr task = state_->recorded;
  const bool done = scheduler.poll(lock, task);
  state_->context->check();
  return done;
}

void Event::synchronize() {
  Scheduler& scheduler = state_->context->scheduler;
  Lock lock = scheduler.enter();
  state_->context->check();
  refuse_captured_event(*state_);
  scheduler.wait(lock, {state_->recorded});
  state_->context->check();
}

bool Event::timing() const { return state_->timing; }

float Event::elapsed_ms(Event& start, Event& end) {
  Scheduler& scheduler = start.state_->context->scheduler;
  const Lock lock = scheduler.enter();
  start.state_->context->check();
  for (const Event* event : {&start, &end}) {
    const EventState& state = *event->state_;
    refuse_captured_event(state);
    if (!state.timing || state.recorded == nullptr) {
      throw Status(Code::invalid_handle, state.timing ? "expected an event that was recorded, found one that never was"
                                                      : "expected an event with timing, found one without");
    }
  }
  const Task& first = *start.state_->recorded;
  const Task& second = *end.state_->recorded;
  if (first.state != Task::State::done || second.state != Task::State::done) {
    throw Status(Code::not_ready, "expected two events that have happened, found one that has not");
  }
  return std::chrono::duration<float, std::milli>(second.when - first.when).count();
}

}  // namespace vgpu::engine
