// The ids by which the shadow of global memory knows works: the work of each id, and the works it is ordered after.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "checks/work_order.h"
#include "driver/engine/task.h"
#include "machine/memory.h"

namespace vgpu::engine {

class WorkRecords {
 public:
  explicit WorkRecords(Memory& memory) : memory_(memory) {}

  /// Advances when the numbers are used up. The shadow then forgets, which can hide a race and never invents one.
  std::uint64_t epoch() const { return epoch_; }
  /// A new number for a task that is about to run; task.order becomes what the records hold of it.
  std::uint32_t assign(const Task& task);
  /// What the work that wrote the word at `address` last is ordered after, and itself.
  OrderedSet writer_order(std::uint64_t address) const;
  /// All numbers of this epoch.
  const std::bitset<256>& live() const { return live_; }
  /// Starts a new epoch early; the caller knows that everything so far is ordered before everything to come.
  void forget();
  std::uint32_t used() const { return next_ - 1; }

  void describe(std::uint32_t number, std::uint32_t pc, Report& report) const;

 private:
  struct Record {
    std::string name;
    std::weak_ptr<const Module> module;
    const Program* program = nullptr;
    OrderedSet order;
  };
  Memory& memory_;
  std::uint64_t epoch_ = 1;
  std::uint32_t next_ = 1;
  std::bitset<256> live_;
  std::array<Record, 256> records_;
};

/// The order of one task, as checks want it.
class TaskOrder : public WorkOrder {
 public:
  /// `own` is the task's number, 0 where it leaves no trace. `before_wait` equals `order` but for programmatic
  /// launches.
  TaskOrder(const WorkRecords& records, std::uint32_t own, const OrderedSet& order, const OrderedSet& before_wait);
  void describe(std::uint32_t other, std::uint32_t pc, Report& report) const override {
    records_.describe(other, pc, report);
  }

 private:
  const WorkRecords& records_;
};

/// "kernel gemm in stream 3".
std::string full_name(const Task& task);

/// Checks that every region lies in live memory and that nothing unordered with the work has used it, and records the
/// access. Throws Fault with the name of the work.
void touch_regions(Memory& memory, const Work& work, const std::string& name, const WorkOrder* order);

}  // namespace vgpu::engine
