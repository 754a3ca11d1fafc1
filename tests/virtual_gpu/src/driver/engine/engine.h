// The execution engine under the driver's interface: carries work out late, in an order that only streams, events and
// graph edges fix, otherwise shuffled by the seed.
//
// Nothing runs when it is submitted. Work runs when the host waits for something, by the thread that waits; a query
// runs one piece and says "not ready"; and after `idle_ms` without a call a thread of the engine carries out what is
// left, so that programs that poll memory go on. One piece of work runs at a time. For one host thread, and while the
// engine's own thread stays away, the order is a function of the seed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "checks/report.h"
#include "driver/engine/status.h"

namespace vgpu {
class Device;
}

namespace vgpu::engine {

class Context;
class Scheduler;

struct Options {
  std::uint64_t seed = 0;      ///< 0: the order of submission, as far as anything asks for it
  std::uint32_t idle_ms = 30;  ///< 0: pending work never runs without a call
  /// A stream that waits for a word of memory this long, with nothing else to do, is in a deadlock.
  std::uint32_t value_wait_ms = 10000;
  bool race_checks = true;  ///< races between streams
  /// Called once for every check that fires, by the thread that ran the work, without a lock.
  std::function<void(const Report&)> on_report;
  /// Called for other reasons to fail: a configuration that Device::launch refuses, device loss.
  std::function<void(const std::string&)> on_error;
};

/// One device's engine. Every function of Engine, Context, Stream, Event and GraphExec may be called from any thread;
/// each that fails throws Status. Functions that wait run other threads' work too.
class Engine {
 public:
  Engine(Device& device, Options options);
  /// Drops what has not run. Contexts, streams and graphs must be gone.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Device& device();
  std::shared_ptr<Context> create_context();

  /// Makes `code` the sticky error of every context, present and future; pending work is dropped. The device is lost.
  void lose_device(Code code, const std::string& why);
  /// Throws the code of a lost device.
  void check() const;

  /// Carries everything out (all contexts). What the host submits later is ordered after it.
  void synchronize();
  /// Carries everything out, but orders nothing: for an allocation that finds no room while frees are pending.
  void drain();
  /// True while this thread runs a host function: calls of the driver are not permitted there (Code::not_permitted).
  static bool in_host_function();

  /// Frees memory at once on behalf of the host, as cuMemFree does: carries pending work out first, reports work that
  /// was still pending and touched [address, address + bytes) as a race between streams (`name` names the free, "free
  /// of 4096 bytes"), then calls `release`.
  void free_now(Context& context, std::uint64_t address, std::uint64_t bytes, const std::string& name,
                const std::function<void()>& release);

  Scheduler& scheduler() { return *scheduler_; }

 private:
  std::unique_ptr<Scheduler> scheduler_;
};

/// What the sticky error of a context becomes when this check fires.
Code code_of(const Report& report);

}  // namespace vgpu::engine
