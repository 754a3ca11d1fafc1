#include "checks/shared_shadow.h"

#include <algorithm>

namespace vgpu {

RaceFound SharedShadow::found(Tag tag, bool wrote, bool proxy, std::uint32_t address) {
  RaceFound race;
  race.found = true;
  race.other_wrote = wrote;
  race.proxy = proxy;
  race.address = address;
  race.other.rank = rank(tag);
  race.other.agent = agent(tag);
  race.other.clock = clock(tag);
  race.other.pc = static_cast<std::uint32_t>(tag >> 12) & 0x7ffff;
  race.other.atomic = (tag & 128) != 0;
  race.other.copied = copied(tag);
  return race;
}

RaceFound SharedShadow::read(const View& view, const Accessor& who, std::uint32_t address, std::uint32_t bytes,
                             bool async_proxy) {
  const std::uint32_t end = address + bytes;
  for (std::uint32_t at = address & ~3u; at < end; at += 4) {
    std::uint32_t part = 15;
    if (at < address) part &= 15u << (address - at);
    if (at + 4 > end) part &= 15u >> (at + 4 - end);
    Word& word = words_[at / 4];
    if (conflicts(word.write, part, view, who)) return found(word.write, true, false, at);
    if (async_proxy && agent(word.write) < kMaxWarps && !copied(word.write) && (mask(word.write) & part) != 0 &&
        view.async_clock(rank(word.write), agent(word.write)) < clock(word.write)) {
      return found(word.write, true, true, at);
    }
    if (written_by_other_lane(at / 4, who)) [[unlikely]] {
      RaceFound race = found(word.write, true, false, at);
      race.lanes = true;
      return race;
    }
    const Tag tag = make(who, part);
    // Two readers are remembered; with more, the older of the two is forgotten, which can hide a race but not invent
    // one.
    Tag* slot = &word.read[0];
    if (*slot != 0 && !is_by(*slot, who)) {
      slot = &word.read[1];
      if (*slot != 0 && !is_by(*slot, who) && clock(word.read[0]) < clock(*slot)) slot = &word.read[0];
    }
    *slot = is_alike(*slot, tag) ? (tag | (*slot & 0xf00)) : tag;
  }
  return {};
}

RaceFound SharedShadow::write(const View& view, const Accessor& who, std::uint32_t address, std::uint32_t bytes) {
  const std::uint32_t end = address + bytes;
  RaceFound repeated;
  for (std::uint32_t at = address & ~3u; at < end; at += 4) {
    std::uint32_t part = 15;
    if (at < address) part &= 15u << (address - at);
    if (at + 4 > end) part &= 15u >> (at + 4 - end);
    Word& word = words_[at / 4];
    if (conflicts(word.write, part, view, who)) {
      const RaceFound race = found(word.write, true, false, at);
      if (who.lane == 0 || race.other.pc != who.pc) return race;
      repeated = race;
      repeated.repeats = true;
    }
    if (conflicts(word.read[0], part, view, who)) return found(word.read[0], false, false, at);
    if (conflicts(word.read[1], part, view, who)) return found(word.read[1], false, false, at);
    const Tag tag = make(who, part);
    word.write = is_alike(word.write, tag) ? (tag | (word.write & 0xf00)) : tag;
    if (part == 15) word.read[0] = word.read[1] = 0;
    note(at / 4, who, part);
  }
  return repeated;
}

}  // namespace vgpu
