// A point in a stream that others wait for.
#pragma once

#include <memory>

#include "driver/engine/status.h"

namespace vgpu::engine {

struct ContextState;
struct EventState;

class Event {
 public:
  /// By Context::create_event.
  Event(std::shared_ptr<ContextState> context, bool timing);
  ~Event();

  /// True where all work before the last record has run, or nothing was recorded. Where it has not, some work runs.
  /// Status(captured_event) where the last record was captured; that invalidates the capture.
  bool query();
  /// Waits for it. Errors as query.
  void synchronize();
  bool timing() const;

  /// Milliseconds between two records. Status: invalid_handle where one has no timing or was never recorded, not_ready
  /// where one has not happened, captured_event.
  static float elapsed_ms(Event& start, Event& end);

  const std::shared_ptr<EventState>& state() const { return state_; }

 private:
  std::shared_ptr<EventState> state_;
};

}  // namespace vgpu::engine
