// Weights in the layouts that programs run on, prepared once for each node and layout.
#pragma once

#include <dnnl.hpp>
#include <functional>
#include <vector>

#include "aligned_bytes.h"
#include "runtime/fork_aware_mutex.h"

namespace maskrt::cpu {

/// Shared by all programs of a network. Thread-safe: preparations run one at a time, so that no two threads make the
/// same weights and at most one node's plain weights are in memory.
class WeightStore {
 public:
  /// What tells the weights of one node apart.
  enum class Part : std::uint8_t { weights, bias };

  /// The weights of (node, part, slice) in a layout; `fill` makes them where nobody has asked before.
  AlignedBytes get(int node, Part part, int slice, const dnnl::memory::desc& layout,
                   const std::function<void(std::byte*)>& fill);
  std::size_t bytes() const;

 private:
  struct Entry {
    int node, slice;
    Part part;
    dnnl::memory::desc layout;
    AlignedBytes memory;
  };
  mutable ForkAwareMutex mutex_{"preparing weights"};
  std::vector<Entry> entries_;
};

}  // namespace maskrt::cpu
