// What a stream or a graph node does: a description for reports, a callable, and the device memory it touches.
#pragma once

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "checks/work_order.h"

namespace vgpu {
class Device;
class Module;
struct Program;
}  // namespace vgpu

namespace vgpu::engine {

/// The kinds of graph nodes; work in streams has the same kinds.
enum class WorkKind : std::uint8_t {
  empty,
  kernel,
  copy,
  set,
  host,
  allocate,  ///< memory comes to life in stream order
  release,   ///< and is freed
  values,    ///< writes and waits for words of memory (batch memory operations)
  record_event,
  wait_event,
  child_graph,
};
/// "kernel", "copy", ...
const char* name_of(WorkKind kind);

/// Rows of device memory; one row is a plain range.
struct Region {
  std::uint64_t address = 0;
  std::uint64_t row_bytes = 0;
  std::uint64_t rows = 1;
  std::uint64_t pitch = 0;  ///< bytes from one row to the next; unused where there is one row
};

/// What a callable gets when its turn has come. Its thread holds the device, but no lock of the engine.
struct Execution {
  Device& device;
  const WorkOrder* order = nullptr;  ///< for Device::launch; null where nothing is checked
};

/// Copied into graph nodes and run once a launch, so `run` must be fit to run many times.
struct Work {
  WorkKind kind = WorkKind::empty;
  std::string name;  ///< "kernel gemm_f16", "copy of 4096 bytes from host to device"; the engine adds the stream
  /// Does it. May throw Fault (a check fired), Status (its code becomes the context's sticky error) or Error (sticky
  /// "launch failed"). Empty for work that only orders.
  std::function<void(const Execution&)> run;
  /// Work that waits for a word of memory: false while it must. Called under the engine's lock.
  std::function<bool()> may_run;
  /// What a copy, set, allocation or free touches in device memory (the arena, pinned memory in it too). Kernels leave
  /// both empty: the shadow of global memory sees their accesses one by one.
  std::vector<Region> reads;
  std::vector<Region> writes;
  /// The host can see the effect without a call (copies to pinned memory, host functions): what the host submits later
  /// counts as ordered after it.
  bool host_visible = false;
  /// Writes and waits for words: their accesses never race with atomics, and hand the order over.
  bool strong = false;
  /// A kernel that may start before the kernel in front of it has ended: ordered after that only from
  /// griddepcontrol.wait on.
  bool programmatic = false;
  /// The module of a kernel, so that reports of other work name its lines.
  std::weak_ptr<const Module> module;
  const Program* program = nullptr;
  /// Whatever the caller wants back from a node (its parameters).
  std::any payload;
};

}  // namespace vgpu::engine
