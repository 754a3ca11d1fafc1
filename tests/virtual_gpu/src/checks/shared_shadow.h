// Shadow of a block's shared memory: whether each byte is defined, and the last accesses to each word, by whichever
// block of the cluster.
#pragma once

#include <cstdint>
#include <vector>

#include "checks/vector_clock.h"
#include "machine/memory.h"

namespace vgpu {

/// The agent of an access (a warp or an asynchronous copy), as tags record it.
struct Accessor {
  std::uint32_t rank = 0;  ///< of the block that the agent belongs to
  std::uint32_t agent = 0;
  std::uint32_t clock = 0;
  std::uint32_t pc = 0;  ///< index of the instruction in its program
  bool atomic = false;
  bool copied = false;  ///< by cp.async: the asynchronous proxy sees it without a proxy fence
  /// Of a plain load or store: its lane and one more, and how often the lanes of its warp have met; else 0.
  std::uint32_t lane = 0;
  std::uint32_t meetings = 0;
  bool diverged = false;  ///< part of the warp executes it
};

/// A conflict that nothing orders.
struct RaceFound {
  bool found = false;
  bool other_wrote = false;
  bool proxy = false;    ///< ordered, but not across proxies
  bool lanes = false;    ///< between lanes of one warp
  bool repeats = false;  ///< two writes by the same instruction: no race where they write the same
  std::uint32_t address = 0;
  Accessor other;
};

class SharedShadow {
 public:
  explicit SharedShadow(std::uint32_t bytes)
      : states_(bytes, static_cast<std::uint8_t>(ByteState::undefined)), words_((bytes + 3) / 4) {}

  std::uint8_t* state(std::uint32_t address) { return states_.data() + address; }

  /// Whether a read by one lane may be a conflict that the same read by another lane of the warp is not.
  bool tells_lanes_apart() const { return !writers_.empty(); }

  /// Records the access and returns the first conflict with one that `view` isn't ordered after. Lanes of one warp are
  /// told apart where one reads what another wrote while the warp was diverged, and they have not met since. With
  /// `async_proxy`, writes through the generic proxy must have been fenced as well.
  RaceFound read(const View& view, const Accessor& who, std::uint32_t address, std::uint32_t bytes, bool async_proxy);
  RaceFound write(const View& view, const Accessor& who, std::uint32_t address, std::uint32_t bytes);

 private:
  // clock:28 rank:4 copied:1 pc:19 mask:4 atomic:1 agent:7; 0: no access.
  using Tag = std::uint64_t;
  struct Word {
    Tag write = 0;
    Tag read[2] = {0, 0};
  };
  static Tag make(const Accessor& who, std::uint32_t mask) {
    return static_cast<Tag>(who.clock) << 36 | static_cast<Tag>(who.rank) << 32 | static_cast<Tag>(who.copied) << 31 |
           static_cast<Tag>(who.pc & 0x7ffff) << 12 | mask << 8 | (who.atomic ? 128u : 0u) | who.agent;
  }
  static std::uint32_t rank(Tag tag) { return static_cast<std::uint32_t>(tag >> 32) & 15; }
  static std::uint32_t agent(Tag tag) { return tag & 127; }
  static std::uint32_t mask(Tag tag) { return (tag >> 8) & 15; }
  static std::uint32_t clock(Tag tag) { return static_cast<std::uint32_t>(tag >> 36); }
  static bool is_by(Tag tag, const Accessor& who) { return agent(tag) == who.agent && rank(tag) == who.rank; }
  /// By the same agent at the same tick.
  static bool is_alike(Tag tag, Tag other) { return tag >> 32 == other >> 32 && agent(tag) == agent(other); }
  static bool copied(Tag tag) { return (tag >> 31 & 1) != 0; }
  static bool conflicts(Tag tag, std::uint32_t bytes, const View& view, const Accessor& who) {
    return (mask(tag) & bytes) != 0 && view.clock(rank(tag), agent(tag)) < clock(tag) && !is_by(tag, who) &&
           !(who.atomic && (tag & 128) != 0);
  }
  /// Records the lane that wrote a word, where lanes must reconverge before another lane reads it.
  void note(std::uint32_t word, const Accessor& who, std::uint32_t part) {
    const bool matters = who.diverged && who.lane != 0 && part == 15;
    if (matters && writers_.empty()) writers_.resize(words_.size(), 0);
    if (!writers_.empty()) writers_[word] = matters ? std::uint64_t{who.meetings} << 8 | who.lane : 0;
  }
  bool written_by_other_lane(std::uint32_t word, const Accessor& who) const {
    if (writers_.empty() || who.lane == 0 || writers_[word] == 0) return false;
    return is_by(words_[word].write, who) && writers_[word] >> 8 == who.meetings && (writers_[word] & 255) != who.lane;
  }
  static RaceFound found(Tag tag, bool wrote, bool proxy, std::uint32_t address);

  std::vector<std::uint8_t> states_;
  std::vector<Word> words_;
  std::vector<std::uint64_t> writers_;  ///< by word: meetings:56 lane:8, 0 where it does not matter; empty at first
};

}  // namespace vgpu
