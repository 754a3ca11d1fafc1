// Runs compiled programs: lifetimes, the arena, the order of steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "device.h"
#include "graph/memory_plan.h"

namespace maskrt {

/// Device memory that the plans of a session take turns in; it grows and never shrinks.
class Arena {
 public:
  explicit Arena(DeviceStream& stream) : stream_(stream) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  /// Contents are lost when it grows. Throws Error when there is no memory; the old block is then gone too.
  void reserve(std::size_t bytes);
  std::byte* data() const { return data_; }
  /// Changes whenever the memory does: what was bound to it is then bound to nothing.
  std::uint64_t generation() const { return generation_; }
  DeviceStream& stream() const { return stream_; }

 private:
  DeviceStream& stream_;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  std::uint64_t generation_ = 0;
};

/// A network made ready for one (batch, height, width): its program and where each buffer lies in the arena.
class Plan {
 public:
  Plan(Network& network, std::int64_t batch, std::int64_t height, std::int64_t width, int threads);

  std::size_t arena_bytes() const { return memory_.bytes; }
  /// The largest sum of scratch that one step uses.
  std::size_t scratch_bytes() const;
  const Program& program() const { return program_; }

  // Bound to an arena of at least arena_bytes().
  kernels::Tensor input(const Arena& arena) const;
  /// Throws Error for a name that is no output.
  kernels::Tensor output(const Arena& arena, const std::string& name) const;
  /// Made on first use and whenever the arena's memory has changed; every call brings the same normalisation.
  Execution& execution(const Arena& arena, const kernels::Normalisation& normalisation);
  /// One step alone, on whatever the arena holds: for benchmarks.
  void run_step(const Arena& arena, std::size_t step) const;

  /// What is done to a value once the step that makes it is through. It may read the bound tensor and write another
  /// into it, on the arena's stream; what comes after computes on with that.
  using Change = std::function<void(const kernels::Tensor& value)>;
  /// All steps in order, on what the input holds, with outputs changed on the way, by name; waits for the end. Throws
  /// Error for a name that is no output, and for a value that no step makes.
  void run_changing(const Arena& arena, const std::map<std::string, Change>& changes) const;

 private:
  Addresses addresses(const Arena& arena) const { return {arena.data(), memory_.offsets.data(), &arena.stream()}; }

  Program program_;
  graph::MemoryPlan memory_;
  std::unique_ptr<Execution> execution_;
  std::uint64_t bound_to_ = 0;  ///< the arena's generation
};

/// First and last step that touches each buffer; the input is alive from the start, outputs to the end.
std::vector<graph::Lifetime> lifetimes(const Program& program);

}  // namespace maskrt
