// Where each buffer of a plan lies in the one arena.
#pragma once

#include <cstddef>
#include <vector>

namespace maskrt::graph {

/// A buffer and the steps between which it must keep its contents, both included.
struct Lifetime {
  std::size_t bytes = 0;
  int first = 0, last = 0;
};

struct MemoryPlan {
  std::vector<std::size_t> offsets;  ///< one for each lifetime, multiples of `alignment`
  std::size_t bytes = 0;             ///< the arena's size
  static constexpr std::size_t kAlignment = 256;
};

/// Greedy by size: the largest buffers first, each at the lowest gap that no buffer alive at the same time touches.
/// (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020.)
MemoryPlan plan_memory(const std::vector<Lifetime>& lifetimes);

/// True if two buffers alive at the same step share a byte. For tests.
bool overlaps(const MemoryPlan& plan, const std::vector<Lifetime>& lifetimes);

}  // namespace maskrt::graph
