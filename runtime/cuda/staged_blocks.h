// Small blocks on their way to the device, one a call.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "session_stream.h"

namespace maskrt::cuda {

/// Page-locked memory for several blocks of one size, which take turns: the host fills one while others are on their
/// way. Pageable memory would let the driver wait for the stream. Belongs to the stream's thread.
class StagedBlocks {
 public:
  StagedBlocks(SessionStream& stream, std::size_t bytes)
      : stream_(stream), bytes_(bytes), memory_(stream.context(), bytes * kCount) {
    for (Turn& turn : turns_) turn.sent.emplace(stream.context());
  }
  std::size_t bytes() const { return bytes_; }

  /// The next block to fill. Waits where as many calls as there are blocks are on their way.
  std::span<std::byte> next() {
    current_ = (current_ + 1) % kCount;
    Turn& turn = turns_[current_];
    if (turn.under_way && turn.waits == stream_.waits()) turn.sent->synchronize();
    turn.under_way = false;
    return {memory_.data() + current_ * bytes_, bytes_};
  }
  /// Copies it to the device, in the order of the stream.
  void send(std::byte* device) {
    Turn& turn = turns_[current_];
    stream_.upload(device, memory_.data() + current_ * bytes_, bytes_);
    turn.sent->record(stream_.stream().get());
    turn.waits = stream_.waits();
    turn.under_way = true;
  }

 private:
  static constexpr std::size_t kCount = 4;
  struct Turn {
    std::optional<Event> sent;
    bool under_way = false;
    std::uint64_t waits = 0;  ///< of the stream, when it was sent: after one more it has arrived
  };
  SessionStream& stream_;
  std::size_t bytes_;
  PinnedMemory memory_;
  std::array<Turn, kCount> turns_;
  std::size_t current_ = 0;
};

}  // namespace maskrt::cuda
