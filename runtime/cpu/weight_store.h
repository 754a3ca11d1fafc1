// Weights in the layouts that programs run on, once for each node and layout.
#pragma once

#include <dnnl.hpp>
#include <vector>

#include "aligned_bytes.h"
#include "runtime/support/fork_aware_mutex.h"

namespace maskrt::cpu {

/// Shared by all programs of a network. Weights belong to the programs that run on them and go with the last one; those
/// of the program made last stay, so that the next one finds them though no other is alive. Thread-safe, but for
/// programs that are made at a time: one must have filled what is new before the next asks for it.
class WeightStore {
 public:
  /// What tells the weights of one node apart.
  enum class Part : std::uint8_t { weights, bias };
  struct Weights {
    AlignedBytes memory;
    bool is_new = false;  ///< the caller is to fill it
  };

  /// The weights of (node, part, slice) in a layout.
  Weights get(int node, Part part, int slice, const dnnl::memory::desc& layout);
  /// Keeps these, all filled, in place of those that it has kept.
  void keep(std::vector<AlignedBytes> weights);
  /// Of all that somebody holds.
  std::size_t bytes() const;

 private:
  struct Entry {
    int node, slice;
    Part part;
    dnnl::memory::desc layout;
    std::weak_ptr<std::byte[]> memory;
  };
  mutable ForkAwareMutex mutex_{"preparing weights"};
  std::vector<Entry> entries_;
  std::vector<AlignedBytes> kept_;
};

}  // namespace maskrt::cpu
