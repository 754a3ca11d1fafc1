#include "memory_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt::graph {
namespace {

bool alive_together(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

std::size_t aligned(std::size_t bytes) {
  return (bytes + MemoryPlan::kAlignment - 1) / MemoryPlan::kAlignment * MemoryPlan::kAlignment;
}

}  // namespace

MemoryPlan plan_memory(const std::vector<Lifetime>& lifetimes) {
  // All buffers side by side is the worst that can come out; if that is an address, every sum below is.
  std::size_t room = std::numeric_limits<std::size_t>::max() / 2;
  for (const auto& lifetime : lifetimes) {
    if (lifetime.first > lifetime.last)
      throw Error("memory plan: expected a lifetime that ends after it begins, found steps " +
                  std::to_string(lifetime.first) + " to " + std::to_string(lifetime.last));
    if (lifetime.bytes > room - MemoryPlan::kAlignment)
      throw Error("memory plan: expected buffers that fit an address space, found one of " +
                  std::to_string(lifetime.bytes) + " bytes");
    room -= aligned(lifetime.bytes);
  }
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });

  MemoryPlan plan;
  plan.offsets.resize(lifetimes.size(), 0);
  std::vector<std::size_t> placed;  // sorted by offset
  for (const auto i : order) {
    const auto bytes = aligned(lifetimes[i].bytes);
    if (bytes == 0) continue;
    std::size_t offset = 0;
    for (const auto j : placed) {
      if (!alive_together(lifetimes[i], lifetimes[j])) continue;
      if (offset + bytes <= plan.offsets[j]) break;  // the gap before j is wide enough
      offset = std::max(offset, plan.offsets[j] + aligned(lifetimes[j].bytes));
    }
    plan.offsets[i] = offset;
    plan.bytes = std::max(plan.bytes, offset + bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset,
                                   [&](std::size_t value, std::size_t j) { return value < plan.offsets[j]; }),
                  i);
  }
  return plan;
}

bool overlaps(const MemoryPlan& plan, const std::vector<Lifetime>& lifetimes) {
  for (std::size_t i = 0; i < lifetimes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (alive_together(lifetimes[i], lifetimes[j]) && plan.offsets[i] < plan.offsets[j] + lifetimes[j].bytes &&
          plan.offsets[j] < plan.offsets[i] + lifetimes[i].bytes)
        return true;
  return false;
}

}  // namespace maskrt::graph
