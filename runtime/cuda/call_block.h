// What the kernels of one call read of its pictures and of what is wanted of them: one block, sent at one go.
#pragma once

#include <cstddef>
#include <span>

#include "staged_blocks.h"
#include "stream_memory.h"

namespace maskrt::cuda {

/// A block of two parts, whose place on the device stays the same, so that launches recorded once read each call's.
/// Belongs to the stream's thread; the stream outlives it.
class CallBlock {
 public:
  /// `pictures` bytes for pre-processing, `head` bytes for post-processing.
  CallBlock(SessionStream& stream, std::size_t pictures, std::size_t head)
      : head_offset_((pictures + 31) / 32 * 32),  // what follows is read by whole sectors
        host_(stream, head_offset_ + head),
        device_(stream, host_.bytes()) {}

  const std::byte* pictures_on_device() const { return device_.data(); }
  const std::byte* head_on_device() const { return device_.data() + head_offset_; }

  /// Has `pictures` and `head` fill their parts in host memory, then sends the block in the stream's order. Waits where
  /// as many calls as there are staged blocks are on their way.
  template <typename FillPictures, typename FillHead>
  void send(const FillPictures& pictures, const FillHead& head) {
    const std::span<std::byte> block = host_.next();
    pictures(block.first(head_offset_));
    head(block.subspan(head_offset_));
    host_.send(device_.data());
  }

 private:
  std::size_t head_offset_;
  StagedBlocks host_;
  StreamMemory device_;
};

}  // namespace maskrt::cuda
