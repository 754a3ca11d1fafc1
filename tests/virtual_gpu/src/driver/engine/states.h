// What the engine keeps of contexts, streams, events and captures; all guarded by the scheduler's lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "driver/engine/graph.h"
#include "driver/engine/stream.h"
#include "driver/engine/task.h"

namespace vgpu::engine {

class Scheduler;
struct Capture;

struct StreamState {
  std::shared_ptr<ContextState> context;
  std::uint64_t id = 0;
  bool legacy = false;
  bool non_blocking = false;
  int priority = 0;
  std::string name;
  TaskPtr tail;  ///< the last submitted task, done or not; null where there was none

  std::shared_ptr<Capture> capture;  ///< null where the stream is not captured
  std::vector<Node::Link> frontier;  ///< what the next captured node depends on
};

struct ContextState {
  explicit ContextState(Scheduler& of) : scheduler(of) {}

  Scheduler& scheduler;
  std::atomic<Code> error{Code::success};
  std::shared_ptr<StreamState> legacy;
  std::vector<std::shared_ptr<StreamState>> streams;  ///< without the legacy one; while their handles live
  std::map<std::thread::id, std::shared_ptr<Stream>> per_thread;
  TaskPtr closed_blocking;      ///< depends on the work of blocking streams that were destroyed
  TaskPtr closed_non_blocking;  ///< and of the others

  /// The ends of all that was submitted.
  std::vector<TaskPtr> tails() const;

  /// Throws the sticky error.
  void check() const;
};

struct EventState {
  std::shared_ptr<ContextState> context;
  bool timing = true;
  TaskPtr recorded;                  ///< null where never, or where the last record was captured
  std::shared_ptr<Capture> capture;  ///< capture that the last record belongs to
  std::vector<Node::Link> captured;  ///< what waits for the event then depends on
};

/// One capture sequence.
struct Capture {
  std::uint64_t id = 0;
  CaptureMode mode = CaptureMode::global;
  std::thread::id thread;
  std::shared_ptr<Graph> graph;
  StreamState* origin = nullptr;
  std::vector<std::shared_ptr<StreamState>> streams;         ///< the origin too
  std::atomic<CaptureStatus> status{CaptureStatus::active};  ///< none once it has ended
};

/// The tasks that work submitted to the stream now depends on, the stream's own last task first. The legacy stream
/// waits for all blocking streams, and they for it. CUDA driver API, "Stream synchronization behavior".
std::vector<Dependency> behind(const StreamState& stream);

/// Unique in the process.
std::uint64_t next_id();

}  // namespace vgpu::engine
