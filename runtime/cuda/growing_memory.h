// Memory that grows when more is asked for than it has.
#pragma once

#include <optional>

#include "memory.h"

namespace maskrt::cuda {

/// `Memory`: StreamMemory or PinnedMemory, made from a `Source`. Contents are lost when it grows.
template <typename Memory, typename Source>
class GrowingMemory {
 public:
  explicit GrowingMemory(Source source) : source_(source) {}

  /// At least so many bytes. Throws Error when there are none; the old ones are then gone too.
  std::byte* reserve(std::size_t bytes) {
    if (!memory_ || memory_->bytes() < bytes) {
      memory_.reset();  // first: holding both would double the peak for no one's benefit
      memory_.emplace(source_, bytes);
    }
    return memory_->data();
  }
  std::byte* data() const { return memory_ ? memory_->data() : nullptr; }
  std::size_t bytes() const { return memory_ ? memory_->bytes() : 0; }

 private:
  Source source_;
  std::optional<Memory> memory_;
};

}  // namespace maskrt::cuda
