#include "driver/engine/graph_memory.h"

#include <cstring>
#include <string>

#include "machine/memory.h"

namespace vgpu::engine {

GraphMemory::~GraphMemory() { memory.release(address); }

GraphMemoryTable::~GraphMemoryTable() {
  // What was never freed holds itself.
  for (auto& [address, entry] : table_) {
    if (const auto memory = entry.lock()) memory->self.reset();
  }
}

std::shared_ptr<GraphMemory> GraphMemoryTable::reserve(std::uint64_t bytes) {
  const std::uint64_t address = memory_.allocate(bytes);
  if (address == 0) return nullptr;
  memory_.mark(address, bytes, ByteState::freed);
  auto memory = std::make_shared<GraphMemory>(memory_, address, bytes);
  const std::lock_guard lock(mutex_);
  table_[address] = memory;
  return memory;
}

std::shared_ptr<GraphMemory> GraphMemoryTable::find(std::uint64_t address) {
  const std::lock_guard lock(mutex_);
  const auto it = table_.find(address);
  return it == table_.end() ? nullptr : it->second.lock();
}

bool GraphMemoryTable::set_live(GraphMemory& memory, bool live) {
  const auto keep = find(memory.address);
  const std::lock_guard lock(mutex_);
  if (memory.live == live) return false;
  memory.live = live;
  memory.self = live ? keep : nullptr;
  return true;
}

bool GraphMemoryTable::live(std::uint64_t address) {
  const auto memory = find(address);
  const std::lock_guard lock(mutex_);
  return memory != nullptr && memory->live;
}

Work graph_allocation_work(const std::shared_ptr<GraphMemory>& memory) {
  Work work;
  work.kind = WorkKind::allocate;
  work.name = "allocation of " + std::to_string(memory->bytes) + " bytes";
  work.writes = {{memory->address, memory->bytes}};
  work.run = [memory](const Execution&) {
    memory->memory.mark(memory->address, memory->bytes, ByteState::undefined);
    std::memset(reinterpret_cast<void*>(memory->address), 0xff, memory->bytes);
  };
  return work;
}

Work graph_release_work(const std::shared_ptr<GraphMemory>& memory) {
  Work work;
  work.kind = WorkKind::release;
  work.name = "free of " + std::to_string(memory->bytes) + " bytes";
  work.writes = {{memory->address, memory->bytes}};
  work.run = [memory](const Execution&) { memory->memory.mark(memory->address, memory->bytes, ByteState::freed); };
  return work;
}

}  // namespace vgpu::engine
