#include "weight_store.h"

#include <mutex>

namespace maskrt::cpu {

AlignedBytes WeightStore::get(int node, Part part, int slice, const dnnl::memory::desc& layout,
                              const std::function<void(std::byte*)>& fill) {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_)
    if (entry.node == node && entry.part == part && entry.slice == slice && entry.layout == layout) return entry.memory;
  AlignedBytes memory = allocate_aligned(layout.get_size());
  fill(memory.get());
  entries_.push_back({node, slice, part, layout, memory});
  return memory;
}

std::size_t WeightStore::bytes() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const Entry& entry : entries_) sum += entry.layout.get_size();
  return sum;
}

}  // namespace maskrt::cpu
