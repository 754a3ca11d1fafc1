// Holds the work that was submitted and decides what runs when.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "driver/engine/engine.h"
#include "driver/engine/graph_memory.h"
#include "driver/engine/states.h"
#include "driver/engine/task.h"
#include "driver/engine/work_records.h"

namespace vgpu::engine {

/// Passed around as the proof that the scheduler is locked.
using Lock = std::unique_lock<std::mutex>;

class Scheduler {
 public:
  Scheduler(Engine& engine, Device& device, Options options);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  Engine& engine() { return engine_; }
  Device& device() { return device_; }
  GraphMemoryTable& graph_memory() { return graph_memory_; }

  /// For the length of one call of the driver; the engine's thread keeps still for a while afterwards.
  Lock enter();

  /// Adds a task that depends on `before` (null tasks are skipped).
  TaskPtr submit(Lock&, std::shared_ptr<ContextState> context, std::shared_ptr<const Work> work, std::string where,
                 std::vector<Dependency> before, bool host_waits = false);
  /// Runs work until these tasks (null ones are skipped) are done; what the host submits later is ordered after them.
  void wait(Lock& lock, const std::vector<TaskPtr>& tasks);
  /// The same, but the host learns nothing of it.
  void drain(Lock& lock, const std::vector<TaskPtr>& tasks);
  /// The ends of everything submitted, in all contexts.
  std::vector<TaskPtr> all_tails(const Lock&) const;
  /// True where `task` is done. Where it isn't, runs one piece of work.
  bool poll(Lock& lock, const TaskPtr& task);

  /// Frees memory on behalf of the host: Engine::free_now.
  void free_now(Lock& lock, ContextState& context, std::uint64_t address, std::uint64_t bytes, const std::string& name,
                const std::function<void()>& release);

  void lose_device(Code code, const std::string& why);
  Code lost() const { return lost_; }
  void add_context(const Lock&, const std::shared_ptr<ContextState>& context) {
    std::erase_if(contexts_, [](const auto& entry) { return entry.expired(); });
    contexts_.push_back(context);
  }

  static bool in_host_function();

 private:
  /// The next of the tasks that could run now, chosen by the seed; null where there is none. With `any`, also of those
  /// that the host does not wait for.
  Task* choose(bool any) const;
  /// True where tasks wait for words of memory.
  bool values_awaited() const;
  /// Runs one task, its work with the lock released.
  void execute(Lock& lock, Task& chosen, bool by_engine);
  void run_until_done(Lock& lock, const std::vector<TaskPtr>& tasks);
  /// Requests that the tasks which `task` depends on run.
  void ask_for(const TaskPtr& task);
  /// Collects what the task is ordered after, and numbers it.
  std::unique_ptr<TaskOrder> prepare(Task& task);
  /// The work itself; unlocked. Returns the sticky error that it causes.
  Code carry_out(const Task& task, const WorkOrder* order);
  /// Marks the task done, and its dependents that only express order.
  void finish(Task& task, bool host_sees);
  /// Reports the first stream that waits for a word as a deadlock.
  void fail_awaited_values(Lock& lock);
  void forget_if_all_seen();
  void run_idle();

  Engine& engine_;
  Device& device_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<const Task*, TaskPtr> pending_;  ///< not done
  std::vector<Task*> ready_;                          ///< pending, nothing missing
  std::vector<std::weak_ptr<ContextState>> contexts_;
  WorkRecords records_;
  GraphMemoryTable graph_memory_;
  OrderedSet host_seen_;  ///< works that the host knows to have ended
  std::uint64_t submitted_ = 0;
  bool device_busy_ = false;
  std::atomic<Code> lost_{Code::success};
  std::chrono::steady_clock::time_point last_activity_;
  bool stopping_ = false;
  std::thread idle_thread_;
};

}  // namespace vgpu::engine
