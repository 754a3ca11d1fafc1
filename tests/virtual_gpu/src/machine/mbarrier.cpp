#include "machine/mbarrier.h"

#include <cstring>

#include "machine/access.h"

namespace vgpu {
namespace {

constexpr std::uint64_t kCountMask = 0xfffff;
constexpr std::int64_t kTransactionLimit = (1 << 20) - 1;

std::uint64_t pending(std::uint64_t word) { return word & kCountMask; }
std::uint64_t expected(std::uint64_t word) { return word >> 20 & kCountMask; }
std::int64_t transactions(std::uint64_t word) { return static_cast<std::int64_t>(word << 2) >> 42; }
std::uint64_t pack(std::uint64_t pending_count, std::uint64_t expected_count, std::int64_t bytes, bool parity) {
  return (pending_count & kCountMask) | (expected_count & kCountMask) << 20 |
         (static_cast<std::uint64_t>(bytes) & 0x3fffff) << 40 | static_cast<std::uint64_t>(parity) << 63;
}

/// mbarrier.init is a write like any other: who uses the object must be ordered after it, or after a
/// fence.mbarrier_init that follows it.
void check_initialised(const Warp& w, const Instr& instr, Lanes lanes, const SharedRange& range,
                       const Mbarrier& known) {
  const Accessor& by = known.initialised;
  if (by.rank == w.cta->rank && by.agent == w.index) return;
  if (w.view.clock(by.rank, by.agent) >= by.clock) return;
  if (known.init_fenced != 0 && w.view.executed_clock(by.rank, by.agent) >= known.init_fenced) return;
  const auto& code = w.cta->launch->kernel.code;
  w.fail_at(instr, Check::shared_race, lanes,
            "a use of the mbarrier object at shared memory " + std::to_string(range.offset + kSharedBase) + " that " +
                describe_agent(*w.cta, by) +
                " has initialised: expected a barrier between, with release or after fence.mbarrier_init, found none",
            by.pc < code.size() ? &code[by.pc] : nullptr);
}

}  // namespace

std::uint64_t MbarrierRef::word() const {
  std::uint64_t bits = 0;
  std::memcpy(&bits, cta_->shared.data() + offset_, 8);
  return bits;
}

void MbarrierRef::store(std::uint64_t bits) { std::memcpy(cta_->shared.data() + offset_, &bits, 8); }

void MbarrierRef::finish_phase() {
  const std::uint64_t now = word();
  if (pending(now) != 0 || transactions(now) != 0) return;
  store(pack(expected(now), expected(now), 0, !parity()));
  known_->published.join(known_->arriving);
  ++known_->clock;
  ++cta_->cluster->progress;
}

void MbarrierRef::arrive(const Warp& w, const Instr& instr, Lanes lanes, std::uint32_t count, const View& view) {
  const std::uint64_t now = word();
  if (count > pending(now)) {
    w.fail_at(instr, Check::mbarrier_misuse, lanes,
              std::to_string(count) + " arrivals where the phase waits for " + std::to_string(pending(now)) + " more");
  }
  known_->arriving.join(view);
  store(pack(pending(now) - count, expected(now), transactions(now), parity()));
  ++cta_->cluster->progress;
  finish_phase();
}

void MbarrierRef::arrive_and_drop(const Warp& w, const Instr& instr, Lanes lanes, std::uint32_t count,
                                  const View& view) {
  const std::uint64_t now = word();
  if (count > expected(now)) {
    w.fail_at(instr, Check::mbarrier_misuse, lanes, "more arrivals are dropped than the mbarrier expects");
  }
  store(pack(pending(now), expected(now) - count, transactions(now), parity()));
  arrive(w, instr, lanes, count, view);
}

void MbarrierRef::expect_arrivals(std::uint32_t count) {
  const std::uint64_t now = word();
  store(pack(pending(now) + count, expected(now), transactions(now), parity()));
}

void MbarrierRef::expect_transactions(const Warp& w, const Instr& instr, Lanes lanes, std::int64_t bytes) {
  const std::uint64_t now = word();
  const std::int64_t sum = transactions(now) + bytes;
  if (sum > kTransactionLimit || sum < -kTransactionLimit) {
    w.fail_at(instr, Check::mbarrier_misuse, lanes,
              "the transaction count " + std::to_string(sum) + " is beyond 2^20 - 1");
  }
  store(pack(pending(now), expected(now), sum, parity()));
}

void MbarrierRef::complete_transactions(const Warp& w, const Instr& instr, Lanes lanes, std::int64_t bytes) {
  known_->arriving.advance(cta_->rank, known_->agent, known_->clock);
  expect_transactions(w, instr, lanes, -bytes);
  finish_phase();
}

Accessor MbarrierRef::accessor(const Instr& instr, const Warp& w) const {
  known_->arriving.advance(cta_->rank, known_->agent, known_->clock);
  const auto& code = w.cta->launch->kernel.code;
  const auto pc = static_cast<std::uint32_t>(&instr - code.data());
  Accessor who;
  who.rank = cta_->rank;
  who.agent = known_->agent;
  who.clock = known_->clock;
  who.pc = pc < code.size() ? pc : 0;
  who.copied = true;
  return who;
}

MbarrierRef find_mbarrier(const Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address) {
  if (address % 8 != 0) w.fail_at(instr, Check::misaligned, lanes, "an mbarrier object lies at a multiple of 8");
  const SharedRange range = shared_range(w, instr, lanes, address, 8);
  const auto it = range.cta->mbarriers.find(range.offset);
  if (it == range.cta->mbarriers.end() || !it->second.valid) {
    w.fail_at(instr, Check::mbarrier_misuse, lanes,
              "no mbarrier object is live at shared memory " + std::to_string(range.offset + kSharedBase) +
                  (it == range.cta->mbarriers.end() ? ": it was never initialised" : ": it was invalidated"));
  }
  if (w.cta->launch->settings.race_checks) check_initialised(w, instr, lanes, range, it->second);
  return {*range.cta, range.offset, it->second};
}

void init_mbarrier(Warp& w, Lanes lanes, std::uint64_t address, std::uint32_t count) {
  const Instr& instr = w.code[w.pc - 1];
  if (address % 8 != 0) w.fail(Check::misaligned, lanes, "an mbarrier object lies at a multiple of 8");
  if (count == 0 || count > kCountMask) {
    w.fail(Check::mbarrier_misuse, lanes, "an mbarrier expects 1 to 2^20 - 1 arrivals, found " + std::to_string(count));
  }
  const SharedRange range = shared_range(w, instr, lanes, address, 8);
  Cta& cta = *range.cta;
  const auto found = cta.mbarriers.find(range.offset);
  if (found != cta.mbarriers.end() && found->second.valid) {
    w.fail(Check::mbarrier_misuse, lanes, "a live mbarrier object is initialised again; mbarrier.inval comes first");
  }
  std::uint8_t* states = cta.shadow.state(range.offset);
  for (int i = 0; i < 8; ++i) {
    if (states[i] == static_cast<std::uint8_t>(ByteState::pending)) {
      w.fail(Check::async_not_waited, lanes, "an mbarrier is initialised where an asynchronous copy is under way");
    }
  }
  if (found == cta.mbarriers.end() && cta.next_mbarrier == kMaxMbarriers) {
    w.fail(Check::invalid, lanes, "a block may use " + std::to_string(kMaxMbarriers) + " mbarriers on the virtual GPU");
  }
  Mbarrier& known = cta.mbarriers[range.offset];
  if (known.agent == 0) known.agent = kMbarrierAgent + cta.next_mbarrier++;
  known.valid = true;
  known.initialised = accessor_of(w, instr);
  known.init_fenced = 0;
  const std::uint64_t bits = pack(count, count, 0, false);
  std::memcpy(cta.shared.data() + range.offset, &bits, 8);
  std::memset(states, static_cast<int>(ByteState::mbarrier), 8);
}

void invalidate_mbarrier(Warp& w, Lanes lanes, std::uint64_t address) {
  const MbarrierRef barrier = find_mbarrier(w, w.code[w.pc - 1], lanes, address);
  barrier.known().valid = false;
  const SharedRange range = shared_range(w, w.code[w.pc - 1], lanes, address, 8);
  std::memset(range.cta->shadow.state(range.offset), static_cast<int>(ByteState::undefined), 8);
}

}  // namespace vgpu
