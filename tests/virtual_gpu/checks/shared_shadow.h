// The memory of a block's shared memory: for each byte whether it is defined, for each word who wrote and read it last.
#pragma once

#include <cstdint>
#include <vector>

#include "checks/vector_clock.h"
#include "machine/memory.h"

namespace vgpu {

/// Who accesses, as the tags remember it.
struct Accessor {
  std::uint32_t agent = 0;
  std::uint32_t clock = 0;
  std::uint32_t pc = 0;  ///< index of the instruction in its program
  bool atomic = false;
  bool copied = false;  ///< by cp.async: the asynchronous proxy sees it without a proxy fence
};

/// A conflict that nothing orders.
struct RaceFound {
  bool found = false;
  bool other_wrote = false;
  bool proxy = false;  ///< ordered, but not across proxies
  std::uint32_t address = 0;
  Accessor other;
};

class SharedShadow {
 public:
  explicit SharedShadow(std::uint32_t bytes)
      : states_(bytes, static_cast<std::uint8_t>(ByteState::undefined)), words_((bytes + 3) / 4) {}

  std::uint8_t* state(std::uint32_t address) { return states_.data() + address; }

  /// Records the access and returns the first conflict with one that `view` isn't ordered after. Of warps only: lanes
  /// of one warp are not told apart. With `async_proxy`, writes through the generic proxy must have been fenced as
  /// well.
  RaceFound read(const View& view, const Accessor& who, std::uint32_t address, std::uint32_t bytes, bool async_proxy);
  RaceFound write(const View& view, const Accessor& who, std::uint32_t address, std::uint32_t bytes);

 private:
  // clock:32 copied:1 pc:19 mask:4 atomic:1 agent:7; 0 is nobody.
  using Tag = std::uint64_t;
  struct Word {
    Tag write = 0;
    Tag read[2] = {0, 0};
  };
  static Tag make(const Accessor& who, std::uint32_t mask) {
    return static_cast<Tag>(who.clock) << 32 | static_cast<Tag>(who.copied) << 31 |
           static_cast<Tag>(who.pc & 0x7ffff) << 12 | mask << 8 | (who.atomic ? 128u : 0u) | who.agent;
  }
  static std::uint32_t agent(Tag tag) { return tag & 127; }
  static std::uint32_t mask(Tag tag) { return (tag >> 8) & 15; }
  static std::uint32_t clock(Tag tag) { return static_cast<std::uint32_t>(tag >> 32); }
  static bool copied(Tag tag) { return (tag >> 31 & 1) != 0; }
  static bool conflicts(Tag tag, std::uint32_t bytes, const VectorClock& seen, const Accessor& who) {
    return (mask(tag) & bytes) != 0 && seen.seen[agent(tag)] < clock(tag) && agent(tag) != who.agent &&
           !(who.atomic && (tag & 128) != 0);
  }
  static RaceFound found(Tag tag, bool wrote, bool proxy, std::uint32_t address);

  std::vector<std::uint8_t> states_;
  std::vector<Word> words_;
};

}  // namespace vgpu
