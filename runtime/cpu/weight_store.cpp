#include "weight_store.h"

#include <mutex>
#include <utility>

namespace maskrt::cpu {

WeightStore::Weights WeightStore::get(int node, Part part, int slice, const dnnl::memory::desc& layout) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const Entry& entry) { return entry.memory.expired(); });
  for (const Entry& entry : entries_)
    if (entry.node == node && entry.part == part && entry.slice == slice && entry.layout == layout)
      if (AlignedBytes memory = entry.memory.lock()) return {std::move(memory), false};
  AlignedBytes memory = allocate_aligned(layout.get_size());
  entries_.push_back({node, slice, part, layout, memory});
  return {std::move(memory), true};
}

void WeightStore::keep(std::vector<AlignedBytes> weights) {
  {
    const std::lock_guard lock(mutex_);
    std::swap(kept_, weights);
  }
  weights.clear();  // gives memory back to the system, for which nobody has to wait
}

std::size_t WeightStore::bytes() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const Entry& entry : entries_) sum += entry.memory.expired() ? 0 : entry.layout.get_size();
  return sum;
}

}  // namespace maskrt::cpu
