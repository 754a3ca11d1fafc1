// cp.async of 4, 8 and 16 bytes. PTX ISA, 9.7.9.25.3: cp.async, cp.async.commit_group, cp.async.wait_group, wait_all,
// cp.async.mbarrier.arrive. A copy happens when its thread waits for it, as late as the manual allows.
#include "isa/addressing.h"
#include "isa/families.h"
#include "isa/lanes.h"
#include "machine/mbarrier.h"

namespace vgpu::VGPU_LEVEL {
namespace {

void carry_out(Warp& w, const PendingCopy& copy) {
  u8 data[16] = {};
  u8 states[16];
  std::memset(states, static_cast<int>(ByteState::defined), sizeof states);
  const Lanes lane = Lanes{1} << copy.lane;
  if (copy.source_bytes != 0) {
    const Place p = place_global(w, *copy.instr, lane, copy.source, copy.source_bytes, {});
    std::memcpy(data, p.data, copy.source_bytes);
    std::memcpy(states, p.states, copy.source_bytes);
  }
  const SharedRange range = shared_range(w, *copy.instr, lane, copy.destination, copy.bytes);
  Accessor who = accessor_of(w, *copy.instr);
  who.copied = true;
  write_shared_async(w, *copy.instr, lane, w.view, who, range, data, states, copy.bytes);
}

/// Carries out the copies of these lanes that belong to groups before `limit[lane]`.
template <class F>
void finish(Warp& w, Lanes mask, F limit) {
  std::size_t kept = 0;
  for (PendingCopy& copy : w.copies) {
    if (has(mask, copy.lane) && copy.group < limit(copy.lane)) {
      carry_out(w, copy);
    } else {
      w.copies[kept++] = copy;
    }
  }
  w.copies.resize(kept);
}

/// a[0] destination, a[1] source, a[2] source size if given (or the predicate ignore-src).
void copy(Warp& w, const Instr& in, Lanes mask) {
  alignas(64) u64 to[kWarpSize];
  alignas(64) u64 from[kWarpSize];
  addresses(w, in.a[0], static_cast<s32>(in.flags), mask, to);
  addresses(w, in.a[1], in.immediate, mask, from);
  Lanes reading = 0;
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    const Lanes lane = Lanes{1} << l;
    PendingCopy c;
    c.source = from[l];
    c.destination = static_cast<u32>(to[l]);
    c.bytes = c.source_bytes = in.width;
    c.lane = static_cast<u8>(l);
    c.group = w.copy_group[l];
    c.instr = &in;
    if (in.count == 1) {
      w.require_defined(in.a[2], lane, "the size of an asynchronous copy");
      const u32 size = w.source<u32>(in.a[2])[l];
      if (size > in.width)
        w.fail(Check::invalid, lane,
               "the source size " + std::to_string(size) + " exceeds the copy's " + std::to_string(in.width));
      c.source_bytes = static_cast<u8>(size);
    } else if (in.count == 2) {
      w.require_defined(in.a[2], lane, "ignore-src");
      if (has(w.predicate(in.a[2]), l)) c.source_bytes = 0;
    }
    if (to[l] % in.width != 0 || (c.source_bytes != 0 && from[l] % in.width != 0)) {
      w.fail(Check::misaligned, lane,
             "an asynchronous copy of " + std::to_string(in.width) +
                 " bytes between addresses that are no multiples of it");
    }
    if (c.source_bytes != 0) {
      reading |= lane;
      const Memory& memory = w.cta->launch->memory;
      // The source is checked now, where the report can name the cause, and again when it is read.
      if (!memory.contains(c.source) || *memory.state(c.source) < static_cast<u8>(ByteState::undefined)) {
        place_global(w, in, lane, c.source, c.source_bytes, {});
      }
    }
    mark_pending(w, in, lane, shared_range(w, in, lane, c.destination, c.bytes), c.bytes);
    w.copies.push_back(c);
  }
  if (reading != 0) count_global(w, reading, from, in.width);
}

void commit(Warp& w, const Instr&, Lanes mask) {
  for (int l = 0; l < kWarpSize; ++l) w.copy_group[l] += has(mask, l) ? 1 : 0;
}
void wait_group(Warp& w, const Instr& in, Lanes mask) {
  const auto left = static_cast<u32>(in.immediate);
  finish(w, mask, [&](u32 l) { return w.copy_group[l] > left ? w.copy_group[l] - left : 0; });
}
void wait_all(Warp& w, const Instr&, Lanes mask) {
  finish(w, mask, [](u32) { return ~u32{0}; });
}

/// The mbarrier sees one arrival per thread when the copies that the thread has issued so far have landed. Without
/// .noinc the pending count first grows by one, so that the phase's own count does not change.
void mbarrier_arrive(Warp& w, const Instr& in, Lanes mask) {
  alignas(64) u64 at[kWarpSize];
  addresses(w, in.a[0], in.immediate, mask, at);
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    const Lanes lane = Lanes{1} << l;
    MbarrierRef barrier = find_mbarrier(w, in, lane, at[l]);
    if (in.flags == 0) barrier.expect_arrivals(1);
    std::vector<PendingCopy> mine;
    std::size_t kept = 0;
    for (const PendingCopy& c : w.copies) {
      if (c.lane == l) {
        mine.push_back(c);
      } else {
        w.copies[kept++] = c;
      }
    }
    w.copies.resize(kept);
    const View view = w.view;
    w.cta->cluster->later([&w, &in, lane, view, mine = std::move(mine), barrier]() mutable {
      const Accessor who = barrier.accessor(in, w);
      for (const PendingCopy& c : mine) {
        u8 data[16] = {};
        u8 states[16];
        std::memset(states, static_cast<int>(ByteState::defined), sizeof states);
        if (c.source_bytes != 0) {
          const Place p = place_global(w, *c.instr, lane, c.source, c.source_bytes, {});
          std::memcpy(data, p.data, c.source_bytes);
          std::memcpy(states, p.states, c.source_bytes);
        }
        View merged = view;
        merged.advance(w.cta->rank, w.index, ~u32{0});
        write_shared_async(w, *c.instr, lane, merged, who, shared_range(w, *c.instr, lane, c.destination, c.bytes),
                           data, states, c.bytes);
      }
      barrier.arrive(w, in, lane, 1, view);
    });
  }
}

void decode_plain(Decoder& d, Instr& in) {
  d.take_one_of({"ca", "cg"});
  d.take_one_of({"shared", "shared::cta"});
  d.take("global");
  d.take("L2::cache_hint");
  d.take_one_of({"L2::64B", "L2::128B", "L2::256B"});
  Instr address;
  in.a[0] = d.address(d.operand(0), ptx::Space::shared, address);
  in.flags = static_cast<u32>(static_cast<s32>(address.immediate));
  in.a[1] = d.address(d.operand(1), ptx::Space::global, in);
  const s64 size = d.integer(d.operand(2));
  if (size != 4 && size != 8 && size != 16) d.unsupported("expected 4, 8 or 16 bytes");
  in.width = static_cast<u8>(size);
  if (d.operand_count() > 3) {
    const ptx::Operand& o = d.operand(3);
    if (d.is_predicate(o)) {
      in.a[2] = d.predicate(o);
      in.count = 2;
    } else if (!d.is_wide(o)) {  // a 64-bit register there is a cache policy
      in.a[2] = d.source(o, Type::u32);
      in.count = 1;
    }
  }
  in.run = copy;
}

void decode(Decoder& d, Instr& in) {
  const bool reduce = d.take("reduce");
  if (!d.take("async")) d.unsupported("expected cp.async");
  in.kind = Kind::async;
  if (reduce && !d.take("bulk")) d.unsupported("expected cp.reduce.async.bulk");
  if (reduce || d.take("bulk")) {
    decode_bulk(d, in, reduce);
  } else if (d.take("mbarrier")) {
    d.take("arrive");
    in.flags = d.take("noinc") ? 1 : 0;
    d.take_one_of({"shared", "shared::cta"});
    d.need_type();
    in.a[0] = d.address(d.operand(0), ptx::Space::shared, in);
    in.run = mbarrier_arrive;
  } else if (d.take("commit_group")) {
    in.run = commit;
  } else if (d.take("wait_group")) {
    in.immediate = d.integer(d.operand(0));
    in.run = wait_group;
  } else if (d.take("wait_all")) {
    in.run = wait_all;
  } else {
    decode_plain(d, in);
  }
}

}  // namespace

void add_copy_async(OpTable& table) { table["cp"] = decode; }

}  // namespace vgpu::VGPU_LEVEL
