// Weights on the device in the layouts that kernels read, prepared once for each node and layout.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "memory.h"
#include "stream.h"

namespace maskrt::cuda {

/// Shared by all programs of a network. Thread-safe: preparations run one at a time, so that no two threads make the
/// same weights and at most one node's plain weights are in host memory.
class WeightStore {
 public:
  explicit WeightStore(std::shared_ptr<const Context> context);

  /// The device's copy of what `make` gives, which is asked where nobody has named `key` before: the node and all that
  /// its layout depends on. Aligned to 256 bytes; lives as long as the store.
  const std::byte* get(const std::string& key, const std::function<std::vector<std::byte>()>& make);
  std::size_t bytes() const;

 private:
  std::shared_ptr<const Context> context_;
  Stream stream_;
  mutable std::mutex mutex_;
  std::map<std::string, DeviceMemory> memory_;
};

}  // namespace maskrt::cuda
