// Runs compiled programs: lifetimes, the arena, the order of steps.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "device.h"
#include "graph/memory_plan.h"

namespace maskrt {

/// Device memory that the plans of a session take turns in; it grows and never shrinks.
class Arena {
 public:
  explicit Arena(Device& device) : device_(device) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  /// Contents are lost when it grows. Throws Error when there is no memory; the old block is then gone too.
  void reserve(std::size_t bytes);
  std::byte* data() const { return data_; }

 private:
  Device& device_;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// A network made ready for one (batch, height, width): its program and where each buffer lies in the arena.
class Plan {
 public:
  Plan(Device& device, Network& network, std::int64_t batch, std::int64_t height, std::int64_t width, int threads);

  std::size_t arena_bytes() const { return memory_.bytes; }
  /// The largest sum of scratch that one step uses.
  std::size_t scratch_bytes() const;
  const Program& program() const { return program_; }

  /// Bound to an arena of at least arena_bytes().
  kernels::Tensor input(const Arena& arena) const;
  /// Throws Error for a name that is no output.
  kernels::Tensor output(const Arena& arena, const std::string& name) const;
  void run(const Arena& arena, std::vector<double>* seconds = nullptr) const;
  /// One step alone, on whatever the arena holds: for benchmarks.
  void run_step(const Arena& arena, std::size_t step) const;

 private:
  Device& device_;
  int threads_;
  Program program_;
  graph::MemoryPlan memory_;
};

/// First and last step that touches each buffer; the input is alive from the start, outputs to the end.
std::vector<graph::Lifetime> lifetimes(const Program& program);

}  // namespace maskrt
