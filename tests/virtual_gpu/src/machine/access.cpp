#include "machine/access.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "machine/module.h"

namespace vgpu {
namespace {

constexpr auto kDefined = static_cast<std::uint8_t>(ByteState::defined);

bool all_are(const std::uint8_t* states, std::uint32_t bytes, std::uint8_t state) {
  const std::uint64_t pattern = 0x0101010101010101u * state;
  std::uint64_t word = 0;
  switch (bytes) {
    case 1:
      return states[0] == state;
    case 2:
      std::memcpy(&word, states, 2);
      return word == (pattern & 0xffff);
    case 4:
      std::memcpy(&word, states, 4);
      return word == (pattern & 0xffffffff);
    default:
      break;
  }
  std::uint64_t difference = 0;
  std::uint32_t i = 0;
  for (; i + 8 <= bytes; i += 8) {
    std::memcpy(&word, states + i, 8);
    difference |= word ^ pattern;
  }
  for (; i < bytes; ++i) difference |= states[i] ^ state;
  return difference == 0;
}

Lanes bit(int lane) { return Lanes{1} << lane; }

std::string bytes_text(std::uint32_t bytes) { return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes"); }

void check_alignment(const Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, std::uint32_t bytes) {
  if (address % bytes == 0) return;
  char text[96];
  std::snprintf(text, sizeof text, "an access of %u bytes at 0x%llx, which is no multiple of its size", bytes,
                static_cast<unsigned long long>(address));
  w.fail_at(instr, Check::misaligned, lanes, text);
}

/// Checks an access to shared memory whose bytes are not all defined: the destination of a pending
/// asynchronous copy or a live mbarrier ends the launch.
void check_shared_states(const Warp& w, const Instr& instr, Lanes lanes, const Cta& cta, std::uint32_t offset,
                         const std::uint8_t* states, std::uint32_t bytes, bool write) {
  (void)cta;
  for (std::uint32_t i = 0; i < bytes; ++i) {
    const auto state = static_cast<ByteState>(states[i]);
    if (state == ByteState::pending) {
      w.fail_at(instr, Check::async_not_waited, lanes,
                std::string(write ? "a write to" : "a read of") + " shared memory at " +
                    std::to_string(offset + kSharedBase + i) +
                    ", which an asynchronous copy that nobody has waited for fills");
    }
    if (state == ByteState::mbarrier) {
      w.fail_at(instr, Check::mbarrier_misuse, lanes,
                std::string(write ? "a write to" : "a read of") + " shared memory at " +
                    std::to_string(offset + kSharedBase + i) + ", which holds a live mbarrier object");
    }
  }
}

std::string describe_block(std::uint32_t linear, const Dim3& grid) {
  return "block (" + std::to_string(linear % grid[0]) + ", " + std::to_string(linear / grid[0] % grid[1]) + ", " +
         std::to_string(linear / grid[0] / grid[1]) + ")";
}

[[noreturn]] void fail_stream_race(const Warp& w, const Instr& instr, Lanes lanes, const GlobalRace& race,
                                   bool writes) {
  const GlobalShadow& shadow = w.cta->launch->global;
  Report other;
  shadow.work()->describe(race.work, race.pc, other);
  const std::string message =
      stream_race_message(writes, w.cta->launch->memory.describe(race.address), other.other_work, race.other_wrote);
  try {
    w.fail_at(instr, Check::stream_race, lanes, message);
  } catch (Fault& fault) {
    fault.report.other_work = other.other_work;
    fault.report.other_ptx_line = other.other_ptx_line;
    fault.report.other_ptx_text = other.other_ptx_text;
    fault.report.other_source = other.other_source;
    throw;
  }
}

/// True where the write repeats another by the same instruction.
bool check_global_race(Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, std::uint32_t bytes,
                       Access access) {
  Cta& cta = *w.cta;
  if (!cta.launch->settings.race_checks) return false;
  const auto pc = static_cast<std::uint32_t>(&instr - w.frame->program->code.data());
  GlobalShadow& shadow = cta.launch->global;
  const bool within = access.by_lane && cta.warps.size() > 1;
  const GlobalShadow::Access who{
      w.index, pc, access.strong, w.view.grids_waited, within ? &w.view.generic : nullptr, access.by_lane};
  const GlobalRace race =
      access.write ? shadow.write(cta.order, who, address, bytes) : shadow.read(cta.order, who, address, bytes);
  if (!race.found) return false;
  if (race.work != shadow.launch()) fail_stream_race(w, instr, lanes, race, access.write);
  const auto& code = cta.launch->kernel.code;
  const Instr* other = race.pc < code.size() ? &code[race.pc] : nullptr;
  const std::string who_else = race.block == (cta.order.block & 0x1fffff)
                                   ? "warp " + std::to_string(race.warp) + " of the block"
                                   : describe_block(race.block, cta.launch->config.grid);
  const auto fail = [&w, &instr, lanes, other, access, race, who_else] {
    w.fail_at(instr, Check::global_race, lanes,
              std::string(access.write ? "a write to " : "a read of ") + w.cta->launch->memory.describe(race.address) +
                  " that " + who_else + " has " + (race.other_wrote ? "written" : "read") +
                  ", with nothing that orders the two",
              other);
  };
  if (!race.repeats) fail();
  cta.fail_doubted = fail;
  return true;
}

Place place_shared(Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, std::uint32_t bytes,
                   Access access) {
  const SharedRange range = shared_range(w, instr, lanes, address, bytes);
  Cta& cta = *range.cta;
  Place p{cta.shared.data() + range.offset, cta.shadow.state(range.offset), true};
  p.defined = all_are(p.states, bytes, kDefined);
  if (!p.defined) check_shared_states(w, instr, lanes, cta, range.offset, p.states, bytes, access.write);
  if (cta.launch->settings.race_checks) {
    Accessor who = accessor_of(w, instr);
    who.atomic = access.atomic;
    if (access.by_lane) {
      who.lane = static_cast<std::uint32_t>(std::countr_zero(lanes)) + 1;
      who.meetings = w.meetings;
      who.diverged = access.diverged && !access.strong;
    }
    const RaceFound race = access.write ? cta.shadow.write(w.view, who, range.offset, bytes)
                                        : cta.shadow.read(w.view, who, range.offset, bytes, false);
    if (race.repeats) {
      p.repeats = true;
      cta.fail_doubted = [&w, &instr, lanes, &cta, race] { fail_shared_race(w, instr, lanes, cta, race, true); };
    } else if (race.found) {
      fail_shared_race(w, instr, lanes, cta, race, access.write);
    }
  }
  return p;
}

Place place_local(Warp& w, const Instr& instr, int lane, std::uint64_t address, std::uint32_t bytes) {
  if (address + bytes > w.stack_bytes) {
    w.fail_at(instr, Check::out_of_bounds, bit(lane),
              "local memory at " + std::to_string(address) + " of " + std::to_string(w.stack_bytes) + " bytes");
  }
  const std::size_t at = static_cast<std::size_t>(lane) * w.stack_bytes + address;
  Place p{w.local.data() + at, w.local_states.data() + at, true};
  p.defined = all_are(p.states, bytes, kDefined);
  return p;
}

Place place_param(const Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, std::uint32_t bytes) {
  auto& params = w.cta->launch->params;
  if (address + bytes > params.size()) {
    w.fail_at(instr, Check::out_of_bounds, lanes,
              "kernel parameters at " + std::to_string(address) + " of " + std::to_string(params.size()) + " bytes");
  }
  return {params.data() + address, nullptr, true};
}

/// Global memory at an address, all of it inside one allocation.
Place bounded_global(const Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, std::uint32_t bytes,
                     const char* what) {
  Memory& memory = w.cta->launch->memory;
  if (!memory.contains(address) || !memory.contains(address + bytes - 1)) {
    w.fail_at(instr, Check::out_of_bounds, lanes,
              std::string(what) + bytes_text(bytes) + " at " + memory.describe(address));
  }
  Place p{reinterpret_cast<std::uint8_t*>(address), memory.state(address), true};
  p.defined = all_are(p.states, bytes, kDefined);
  for (std::uint32_t i = 0; !p.defined && i < bytes; ++i) {
    if (p.states[i] >= static_cast<std::uint8_t>(ByteState::undefined)) continue;
    const bool freed = p.states[i] == static_cast<std::uint8_t>(ByteState::freed);
    w.fail_at(instr, freed ? Check::use_after_free : Check::out_of_bounds, lanes,
              std::string(what) + bytes_text(bytes) + " at " + memory.describe(address + i));
  }
  return p;
}

}  // namespace

Accessor accessor_of(const Warp& w, const Instr& instr) {
  Accessor who;
  who.rank = w.cta->rank;
  who.agent = w.index;
  who.clock = w.clock;
  who.pc = static_cast<std::uint32_t>(&instr - w.frame->program->code.data());
  return who;
}

std::string describe_agent(const Cta& cta, const Accessor& who) {
  if (who.agent >= kMaxWarps) return "an asynchronous copy";
  const std::string warp = "warp " + std::to_string(who.agent);
  if (who.rank == cta.rank) return warp;
  const Dim3& block = cta.cluster->ctas[who.rank]->index;
  return warp + " of block (" + std::to_string(block[0]) + ", " + std::to_string(block[1]) + ", " +
         std::to_string(block[2]) + ")";
}

SharedRange shared_range(const Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, std::uint32_t bytes) {
  const std::uint64_t block = address >> kClusterRankShift & 0xff;
  const std::uint64_t offset = address & ((std::uint64_t{1} << kClusterRankShift) - 1);
  Cta* cta = w.cta;
  const auto& ctas = cta->cluster->ctas;
  const bool beyond = (address & ~kWindowMask) >> (kClusterRankShift + 8) != 0 || block > ctas.size();
  if (!beyond && block != 0) cta = ctas[block - 1].get();
  if (beyond || offset < kSharedBase || offset + bytes > cta->shared_end()) {
    char text[128];
    std::snprintf(text, sizeof text, "shared memory at 0x%llx (%s); the block has %zu bytes from %u",
                  static_cast<unsigned long long>(address & ~kWindowMask), bytes_text(bytes).c_str(),
                  cta->shared.size(), kSharedBase);
    w.fail_at(instr, Check::out_of_bounds, lanes, text);
  }
  return {cta, static_cast<std::uint32_t>(offset) - kSharedBase};
}

void check_prefetch(const Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, std::uint32_t bytes) {
  bounded_global(w, instr, lanes, address, bytes, "a prefetch of ");
}

Place place_global(Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, std::uint32_t bytes,
                   Access access) {
  Place p = bounded_global(w, instr, lanes, address, bytes, access.write ? "a write of " : "a read of ");
  p.repeats = check_global_race(w, instr, lanes, address, bytes, access);
  return p;
}

Place place(Warp& w, int lane, ptx::Space space, std::uint64_t address, std::uint32_t bytes, Access access) {
  const Instr& instr = w.code[w.pc - 1];
  check_alignment(w, instr, bit(lane), address, bytes);
  if (space == ptx::Space::generic) {
    switch (address & kWindowMask) {
      case kSharedWindow:
        space = ptx::Space::shared;
        break;
      case kLocalWindow:
        space = ptx::Space::local;
        break;
      case kParamWindow:
        space = ptx::Space::param;
        break;
      default:
        space = ptx::Space::global;
    }
    if (space != ptx::Space::global) address &= ~kWindowMask;
  }
  switch (space) {
    case ptx::Space::shared:
      return place_shared(w, instr, bit(lane), address, bytes, access);
    case ptx::Space::local:
      return place_local(w, instr, lane, address, bytes);
    case ptx::Space::param:
      return place_param(w, instr, bit(lane), address, bytes);
    default:
      return place_global(w, instr, bit(lane), address, bytes, access);
  }
}

void fail_repeated(Warp& w) {
  w.cta->fail_doubted();
  throw Error("expected the report of a race, found none");
}

void fail_shared_race(const Warp& w, const Instr& instr, Lanes lanes, const Cta& cta, const RaceFound& race,
                      bool writes) {
  const auto& code = cta.launch->kernel.code;
  const Instr* other = race.other.pc < code.size() ? &code[race.other.pc] : nullptr;
  const std::string who = describe_agent(*w.cta, race.other);
  std::string at = std::to_string(race.address + kSharedBase);
  if (&cta != w.cta) {
    at += " of block (" + std::to_string(cta.index[0]) + ", " + std::to_string(cta.index[1]) + ", " +
          std::to_string(cta.index[2]) + ")";
  }
  if (race.proxy) {
    w.fail_at(instr, Check::proxy_fence, lanes,
              "the asynchronous proxy reads shared memory at " + at + " that " + who +
                  " has written through the generic proxy, with no fence.proxy.async between",
              other);
  }
  if (race.lanes) {
    w.fail_at(instr, Check::shared_race, lanes,
              "a read of shared memory at " + at +
                  " that another lane of the warp has written while it was diverged, with no bar.warp.sync between",
              other);
  }
  w.fail_at(instr, Check::shared_race, lanes,
            std::string(writes ? "a write to" : "a read of") + " shared memory at " + at + " that " + who + " has " +
                (race.other_wrote ? "written" : "read") + ", with no barrier between",
            other);
}

const std::uint8_t* read_shared_async(const Warp& w, const Instr& instr, Lanes lanes, const View& view,
                                      const Accessor& who, SharedRange range, std::uint32_t bytes, bool async_proxy) {
  Cta& cta = *range.cta;
  const std::uint8_t* states = cta.shadow.state(range.offset);
  if (!all_are(states, bytes, kDefined)) check_shared_states(w, instr, lanes, cta, range.offset, states, bytes, false);
  if (cta.launch->settings.race_checks) {
    const RaceFound race = cta.shadow.read(view, who, range.offset, bytes, async_proxy);
    if (race.found) fail_shared_race(w, instr, lanes, cta, race, false);
  }
  return cta.shared.data() + range.offset;
}

void mark_pending(const Warp& w, const Instr& instr, Lanes lanes, SharedRange range, std::uint32_t bytes) {
  Cta& cta = *range.cta;
  std::uint8_t* states = cta.shadow.state(range.offset);
  check_shared_states(w, instr, lanes, cta, range.offset, states, bytes, true);
  if (cta.launch->settings.race_checks) {
    const RaceFound race = cta.shadow.write(w.view, accessor_of(w, instr), range.offset, bytes);
    if (race.found) fail_shared_race(w, instr, lanes, cta, race, true);
  }
  std::memset(states, static_cast<int>(ByteState::pending), bytes);
}

void write_shared_async(const Warp& w, const Instr& instr, Lanes lanes, const View& view, const Accessor& who,
                        SharedRange range, const std::uint8_t* data, const std::uint8_t* states, std::uint32_t bytes) {
  Cta& cta = *range.cta;
  std::memcpy(cta.shared.data() + range.offset, data, bytes);
  if (states != nullptr) {
    std::memcpy(cta.shadow.state(range.offset), states, bytes);
  } else {
    std::memset(cta.shadow.state(range.offset), kDefined, bytes);
  }
  if (!cta.launch->settings.race_checks) return;
  const RaceFound race = cta.shadow.write(view, who, range.offset, bytes);
  if (race.found) fail_shared_race(w, instr, lanes, cta, race, true);
}

void count_global(Warp& w, Lanes mask, const std::uint64_t* addresses, std::uint32_t bytes) {
  if (w.counts == nullptr) return;
  LineCount& count = w.counts[w.pc - 1];
  std::uint64_t places[kWarpSize];
  int n = 0;
  for (int l = 0; l < kWarpSize; ++l) {
    if ((mask >> l & 1) != 0) places[n++] = addresses[l];
  }
  std::sort(places, places + n);
  std::uint64_t touched_to = 0, used_to = 0;  // the first sector and the first byte beyond those before
  for (int i = 0; i < n; ++i) {
    const std::uint64_t end = places[i] + bytes, last = (end - 1) / 32;
    const std::uint64_t first = std::max(places[i] / 32, touched_to);
    if (last >= first) count.sectors += last - first + 1;
    touched_to = std::max(touched_to, last + 1);
    count.used += end - std::min(end, std::max(places[i], used_to));
    used_to = std::max(used_to, end);
  }
  ++count.requests;
  count.bytes += std::uint64_t{bytes} * static_cast<std::uint64_t>(std::popcount(mask));
  count.memory_space = 1;
}

void count_stretch(const Warp& w, const Instr& instr, std::uint64_t address, std::uint32_t bytes) {
  // By then the warp may be anywhere: the counts are those of the worker that runs its cluster, in the kernel itself.
  std::vector<LineCount>* counts = w.cta->cluster->counts;
  const Program& program = w.cta->launch->kernel;
  const std::ptrdiff_t index = &instr - program.code.data();
  if (counts == nullptr || index < 0 || static_cast<std::size_t>(index) >= program.code.size() || bytes == 0) return;
  LineCount& count = (*counts)[program.first_count + static_cast<std::size_t>(index)];
  ++count.requests;
  count.sectors += (address + bytes - 1) / 32 - address / 32 + 1;
  count.used += bytes;
  count.bytes += bytes;
  count.memory_space = 1;
}

void count_shared(Warp& w, Lanes mask, const std::uint64_t* addresses, std::uint32_t bytes) {
  if (w.counts == nullptr) return;
  LineCount& count = w.counts[w.pc - 1];
  // Accesses of 8 and 16 bytes take the warp in 2 and 4 parts; in each part, different words of one bank take turns.
  const int part = bytes >= 16 ? 8 : bytes == 8 ? 16 : 32;
  for (int first = 0; first < kWarpSize; first += part) {
    std::uint32_t words[32][8];
    int used[32] = {};
    int passes = 0;
    for (int l = first; l < first + part; ++l) {
      if ((mask >> l & 1) == 0) continue;
      for (std::uint64_t word = addresses[l] / 4; word <= (addresses[l] + bytes - 1) / 4; ++word) {
        const auto bank = static_cast<std::uint32_t>(word % 32);
        const auto id = static_cast<std::uint32_t>(word);
        int known = 0;
        while (known < std::min(used[bank], 8) && words[bank][known] != id) ++known;
        if (known < std::min(used[bank], 8)) continue;
        if (used[bank] < 8) words[bank][used[bank]] = id;
        passes = std::max(passes, ++used[bank]);
      }
    }
    count.wavefronts += static_cast<std::uint64_t>(passes);
    if (passes != 0) ++count.least;
  }
  ++count.requests;
  count.bytes += std::uint64_t{bytes} * static_cast<std::uint64_t>(std::popcount(mask));
  count.memory_space = 2;
}

}  // namespace vgpu
