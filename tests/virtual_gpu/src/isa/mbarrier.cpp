// mbarrier. PTX ISA, 9.7.13.15: mbarrier.init, inval, expect_tx, complete_tx, arrive, arrive_drop, test_wait, try_wait,
// pending_count.
#include "machine/mbarrier.h"

#include "isa/addressing.h"
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

constexpr u32 kDrop = 1, kExpect = 2, kNoComplete = 4, kCounted = 8, kParity = 16, kRelaxed = 32, kCluster = 64;

template <class F>
void each(Warp& w, const Arg& base, s64 offset, Lanes mask, F f) {
  alignas(64) u64 at[kWarpSize];
  addresses(w, base, offset, mask, at);
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    f(l, Lanes{1} << l, at[l]);
  }
}

u32 operand(Warp& w, const Arg& arg, int lane, const char* what) {
  w.require_defined(arg, Lanes{1} << lane, what);
  return w.source<u32>(arg)[lane];
}

void init(Warp& w, const Instr& in, Lanes mask) {
  each(w, in.a[0], in.immediate, mask, [&](int l, Lanes lane, u64 at) {
    init_mbarrier(w, lane, at, operand(w, in.a[1], l, "the count of an mbarrier"));
  });
}
void inval(Warp& w, const Instr& in, Lanes mask) {
  each(w, in.a[0], in.immediate, mask, [&](int, Lanes lane, u64 at) { invalidate_mbarrier(w, lane, at); });
}
void expect_tx(Warp& w, const Instr& in, Lanes mask) {
  each(w, in.a[0], in.immediate, mask, [&](int l, Lanes lane, u64 at) {
    find_mbarrier(w, in, lane, at).expect_transactions(w, in, lane, operand(w, in.a[1], l, "a transaction count"));
  });
}
void complete_tx(Warp& w, const Instr& in, Lanes mask) {
  each(w, in.a[0], in.immediate, mask, [&](int l, Lanes lane, u64 at) {
    find_mbarrier(w, in, lane, at).complete_transactions(w, in, lane, operand(w, in.a[1], l, "a transaction count"));
  });
}

/// a[0] state (bytes 0 where unwanted), a[1] address, a[2] count or transaction bytes.
void arrive(Warp& w, const Instr& in, Lanes mask) {
  u64 states[kWarpSize] = {};
  const bool relaxed = (in.flags & kRelaxed) != 0;
  View fenced;
  if (relaxed) w.release_to(fenced, true, (in.flags & kCluster) != 0);
  const View& released = relaxed ? fenced : w.view;
  each(w, in.a[1], in.immediate, mask, [&](int l, Lanes lane, u64 at) {
    MbarrierRef barrier = find_mbarrier(w, in, lane, at);
    states[l] = barrier.word();
    u32 count = 1;
    if ((in.flags & kExpect) != 0) {
      barrier.expect_transactions(w, in, lane, operand(w, in.a[2], l, "a transaction count"));
    } else if ((in.flags & kCounted) != 0) {
      count = operand(w, in.a[2], l, "a count of arrivals");
    }
    if ((in.flags & kDrop) != 0) {
      barrier.arrive_and_drop(w, in, lane, count, released);
    } else {
      barrier.arrive(w, in, lane, count, released);
    }
    if ((in.flags & kNoComplete) != 0 && (barrier.word() ^ states[l]) >> 63 != 0) {
      w.fail(Check::mbarrier_misuse, lane, "an arrival with .noComplete ends the phase");
    }
  });
  w.tick();
  w.cta->order.settle(w.index);
  if (in.a[0].bytes == 0) return;
  for_lanes(w.at<u64>(in.a[0]), mask, [&](int l) { return states[l]; });
  w.define(in.a[0], mask, 0);
}

/// a[0] predicate, a[1] address, a[2] state or parity. A wait in vain gives the turn away.
void wait(Warp& w, const Instr& in, Lanes mask) {
  Lanes done = 0;
  const Mbarrier* known = nullptr;  // of the lane before: mostly the same
  each(w, in.a[1], in.immediate, mask, [&](int l, Lanes lane, u64 at) {
    const MbarrierRef barrier = find_mbarrier(w, in, lane, at);
    bool phase;
    if ((in.flags & kParity) != 0) {
      phase = (operand(w, in.a[2], l, "a phase's parity") & 1) != 0;
    } else {
      w.require_defined(in.a[2], lane, "an mbarrier's state");
      phase = w.source<u64>(in.a[2])[l] >> 63 != 0;
    }
    if (barrier.parity() == phase) return;
    done |= lane;
    if (known == &barrier.known()) return;
    known = &barrier.known();
    w.acquire(known->published, (in.flags & kRelaxed) != 0);
  });
  w.set_predicate(in.a[0], mask, done);
  w.define(in.a[0], mask, 0);
  if (done != mask) w.yielded = true;
}

void pending_count(Warp& w, const Instr& in, Lanes mask) {
  map1<u32, u64>(w, in, mask, [](u64 state) { return static_cast<u32>(state & 0xfffff); });
}

void decode(Decoder& d, Instr& in) {
  in.kind = Kind::async;
  const std::string_view what = d.take_one_of(
      {"init", "inval", "arrive", "arrive_drop", "expect_tx", "complete_tx", "test_wait", "try_wait", "pending_count"});
  if (what == "arrive" && d.take("expect_tx")) in.flags |= kExpect;
  if (what == "arrive_drop" && d.take("expect_tx")) in.flags |= kExpect;
  if (d.take("noComplete")) in.flags |= kNoComplete;
  if (d.take("parity")) in.flags |= kParity;
  if (d.take_one_of({"release", "acquire", "relaxed"}) == "relaxed") in.flags |= kRelaxed;
  if (d.take_one_of({"cta", "cluster"}) == "cluster") in.flags |= kCluster;
  d.take_one_of({"shared", "shared::cta", "shared::cluster"});
  d.need_type();
  const auto space = ptx::Space::shared;
  if (what == "init" || what == "inval" || what == "expect_tx" || what == "complete_tx") {
    in.a[0] = d.address(d.operand(0), space, in);
    if (what != "inval") in.a[1] = d.source(d.operand(1), Type::u32);
    in.run = what == "init" ? init : what == "inval" ? inval : what == "expect_tx" ? expect_tx : complete_tx;
  } else if (what == "arrive" || what == "arrive_drop") {
    if (what == "arrive_drop") in.flags |= kDrop;
    const bool returns = d.operand(0).kind != ptx::Operand::Kind::address;
    if (returns && !d.is_sink(d.operand(0))) in.a[0] = d.destination(d.operand(0), Type::b64);
    const std::size_t at = returns ? 1 : 0;
    in.a[1] = d.address(d.operand(at), space, in);
    if (d.operand_count() > at + 1) {
      in.a[2] = d.source(d.operand(at + 1), Type::u32);
      in.flags |= kCounted;
    }
    in.run = arrive;
  } else if (what == "test_wait" || what == "try_wait") {
    in.a[0] = d.destination(d.operand(0), Type::pred);
    in.a[1] = d.address(d.operand(1), space, in);
    in.a[2] = d.source(d.operand(2), (in.flags & kParity) != 0 ? Type::u32 : Type::b64);
    in.run = wait;  // try_wait's time limit only says how long it may sleep
  } else if (what == "pending_count") {
    in.a[0] = d.destination(d.operand(0), Type::u32);
    in.a[1] = d.source(d.operand(1), Type::b64);
    in.run = pending_count;
  } else {
    d.unsupported("expected an operation of mbarrier");
  }
}

}  // namespace

void add_mbarrier(OpTable& table) { table["mbarrier"] = decode; }

}  // namespace vgpu::VGPU_LEVEL
