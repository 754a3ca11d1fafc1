#include "driver/engine/work_records.h"

#include <algorithm>

#include "checks/global_shadow.h"
#include "machine/instr.h"
#include "machine/module.h"

namespace vgpu::engine {
namespace {

[[noreturn]] void fail(Check check, const std::string& name, const std::string& message) {
  Report report;
  report.check = check;
  report.kernel = name;
  report.message = message;
  throw Fault{std::move(report)};
}

void expect_live(const Memory& memory, const std::string& name, bool write, std::uint64_t address,
                 std::uint64_t bytes) {
  const std::string what = std::string(write ? "a write of " : "a read of ") + std::to_string(bytes) + " bytes at ";
  if (!memory.contains(address) || !memory.contains(address + bytes - 1)) {
    fail(Check::out_of_bounds, name, what + memory.describe(address));
  }
  const std::uint8_t* states = memory.state(address);
  const std::uint8_t* dead = std::find_if(states, states + bytes, [](std::uint8_t state) {
    return state < static_cast<std::uint8_t>(ByteState::undefined);
  });
  if (dead == states + bytes) return;
  const bool freed = *dead == static_cast<std::uint8_t>(ByteState::freed);
  fail(freed ? Check::use_after_free : Check::out_of_bounds, name,
       what + memory.describe(address + static_cast<std::uint64_t>(dead - states)));
}

void touch(Memory& memory, const std::string& name, const WorkOrder* order, bool write, bool strong,
           const Region& region) {
  if (region.row_bytes == 0) return;
  for (std::uint64_t row = 0; row < region.rows; ++row) {
    const std::uint64_t address = region.address + row * region.pitch;
    expect_live(memory, name, write, address, region.row_bytes);
    if (order == nullptr) continue;
    const GlobalRace race = touch_range(memory, *order, write, strong, address, region.row_bytes);
    if (!race.found) continue;
    Report report;
    report.check = Check::stream_race;
    report.kernel = name;
    order->describe(race.work, race.pc, report);
    report.message = stream_race_message(write, memory.describe(race.address), report.other_work, race.other_wrote);
    throw Fault{std::move(report)};
  }
}

}  // namespace

const char* name_of(WorkKind kind) {
  switch (kind) {
    case WorkKind::empty:
      return "empty";
    case WorkKind::kernel:
      return "kernel";
    case WorkKind::copy:
      return "copy";
    case WorkKind::set:
      return "set";
    case WorkKind::host:
      return "host function";
    case WorkKind::allocate:
      return "allocation";
    case WorkKind::release:
      return "free";
    case WorkKind::values:
      return "memory operation";
    case WorkKind::record_event:
      return "event record";
    case WorkKind::wait_event:
      return "event wait";
    case WorkKind::child_graph:
      return "child graph";
  }
  return "unknown";
}

std::uint32_t WorkRecords::assign(const Task& task) {
  if (next_ == 256) forget();
  const std::uint32_t number = next_++;
  live_.set(number);
  Record& record = records_[number];
  record = {full_name(task), task.work->module, task.work->program, task.order};
  record.order.move_to(epoch_);
  record.order.works.set(number);
  return number;
}

OrderedSet WorkRecords::writer_order(std::uint64_t address) const {
  const std::uint64_t tag = __atomic_load_n(&memory_.tags(address)->write, __ATOMIC_RELAXED);
  const auto number = static_cast<std::uint32_t>(tag >> 56);
  return live_.test(number) ? records_[number].order : OrderedSet{};
}

void WorkRecords::forget() {
  memory_.clear_tags();
  live_.reset();
  next_ = 1;
  ++epoch_;
}

void WorkRecords::describe(std::uint32_t number, std::uint32_t pc, Report& report) const {
  const Record& record = records_[number];
  report.other_work = record.name;
  const std::shared_ptr<const Module> module = record.module.lock();
  if (module == nullptr || record.program == nullptr || pc >= record.program->code.size()) return;
  Report place;
  module->locate(record.program->code[pc], place);
  report.other_ptx_line = place.ptx_line;
  report.other_ptx_text = place.ptx_text;
  report.other_source = place.source;
}

TaskOrder::TaskOrder(const WorkRecords& records, std::uint32_t own, const OrderedSet& order,
                     const OrderedSet& before_wait)
    : records_(records) {
  number = own;
  const auto seen = [&](const OrderedSet& set, std::uint32_t n) {
    return set.epoch == records.epoch() && set.works.test(n);
  };
  for (std::uint32_t n = 1; n < 256; ++n) {
    if (!records.live().test(n) || n == own) continue;
    unordered[n] = !seen(order, n);
    unordered_before_wait[n] = !seen(before_wait, n);
    any_unordered = any_unordered || unordered[n] || unordered_before_wait[n];
  }
}

std::string full_name(const Task& task) {
  const std::string name = task.work->name.empty() ? name_of(task.work->kind) : task.work->name;
  return task.where.empty() ? name : name + " in " + task.where;
}

void touch_regions(Memory& memory, const Work& work, const std::string& name, const WorkOrder* order) {
  for (const Region& region : work.reads) touch(memory, name, order, false, work.strong, region);
  for (const Region& region : work.writes) touch(memory, name, order, true, work.strong, region);
}

}  // namespace vgpu::engine
