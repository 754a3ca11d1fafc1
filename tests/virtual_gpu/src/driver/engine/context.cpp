#include "driver/engine/context.h"

#include "driver/engine/capture.h"
#include "driver/engine/event.h"
#include "driver/engine/scheduler.h"

namespace vgpu::engine {
namespace {

std::shared_ptr<StreamState> make_stream(const std::shared_ptr<ContextState>& context, std::string name) {
  auto state = std::make_shared<StreamState>();
  state->context = context;
  state->id = next_id();
  state->name = name.empty() ? "stream " + std::to_string(state->id) : std::move(name);
  return state;
}

}  // namespace

void ContextState::check() const {
  const Code code = error;
  if (code != Code::success) throw Status(code, "expected a context without an error, found one that a fault ended");
}

std::vector<TaskPtr> ContextState::tails() const {
  std::vector<TaskPtr> tails{legacy->tail, closed_blocking, closed_non_blocking};
  for (const auto& stream : streams) tails.push_back(stream->tail);
  return tails;
}

Context::Context(std::shared_ptr<ContextState> state) : state_(std::move(state)) {
  state_->legacy = make_stream(state_, "the default stream");
  state_->legacy->legacy = true;
  legacy_ = std::make_unique<Stream>(state_->legacy);
}

Context::~Context() {
  decltype(state_->per_thread) per_thread;
  {
    const Lock lock = state_->scheduler.enter();
    per_thread.swap(state_->per_thread);
  }
  per_thread.clear();
  // The streams' states and the context's hold each other while streams are open.
  const Lock lock = state_->scheduler.enter();
  state_->legacy->context.reset();
}

Stream& Context::legacy() { return *legacy_; }

std::shared_ptr<Stream> Context::per_thread() {
  {
    const Lock lock = state_->scheduler.enter();
    const auto it = state_->per_thread.find(std::this_thread::get_id());
    if (it != state_->per_thread.end()) return it->second;
  }
  auto state = make_stream(state_, {});
  state->name = "per-thread default " + state->name;
  auto stream = std::make_shared<Stream>(state);
  const Lock lock = state_->scheduler.enter();
  state_->streams.push_back(std::move(state));
  state_->per_thread[std::this_thread::get_id()] = stream;
  return stream;
}

std::shared_ptr<Stream> Context::create_stream(bool non_blocking, int priority) {
  auto state = make_stream(state_, {});
  state->non_blocking = non_blocking;
  state->priority = priority;
  auto stream = std::make_shared<Stream>(state);
  const Lock lock = state_->scheduler.enter();
  state_->check();
  state_->streams.push_back(std::move(state));
  return stream;
}

std::shared_ptr<Event> Context::create_event(bool timing) { return std::make_shared<Event>(state_, timing); }

void Context::synchronize() {
  Lock lock = state_->scheduler.enter();
  state_->check();
  bool captured = false;
  for (const auto& stream : state_->streams) {
    if (stream->capture == nullptr) continue;
    invalidate(*stream->capture);
    captured = true;
  }
  if (captured) {
    throw Status(Code::capture_unsupported,
                 "expected no stream of the context under capture, found one: its capture is invalidated");
  }
  state_->scheduler.wait(lock, state_->tails());
  state_->check();
}

Code Context::error() const { return state_->error; }
void Context::check() const { state_->check(); }

void Context::fail(Code code) {
  Code none = Code::success;
  state_->error.compare_exchange_strong(none, code);
}

void Context::destroy() {
  Lock lock = state_->scheduler.enter();
  state_->error = Code::context_is_destroyed;
  for (const auto& stream : state_->streams) {
    if (stream->capture != nullptr) invalidate(*stream->capture);
  }
  state_->scheduler.wait(lock, state_->tails());
}

}  // namespace vgpu::engine
