// An in-order queue of work, or, while it is captured, a place that adds nodes to a graph.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "driver/engine/graph.h"
#include "driver/engine/status.h"
#include "driver/engine/work.h"

namespace vgpu::engine {

class Event;
class GraphExec;
struct StreamState;

enum class CaptureMode : std::uint8_t { global, thread_local_, relaxed };  ///< CUstreamCaptureMode, in its order
enum class CaptureStatus : std::uint8_t { none, active, invalidated };     ///< CUstreamCaptureStatus, in its order

struct CaptureInfo {
  CaptureStatus status = CaptureStatus::none;
  std::uint64_t id = 0;  ///< id of the capture sequence, unique in the process
  std::shared_ptr<Graph> graph;
  std::vector<Node*> dependencies;  ///< dependencies of the next node
  std::vector<EdgeData> edge_data;  ///< edge data of those dependencies
};

class Stream {
 public:
  /// By Context.
  explicit Stream(std::shared_ptr<StreamState> state);
  /// Work that has been submitted still runs. Invalidates a capture that the stream takes part in.
  ~Stream();

  std::uint64_t id() const;  ///< unique in the process
  bool non_blocking() const;
  int priority() const;
  bool is_legacy() const;

  /// Appends work to the stream; during capture, a node. Every function here throws the context's sticky error.
  /// Capturing: Status(capture_invalidated); on the legacy stream while a blocking stream is captured:
  /// Status(capture_implicit), which invalidates that capture.
  void submit(Work work);
  /// submit, then waits for it: synchronous copies. Status(capture_unsupported) in a captured stream, which invalidates
  /// the capture.
  void submit_and_wait(Work work);

  /// cuEventRecord. `external`: CU_EVENT_RECORD_EXTERNAL, a node of its own in a capture; Status(invalid_value) outside
  /// of one. Status(invalid_handle) where the event belongs to another context.
  void record(Event& event, bool external = false);
  /// cuStreamWaitEvent; lets a capture spread to this stream. `external`: CU_EVENT_WAIT_EXTERNAL, a node in a capture;
  /// Status(invalid_value) outside of one. Status: capture_isolation (a captured stream waits for what was recorded
  /// outside), capture_merge, captured_event (that capture has ended).
  void wait(Event& event, bool external = false);

  /// Status(capture_unsupported) while captured, which invalidates the capture; capture_implicit as submit.
  void synchronize();
  /// True where all work has run. Where it has not, some runs. Errors as synchronize.
  bool query();

  /// cuGraphLaunch; captured, a child graph. Status(invalid_value) where the graph allocates memory that an earlier
  /// launch has left unfreed.
  void launch(GraphExec& graph);

  // Capture.
  /// Status: capture_unsupported (the legacy stream), illegal_state (already captured).
  void begin_capture(CaptureMode mode);
  /// cuStreamBeginCaptureToGraph: the first nodes depend on `dependencies`, which are the graph's. `data` is empty or
  /// parallel to them.
  void begin_capture_to(std::shared_ptr<Graph> graph, std::span<Node* const> dependencies,
                        std::span<const EdgeData> data, CaptureMode mode);
  /// The graph. Status: illegal_state (not captured), capture_unmatched (begun in another stream),
  /// capture_wrong_thread, capture_invalidated, capture_unjoined; the last two end the capture.
  std::shared_ptr<Graph> end_capture();
  /// Status(capture_implicit) on the legacy stream while a blocking stream is captured; that capture remains valid.
  CaptureStatus capture_status() const;
  CaptureInfo capture_info() const;
  /// cuStreamUpdateCaptureDependencies: adds to or replaces what the next node depends on. Status: illegal_state (not
  /// captured), invalid_value (a node of another graph).
  void update_capture_dependencies(std::span<Node* const> dependencies, std::span<const EdgeData> data, bool replace);
  /// A captured cuMemAllocAsync: an allocation node; its memory's address. Only where capture_status() is active.
  std::uint64_t capture_allocation(std::uint64_t bytes, std::any payload = {});
  /// A captured cuMemFreeAsync. Status(invalid_value) where the address is not a graph's allocation.
  void capture_free(std::uint64_t address);

  const std::shared_ptr<StreamState>& state() const { return state_; }

 private:
  std::shared_ptr<StreamState> state_;
};

/// cuThreadExchangeStreamCaptureMode.
CaptureMode exchange_thread_capture_mode(CaptureMode mode);
/// To be called first by what capture makes unsafe (cuMemAlloc, cuMemFree, synchronous copies, cuEventQuery, ...).
/// Status(capture_unsupported) where the thread's mode prohibits it; that invalidates the captures at fault.
void guard_unsafe_call();

}  // namespace vgpu::engine
