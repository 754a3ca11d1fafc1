// One piece of submitted work with what must run before it: a node of the graph that streams, events and launched
// graphs build while the program runs.
#pragma once

#include <bitset>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "driver/engine/work.h"

namespace vgpu::engine {

struct ContextState;
struct Task;
using TaskPtr = std::shared_ptr<Task>;

/// Works, by their number in the shadow of global memory. Numbers are used again in the next epoch; a set of an earlier
/// one is empty.
struct OrderedSet {
  std::uint64_t epoch = 0;
  std::bitset<256> works;

  void move_to(std::uint64_t now) {
    if (epoch == now) return;
    works.reset();
    epoch = now;
  }
  /// `now` is the current epoch.
  void join(const OrderedSet& other, std::uint64_t now) {
    move_to(now);
    if (other.epoch == now) works |= other.works;
  }
};

struct Dependency {
  TaskPtr task;
  bool programmatic = false;  ///< only from griddepcontrol.wait on
};

struct Task {
  enum class State : std::uint8_t { pending, running, done };

  std::shared_ptr<const Work> work;       ///< null where it only orders, and once it has run
  WorkKind kind = WorkKind::empty;        ///< kind of the work
  std::shared_ptr<ContextState> context;  ///< null once it has run
  std::string where;                      ///< "stream 3"

  State state = State::pending;
  std::uint64_t rank = 0;   ///< among those that could run, the lowest does
  bool eager = false;       ///< runs although nothing that is waited for needs it
  bool asked_for = false;   ///< the host waits for a task that depends on it, so its own dependencies are requested too
  bool host_waits = false;  ///< its submitter waits for it at once

  std::vector<Dependency> before;  ///< emptied once it has run
  std::vector<Task*> after;        ///< pending ones, which the scheduler owns
  std::size_t missing = 0;         ///< of `before`, those that have not run
  std::uint32_t number = 0;        ///< id in the shadow of global memory, in the epoch of `order`; 0 for none

  /// What it is ordered after; once it has run, itself too. Starts as what the host had seen when it was submitted.
  OrderedSet order;
  /// The same for a programmatic dependent launch until griddepcontrol.wait; never with itself.
  OrderedSet order_before_wait;
  /// Whether a kernel lets dependents start before its end, and before it has waited for its own dependencies.
  bool releases = false;
  bool releases_early = false;
  std::chrono::steady_clock::time_point when;  ///< it ended

  bool uses_device() const { return work != nullptr && work->run && work->kind != WorkKind::host; }
};

}  // namespace vgpu::engine
