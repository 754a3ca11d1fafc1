// Memory that graphs allocate: its address is fixed when the node is made, it lives from the node's turn in a launch to
// a free in a graph or a stream.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "driver/engine/work.h"

namespace vgpu {
class Memory;
}

namespace vgpu::engine {

struct GraphMemory {
  GraphMemory(Memory& of, std::uint64_t at, std::uint64_t size) : memory(of), address(at), bytes(size) {}
  ~GraphMemory();
  GraphMemory(const GraphMemory&) = delete;
  GraphMemory& operator=(const GraphMemory&) = delete;

  Memory& memory;
  const std::uint64_t address;
  const std::uint64_t bytes;
  bool live = false;                  ///< in the order of submission
  std::shared_ptr<GraphMemory> self;  ///< while live: it outlasts its graph
};

class GraphMemoryTable {
 public:
  explicit GraphMemoryTable(Memory& memory) : memory_(memory) {}
  ~GraphMemoryTable();

  /// Null where the device's memory is spent.
  std::shared_ptr<GraphMemory> reserve(std::uint64_t bytes);
  /// Null where no graph allocates there.
  std::shared_ptr<GraphMemory> find(std::uint64_t address);
  /// In the order of submission: true where the state changed.
  bool set_live(GraphMemory& memory, bool live);
  bool live(std::uint64_t address);

 private:
  Memory& memory_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::weak_ptr<GraphMemory>> table_;
};

/// Bring the memory to life, free it.
Work graph_allocation_work(const std::shared_ptr<GraphMemory>& memory);
Work graph_release_work(const std::shared_ptr<GraphMemory>& memory);

}  // namespace vgpu::engine
