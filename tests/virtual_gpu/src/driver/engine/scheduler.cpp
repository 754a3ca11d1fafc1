#include "driver/engine/scheduler.h"

#include <algorithm>
#include <utility>

#include "machine/device.h"

namespace vgpu::engine {
namespace {

using Clock = std::chrono::steady_clock;

/// Numbers in use from which on a moment where the host has seen everything is taken to start afresh.
constexpr std::uint32_t kForgetFrom = 128;

thread_local bool host_function_runs = false;
struct HostFunctionScope {
  HostFunctionScope() { host_function_runs = true; }
  ~HostFunctionScope() { host_function_runs = false; }
};

/// SplitMix64: a hash of the seed and the order of submission.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27) * 0x94d049bb133111ebu;
  return value ^ value >> 31;
}

bool failed(const Task& task) { return task.context->error != Code::success; }
bool awaits_value(const Task& task) { return task.work != nullptr && task.work->may_run && !task.work->may_run(); }

}  // namespace

Code code_of(const Report& report) {
  switch (report.check) {
    case Check::out_of_bounds:
    case Check::use_after_free:
      return Code::illegal_address;
    case Check::misaligned:
      return Code::misaligned_address;
    case Check::trap:
      return report.message.find("the assertion") != std::string::npos ? Code::assertion : Code::launch_failed;
    default:
      return Code::launch_failed;
  }
}

Scheduler::Scheduler(Engine& engine, Device& device, Options options)
    : engine_(engine),
      device_(device),
      options_(std::move(options)),
      records_(device.memory()),
      graph_memory_(device.memory()),
      last_activity_(Clock::now()) {}

Scheduler::~Scheduler() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (idle_thread_.joinable()) idle_thread_.join();
  // What never ran: chains would be destroyed recursively, and contexts hold the ends of them.
  for (auto& [key, task] : pending_) {
    task->before.clear();
    task->context.reset();
  }
}

bool Scheduler::in_host_function() { return host_function_runs; }

Lock Scheduler::enter() {
  Lock lock(mutex_);
  last_activity_ = Clock::now();
  return lock;
}

TaskPtr Scheduler::submit(Lock&, std::shared_ptr<ContextState> context, std::shared_ptr<const Work> work,
                          std::string where, std::vector<Dependency> before, bool host_waits) {
  if (!idle_thread_.joinable() && options_.idle_ms != 0) idle_thread_ = std::thread([this] { run_idle(); });
  auto task = std::make_shared<Task>();
  if (work != nullptr) task->kind = work->kind;
  task->work = std::move(work);
  task->context = std::move(context);
  task->where = std::move(where);
  task->host_waits = host_waits;
  task->order = host_seen_;
  ++submitted_;
  const std::uint64_t hash = mix(mix(options_.seed) ^ submitted_);
  task->rank = options_.seed == 0 ? submitted_ : hash >> 1;
  task->eager = options_.seed != 0 && (hash & 1) != 0;
  std::erase_if(before, [](const Dependency& d) { return d.task == nullptr; });
  for (const Dependency& d : before) {
    if (d.task->state == Task::State::done) continue;
    d.task->after.push_back(task.get());
    ++task->missing;
  }
  task->before = std::move(before);
  pending_[task.get()] = task;
  if (task->missing == 0) ready_.push_back(task.get());
  return task;
}

void Scheduler::ask_for(const TaskPtr& task) {
  std::vector<Task*> open{task.get()};
  while (!open.empty()) {
    Task* next = open.back();
    open.pop_back();
    next->asked_for = true;
    for (const Dependency& d : next->before) {
      if (d.task->state != Task::State::done && !d.task->asked_for) open.push_back(d.task.get());
    }
  }
}

Task* Scheduler::choose(bool any) const {
  Task* best = nullptr;
  for (Task* task : ready_) {
    if (!any && !task->eager && !task->asked_for) continue;
    if (best != nullptr && best->rank < task->rank) continue;
    if (!failed(*task) && ((device_busy_ && task->uses_device()) || awaits_value(*task))) continue;
    best = task;
  }
  return best;
}

bool Scheduler::values_awaited() const {
  return std::any_of(ready_.begin(), ready_.end(),
                     [](const Task* task) { return !failed(*task) && awaits_value(*task); });
}

void Scheduler::run_until_done(Lock& lock, const std::vector<TaskPtr>& tasks) {
  auto progress = Clock::now();
  for (const TaskPtr& task : tasks) {
    while (task != nullptr && task->state != Task::State::done) {
      if (Task* next = choose(false)) {
        execute(lock, *next, false);
        progress = Clock::now();
      } else if (!values_awaited()) {
        changed_.wait(lock);
      } else if (!device_busy_ && Clock::now() - progress > std::chrono::milliseconds(options_.value_wait_ms)) {
        fail_awaited_values(lock);
      } else {
        // The host, a kernel or another stream may write the word, without a notification.
        changed_.wait_for(lock, std::chrono::milliseconds(1));
      }
    }
  }
}

void Scheduler::drain(Lock& lock, const std::vector<TaskPtr>& tasks) {
  for (const TaskPtr& task : tasks) {
    if (task != nullptr && task->state != Task::State::done) ask_for(task);
  }
  run_until_done(lock, tasks);
}

void Scheduler::wait(Lock& lock, const std::vector<TaskPtr>& tasks) {
  drain(lock, tasks);
  for (const TaskPtr& task : tasks) {
    if (task != nullptr) host_seen_.join(task->order, records_.epoch());
  }
  forget_if_all_seen();
}

std::vector<TaskPtr> Scheduler::all_tails(const Lock&) const {
  std::vector<TaskPtr> tails;
  for (const auto& entry : contexts_) {
    const auto context = entry.lock();
    if (context == nullptr) continue;
    const std::vector<TaskPtr> own = context->tails();
    tails.insert(tails.end(), own.begin(), own.end());
  }
  return tails;
}

bool Scheduler::poll(Lock& lock, const TaskPtr& task) {
  if (task == nullptr) return true;
  if (task->state == Task::State::done) {
    host_seen_.join(task->order, records_.epoch());
    return true;
  }
  ask_for(task);
  if (Task* next = choose(false)) execute(lock, *next, false);
  return false;
}

void Scheduler::execute(Lock& lock, Task& chosen, bool by_engine) {
  const TaskPtr task = pending_.at(&chosen);
  std::erase(ready_, task.get());
  task->state = Task::State::running;
  const std::unique_ptr<TaskOrder> order = prepare(*task);
  if (task->work != nullptr && task->work->run && !failed(*task)) {
    const bool device = task->uses_device();
    if (device) device_busy_ = true;
    lock.unlock();
    const Code failure = carry_out(*task, order.get());
    lock.lock();
    if (device) device_busy_ = false;
    if (order != nullptr && task->kind == WorkKind::kernel) {
      task->releases = order->releases();
      task->releases_early = order->releases_early();
    }
    Code none = Code::success;
    if (failure != Code::success) task->context->error.compare_exchange_strong(none, failure);
  }
  if (!by_engine) last_activity_ = Clock::now();
  finish(*task, by_engine);
  changed_.notify_all();
}

std::unique_ptr<TaskOrder> Scheduler::prepare(Task& task) {
  const bool checked = options_.race_checks && task.uses_device();
  // A copy that the host waits for, with nothing else under way, needs no trace: all to come is ordered after it. What
  // comes to freed memory is found there.
  const bool alone = task.host_waits && pending_.size() == 1 && task.kind != WorkKind::kernel;
  const bool traced = checked && !alone && task.kind != WorkKind::release;
  if (traced && records_.used() == 255) records_.forget();
  const std::uint64_t epoch = records_.epoch();
  task.order.move_to(epoch);
  task.order_before_wait = task.order;
  for (const Dependency& d : task.before) {
    task.order.join(d.task->order, epoch);
    OrderedSet started = d.programmatic && d.task->releases_early ? d.task->order_before_wait : d.task->order;
    if (d.programmatic && started.epoch == epoch) started.works.set(d.task->number, !d.task->releases);
    task.order_before_wait.join(started, epoch);
  }
  if (task.work != nullptr && task.work->may_run && checked && !failed(task)) {
    for (const Region& region : task.work->reads) {
      if (device_.memory().contains(region.address)) task.order.join(records_.writer_order(region.address), epoch);
    }
    task.order_before_wait = task.order;
  }
  if (!checked) return nullptr;
  if (traced) task.number = records_.assign(task);
  auto order = std::make_unique<TaskOrder>(records_, task.number, task.order, task.order_before_wait);
  if (task.number != 0) task.order.works.set(task.number);
  return order;
}

Code Scheduler::carry_out(const Task& task, const WorkOrder* order) {
  const Work& work = *task.work;
  const Execution execution{device_, order};
  try {
    if (work.kind == WorkKind::host) {
      const HostFunctionScope scope;
      work.run(execution);
      return Code::success;
    }
    // Memory that comes to life can only be touched afterwards.
    if (work.kind == WorkKind::allocate) work.run(execution);
    touch_regions(device_.memory(), work, full_name(task), order);
    if (work.kind != WorkKind::allocate) work.run(execution);
    return Code::success;
  } catch (Fault& fault) {
    fault.report.where = task.where;
    if (options_.on_report) options_.on_report(fault.report);
    return code_of(fault.report);
  } catch (const Status& status) {
    if (options_.on_error) options_.on_error(full_name(task) + ": " + status.what());
    return status.code();
  } catch (const std::exception& error) {
    if (options_.on_error) options_.on_error(full_name(task) + ": " + error.what());
    return Code::launch_failed;
  }
}

void Scheduler::finish(Task& first, bool host_sees) {
  std::vector<Task*> done{&first};
  while (!done.empty()) {
    const TaskPtr task = pending_.at(done.back());
    done.pop_back();
    task->state = Task::State::done;
    task->when = Clock::now();
    task->before.clear();
    if (host_sees || (task->work != nullptr && (task->work->host_visible || task->kind == WorkKind::host))) {
      host_seen_.join(task->order, records_.epoch());
    }
    pending_.erase(task.get());
    // Streams and events hold their last tasks; what those worked with may go.
    task->work.reset();
    task->context.reset();
    for (Task* next : std::exchange(task->after, {})) {
      if (--next->missing != 0) continue;
      if (next->work == nullptr || !next->work->run) {
        // Joins, records and waits take no time: events then measure what they enclose.
        prepare(*next);
        done.push_back(next);
      } else {
        ready_.push_back(next);
      }
    }
  }
}

void Scheduler::fail_awaited_values(Lock& lock) {
  for (Task* task : ready_) {
    if (failed(*task) || !awaits_value(*task)) continue;
    Report report;
    report.check = Check::deadlock;
    report.kernel = full_name(*task);
    report.where = task->where;
    report.message = "a stream waits for a value in memory that nothing writes";
    task->context->error = Code::launch_failed;
    lock.unlock();
    if (options_.on_report) options_.on_report(report);
    lock.lock();
    return;
  }
}

void Scheduler::forget_if_all_seen() {
  if (!pending_.empty() || records_.used() < kForgetFrom) return;
  host_seen_.move_to(records_.epoch());
  if ((records_.live() & ~host_seen_.works).none()) records_.forget();
}

void Scheduler::free_now(Lock& lock, ContextState& context, std::uint64_t address, std::uint64_t bytes,
                         const std::string& name, const std::function<void()>& release) {
  OrderedSet seen = host_seen_;
  drain(lock, all_tails(lock));
  context.check();
  if (options_.race_checks) {
    seen.move_to(records_.epoch());
    Work work;
    work.writes = {{address, bytes}};
    const TaskOrder order(records_, 0, seen, seen);
    try {
      touch_regions(device_.memory(), work, name, &order);
    } catch (const Fault& fault) {
      context.error = code_of(fault.report);
      lock.unlock();
      if (options_.on_report) options_.on_report(fault.report);
      throw Status(code_of(fault.report), fault.report.message);
    }
  }
  release();
}

void Scheduler::lose_device(Code code, const std::string& why) {
  {
    const Lock lock = enter();
    lost_ = code;
    for (const auto& entry : contexts_) {
      if (const auto context = entry.lock()) context->error = code;
    }
  }
  if (options_.on_error) options_.on_error("device lost: " + why);
}

void Scheduler::run_idle() {
  Lock lock(mutex_);
  const std::chrono::milliseconds idle(options_.idle_ms);
  while (!stopping_) {
    const auto due = last_activity_ + idle;
    Task* task = Clock::now() < due || device_busy_ ? nullptr : choose(true);
    if (task != nullptr) {
      execute(lock, *task, true);
    } else {
      changed_.wait_for(lock, idle);
    }
  }
}

}  // namespace vgpu::engine
