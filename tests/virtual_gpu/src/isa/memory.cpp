// Loads and stores. PTX ISA, 9.7.9.8 ld, 9.7.9.9 ld.global.nc, 9.7.9.10 ldu, 9.7.9.11 st, 9.7.9.15 prefetch and the
// like.
#include <chrono>
#include <thread>

#include "isa/addressing.h"
#include "isa/atomic_ops.h"
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

using ptx::Space;

Space space_of(const Instr& in) { return static_cast<Space>(in.flags & 7); }

Arg register_of(const Instr& in, u32 i, u32 first) { return in.count == 1 ? in.a[first] : in.more[i]; }

void count(Warp& w, const Instr& in, Lanes mask, const u64* at, u32 bytes) {
  if (w.counts == nullptr) return;
  const Space space = space_of(in);
  const bool shared = space == Space::shared ||
                      (space == Space::generic && (at[std::countr_zero(mask)] & kWindowMask) == kSharedWindow);
  if (shared) {
    count_shared(w, mask, at, bytes);
  } else if (is_global(space, at[std::countr_zero(mask)])) {
    count_global(w, mask, at, bytes);
  } else {
    LineCount& line = w.counts[w.pc - 1];
    ++line.requests;
    line.bytes += u64{bytes} * static_cast<u64>(std::popcount(mask));
    line.memory_space = 3;
  }
}

/// After a load with undefined bytes in some lanes.
[[gnu::noinline]] void define_loaded(Warp& w, const Instr& in, Lanes mask, const Place* places) {
  w.check_pending(mask);
  for (u32 i = 0; i < in.count; ++i) {
    const Arg r = register_of(in, i, 0);
    if (r.bytes == 0) continue;
    for (int l = 0; l < kWarpSize; ++l) {
      if (!has(mask, l)) continue;
      u32 undefined = 0;
      bool tainted = false;
      for (u32 b = 0; !places[l].defined && b < in.width; ++b) {
        const u8 state = places[l].states[i * in.width + b];
        if (state == static_cast<u8>(ByteState::defined)) continue;
        undefined |= 1u << b;
        tainted |= state == static_cast<u8>(ByteState::tainted);
      }
      // A sign extension copies the top byte's definedness.
      if ((in.flags & kSigned) != 0 && (undefined >> (in.width - 1) & 1) != 0) undefined |= 0xffffu << in.width;
      w.set_undefined_bytes(r, l, undefined, tainted);
    }
  }
}

/// Strong accesses of 128 bits are done in one piece, which the host's own may not be: they exclude each other and
/// atomics. Nothing for smaller ones.
template <class M>
auto lock_wide(const Instr& in, u64 address) {
  if constexpr (sizeof(M) == 16) {
    return (in.flags & kStrong) != 0 ? std::unique_lock(location_lock(address)) : std::unique_lock<std::mutex>();
  } else {
    return 0;
  }
}

/// Whether an address from which several lanes load needs only one check. Local memory is each lane's own, a strong
/// access is an event for each lane, and a diverged warp's stores may concern some of its lanes only.
bool lanes_are_alike(const Warp& w, const Instr& in, Space space) {
  return (space == Space::shared || space == Space::global) && (in.flags & kStrong) == 0 &&
         !w.cta->shadow.tells_lanes_apart();
}

/// An earlier lane with this lane's address, where kernels that broadcast have one; else the lane itself.
int lane_at_same_place(Lanes mask, const u64* at, int l) {
  for (const int distance : {1, 16}) {
    if (l >= distance && has(mask, l - distance) && at[l - distance] == at[l]) return l - distance;
  }
  return l;
}

/// M is the type in memory, R the register's.
template <class M, class R>
void ld(Warp& w, const Instr& in, Lanes mask) {
  alignas(64) u64 at[kWarpSize];
  addresses(w, in.a[1], in.immediate, mask, at);
  const u32 bytes = sizeof(M) * in.count;
  const Space space = space_of(in);
  count(w, in, mask, at, bytes);
  Place places[kWarpSize];
  Lanes undefined = 0;
  const Access access{.strong = (in.flags & kStrong) != 0,
                      .atomic = (in.flags & kAcquire) != 0,
                      .by_lane = true,
                      .diverged = mask != w.live()};
  const bool alike = lanes_are_alike(w, in, space);
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    const int before = alike ? lane_at_same_place(mask, at, l) : l;
    places[l] = before != l ? places[before] : place(w, l, space, at[l], bytes, access);
    if (!places[l].defined) undefined |= Lanes{1} << l;
  }
  for (u32 i = 0; i < in.count; ++i) {
    const Arg r = register_of(in, i, 0);
    if (r.bytes == 0) continue;
    R* d = w.at<R>(r);
    for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
      const int l = std::countr_zero(rest);
      [[maybe_unused]] const auto lock = lock_wide<M>(in, at[l]);
      M value;
      std::memcpy(&value, places[l].data + i * sizeof(M), sizeof(M));
      d[l] = static_cast<R>(value);
    }
    if (undefined == 0) w.define(r, mask, 0);
  }
  // After the data: the thread that stored what was read has recorded its release before.
  if ((in.flags & kStrong) != 0) {
    for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
      const int l = std::countr_zero(rest);
      if (!is_global(space, at[l])) {
        if ((in.flags & kAcquire) != 0 && is_shared(space, at[l])) w.view.join(shared_updates(w, in, l, at[l]));
        continue;
      }
      w.cta->launch->global.acquire(w.cta->order, w.index, at[l], (in.flags & kAcquire) != 0);
      if (w.cta->warps.size() > 1) w.view.join(w.cta->strong_accesses(at[l]));
    }
  }
  if (undefined != 0) [[unlikely]]
    define_loaded(w, in, mask, places);
}

/// ld.param of an entry with a constant address: the same for all lanes.
template <class M, class R>
void ld_param(Warp& w, const Instr& in, Lanes mask) {
  const auto& params = w.cta->launch->params;
  for (u32 i = 0; i < in.count; ++i) {
    const Arg r = register_of(in, i, 0);
    if (r.bytes == 0) continue;
    const std::size_t at = static_cast<std::size_t>(in.immediate) + i * sizeof(M);
    if (at + sizeof(M) > params.size()) w.fail(Check::out_of_bounds, mask, "a read behind the kernel's parameters");
    M value;
    std::memcpy(&value, params.data() + at, sizeof(M));
    for_lanes(w.at<R>(r), mask, [=](int) { return static_cast<R>(value); });
    w.define(r, mask, 0);
  }
}

/// ld.param and st.param in a device function or around a call: the frame's .param space, byte by byte.
void ld_param_frame(Warp& w, const Instr& in, Lanes mask) {
  Frame& f = *w.frame;
  const u32 stride = f.program->param_bytes;
  for (u32 i = 0; i < in.count; ++i) {
    const Arg r = register_of(in, i, 0);
    if (r.bytes == 0) continue;
    const u32 register_stride = r.bytes < 2 ? 2 : r.bytes;
    for (int l = 0; l < kWarpSize; ++l) {
      if (!has(mask, l)) continue;
      const std::size_t at =
          static_cast<std::size_t>(l) * stride + static_cast<std::size_t>(in.immediate) + i * in.width;
      unsigned __int128 value = 0;
      std::memcpy(&value, f.params.data() + at, in.width);
      const u32 unused = 128 - 8u * in.width;
      if ((in.flags & kSigned) != 0)
        value = static_cast<unsigned __int128>(static_cast<__int128>(value << unused) >> unused);
      std::memcpy(w.at<u8>(r) + static_cast<u32>(l) * register_stride, &value, register_stride);
      u32 undefined = 0;
      for (u32 b = 0; b < in.width; ++b) undefined |= (f.params_undefined[at + b] != 0 ? 1u : 0u) << b;
      w.set_undefined_bytes(r, l, undefined, false);
    }
  }
}
void st_param_frame(Warp& w, const Instr& in, Lanes mask) {
  Frame& f = *w.frame;
  const u32 stride = f.program->param_bytes;
  for (u32 i = 0; i < in.count; ++i) {
    const Arg r = register_of(in, i, 1);
    const u32 register_stride = r.bytes < 2 ? 2 : r.bytes;
    for (int l = 0; l < kWarpSize; ++l) {
      if (!has(mask, l)) continue;
      const std::size_t at =
          static_cast<std::size_t>(l) * stride + static_cast<std::size_t>(in.immediate) + i * in.width;
      std::memcpy(f.params.data() + at, w.source<u8>(r) + static_cast<u32>(l) * register_stride, in.width);
      const LaneBytes b = lane_bytes(w, r, l);
      for (u32 k = 0; k < in.width; ++k) f.params_undefined[at + k] = b.undefined >> k & 1;
    }
  }
}

/// Marks what a lane has stored. Bytes computed from undefined data may not reach global memory.
[[gnu::noinline]] void define_stored(Warp& w, const Instr& in, int l, u64 address, const Place& p, Lanes undefined) {
  if (p.states == nullptr) return;
  if (!has(undefined, l)) {
    std::memset(p.states, static_cast<int>(ByteState::defined), in.count * in.width);
    return;
  }
  w.check_pending(Lanes{1} << l);
  for (u32 i = 0; i < in.count; ++i) {
    const LaneBytes b = lane_bytes(w, register_of(in, i, 1), l);
    if (b.tainted && b.undefined != 0 && is_global(space_of(in), address)) {
      w.fail(Check::uninitialised, Lanes{1} << l,
             "a value computed from data that was never written is stored to global memory");
    }
    for (u32 k = 0; k < in.width; ++k) {
      const bool bad = (b.undefined >> k & 1) != 0;
      p.states[i * in.width + k] = static_cast<u8>(!bad        ? ByteState::defined
                                                   : b.tainted ? ByteState::tainted
                                                               : ByteState::undefined);
    }
  }
}

/// Values of one lane as they lie in memory.
template <class M, class R>
void gather(const Warp& w, const Instr& in, int l, M* values) {
  for (u32 i = 0; i < in.count; ++i) values[i] = static_cast<M>(w.source<R>(register_of(in, i, 1))[l]);
}

/// The instruction has written this place before, unordered with this lane. That both write the same is no race.
/// Another block that is about to write gets some time to do so.
template <class M, class R>
[[gnu::noinline]] void check_repeated(Warp& w, const Instr& in, int l, const Place& p) {
  M values[8];
  gather<M, R>(w, in, l, values);
  for (int tries = 0; std::memcmp(values, p.data, sizeof(M) * in.count) != 0; ++tries) {
    if (tries == 200) fail_repeated(w);
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

/// Lanes that write different values to one place of shared memory by one instruction: which value remains is
/// undefined. CUDA C++ Programming Guide, "SIMT Architecture". Addresses are multiples of the access's size.
template <class M, class R>
void check_lanes_agree(Warp& w, const Instr& in, Lanes mask, const u64* at) {
  const u64 bytes = sizeof(M) * in.count;
  u64 last = 0;
  bool ascending = true;
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const u64 address = at[std::countr_zero(rest)];
    ascending &= address > last;
    last = address;
  }
  if (ascending) [[likely]]
    return;
  // By a hash of the address, the lane that came first.
  s8 first[64];
  std::memset(first, -1, sizeof first);
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    u64 slot = at[l] / bytes % 64;
    while (first[slot] >= 0 && at[first[slot]] != at[l]) slot = (slot + 1) % 64;
    if (first[slot] < 0) {
      first[slot] = static_cast<s8>(l);
      continue;
    }
    const bool shared = (in.flags & 7) == static_cast<u32>(Space::shared) || (at[l] & kWindowMask) == kSharedWindow;
    M mine[8], others[8];
    gather<M, R>(w, in, l, mine);
    gather<M, R>(w, in, first[slot], others);
    if (!shared || std::memcmp(mine, others, bytes) == 0) continue;
    w.check_pending(mask);
    w.fail_at(in, Check::shared_race, Lanes{1} << l,
              "two lanes of one warp write different values to shared memory at " +
                  std::to_string(at[l] & ~kWindowMask) + " by one instruction",
              &in);
  }
}

template <class M, class R>
void st(Warp& w, const Instr& in, Lanes mask) {
  alignas(64) u64 at[kWarpSize];
  addresses(w, in.a[0], in.immediate, mask, at);
  const u32 bytes = sizeof(M) * in.count;
  const Space space = space_of(in);
  count(w, in, mask, at, bytes);
  Lanes undefined = 0;
  for (u32 i = 0; i < in.count; ++i) undefined |= w.undefined_in(register_of(in, i, 1));
  undefined &= mask;
  const bool strong = (in.flags & kStrong) != 0;
  if (space != Space::local) ++w.cta->cluster->progress;
  const bool releases = (in.flags & kRelease) != 0;
  const Access access{
      .write = true, .strong = strong, .atomic = releases, .by_lane = true, .diverged = mask != w.live()};
  if (space != Space::local && space != Space::global && w.cta->launch->settings.race_checks)
    check_lanes_agree<M, R>(w, in, mask, at);
  Place places[kWarpSize];
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    if (releases) w.cta->order.fence(w.index);
    places[l] = place(w, l, space, at[l], bytes, access);
    if (places[l].repeats) [[unlikely]]
      check_repeated<M, R>(w, in, l, places[l]);
    if (strong && is_global(space, at[l])) {
      w.cta->launch->global.release(w.cta->order, at[l]);
      if (w.cta->warps.size() > 1) {
        w.cta->strong_accesses(at[l]).join(w.view);
        w.tick();
      }
    }
    if (releases && is_shared(space, at[l])) {
      shared_updates(w, in, l, at[l]).join(w.view);
      w.tick();
    }
    if (!places[l].defined || undefined != 0) define_stored(w, in, l, at[l], places[l], undefined);
  }
  for (u32 i = 0; i < in.count; ++i) {
    const R* s = w.source<R>(register_of(in, i, 1));
    for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
      const int l = std::countr_zero(rest);
      const M value = static_cast<M>(s[l]);
      [[maybe_unused]] const auto lock = lock_wide<M>(in, at[l]);
      std::memcpy(places[l].data + i * sizeof(M), &value, sizeof(M));
    }
  }
}

/// Reads the register list of a load or store into a[first] or more.
void take_registers(Decoder& d, Instr& in, const ptx::Operand& operand, Type type, std::size_t first, bool load) {
  const auto one = [&](const ptx::Operand& o) {
    if (!load) return d.source(o, type, true);
    return d.is_sink(o) ? Arg{} : d.destination(o, type, true);
  };
  in.width = static_cast<u8>(size_of(type));
  if (in.count == 1) {
    in.a[first] = one(operand.kind == ptx::Operand::Kind::vector ? operand.items.at(0) : operand);
    return;
  }
  if (operand.kind != ptx::Operand::Kind::vector || operand.items.size() != in.count) {
    d.unsupported("expected " + std::to_string(in.count) + " registers in braces");
  }
  std::vector<Arg> args;
  for (const auto& item : operand.items) args.push_back(one(item));
  d.set_more(in, args);
}

/// Bytes of the registers of the list; they must agree.
u32 register_bytes(const Instr& in, std::size_t first) {
  if (in.count == 1) return in.a[first].bytes;
  for (u32 i = 0; i < in.more_count; ++i) {
    if (in.more[i].bytes != 0) return in.more[i].bytes;
  }
  return in.width;
}

template <template <class, class> class Op>
Handler pick(Decoder& d, u32 memory, u32 reg, bool sign) {
  const u32 key = memory * 32 + (reg < 2 ? 2 : reg);
  switch (key) {
    case 1 * 32 + 2:
      return sign ? Op<s8, s16>::run : Op<u8, u16>::run;
    case 1 * 32 + 4:
      return sign ? Op<s8, s32>::run : Op<u8, u32>::run;
    case 1 * 32 + 8:
      return sign ? Op<s8, s64>::run : Op<u8, u64>::run;
    case 2 * 32 + 2:
      return Op<u16, u16>::run;
    case 2 * 32 + 4:
      return sign ? Op<s16, s32>::run : Op<u16, u32>::run;
    case 2 * 32 + 8:
      return sign ? Op<s16, s64>::run : Op<u16, u64>::run;
    case 4 * 32 + 4:
      return Op<u32, u32>::run;
    case 4 * 32 + 8:
      return sign ? Op<s32, s64>::run : Op<u32, u64>::run;
    case 8 * 32 + 8:
      return Op<u64, u64>::run;
    case 16 * 32 + 16:
      return Op<unsigned __int128, unsigned __int128>::run;
    default:
      d.unsupported("expected a register that holds the type");
  }
}
template <class M, class R>
struct Load {
  static constexpr Handler run = ld<M, R>;
};
template <class M, class R>
struct LoadParam {
  static constexpr Handler run = ld_param<M, R>;
};
template <class M, class R>
struct Store {
  static constexpr Handler run = st<M, R>;
};

u32 take_vector(Decoder& d) {
  const std::string_view v = d.take_one_of({"v2", "v4", "v8"});
  return v.empty() ? 1 : static_cast<u32>(v[1] - '0');
}

void decode_ld(Decoder& d, Instr& in) {
  const Ordering ordering = take_ordering(d);
  const Space space = take_space(d);
  take_cache_hints(d);
  d.take("unified");
  in.count = static_cast<u8>(take_vector(d));
  const Type t = d.need_type();
  if (size_of(t) == 0 || t == Type::pred) d.unsupported("expected a type of 8 to 128 bits");
  in.flags = static_cast<u32>(space) | ordering_flags(ordering) | (is_signed(t) ? kSigned : 0);
  in.kind = Kind::memory;
  take_registers(d, in, d.operand(0), t, 0, true);
  in.a[1] = d.address(d.operand(1), space, in);
  const u32 reg = register_bytes(in, 0);
  const bool fixed = d.is_param_name(d.operand(1));
  if (fixed) in.immediate += static_cast<s64>(d.param_slot(d.operand(1)).offset);
  if (fixed && !(d.is_entry() && d.is_formal_parameter(d.operand(1)))) {
    in.run = ld_param_frame;
  } else if (fixed) {
    in.run = pick<LoadParam>(d, size_of(t), reg, is_signed(t));
  } else {
    if (space == Space::param && !d.is_entry()) d.unsupported("expected a .param variable by name");
    in.run = pick<Load>(d, size_of(t), reg, is_signed(t));
  }
}

void decode_st(Decoder& d, Instr& in) {
  if (d.take("async")) {
    decode_store_async(d, in);
    return;
  }
  const Ordering ordering = take_ordering(d);
  const Space space = take_space(d);
  take_cache_hints(d);
  in.count = static_cast<u8>(take_vector(d));
  const Type t = d.need_type();
  if (size_of(t) == 0 || t == Type::pred) d.unsupported("expected a type of 8 to 128 bits");
  in.flags = static_cast<u32>(space) | ordering_flags(ordering);
  in.kind = Kind::memory;
  take_registers(d, in, d.operand(1), t, 1, false);
  if (space == Space::param) {
    in.immediate = d.operand(0).integer + static_cast<s64>(d.param_slot(d.operand(0)).offset);
    in.run = st_param_frame;
    return;
  }
  in.a[0] = d.address(d.operand(0), space, in);
  in.run = pick<Store>(d, size_of(t), register_bytes(in, 1), false);
}

/// prefetch, prefetchu, applypriority, discard, createpolicy: hints. createpolicy's result is only handed on.
void decode_prefetch(Decoder& d, Instr& in) {
  take_space(d);
  d.take_one_of({"tensormap"});
  d.take_one_of({"L1", "L2", "L2::evict_last", "L2::evict_normal"});
  d.take_one_of({"L2::128B"});
  in.run = nullptr;
}
/// 9.7.9.17 discard: 128 bytes hold nothing from here on.
void decode_discard(Decoder& d, Instr& in) {
  take_space(d);
  d.take("L2");
  if (d.integer(d.operand(1)) != 128) d.unsupported("expected 128 bytes");
  in.kind = Kind::memory;
  in.a[0] = d.address(d.operand(0), Space::global, in);
  in.run = [](Warp& w, const Instr& i, Lanes mask) {
    alignas(64) u64 at[kWarpSize];
    addresses(w, i.a[0], i.immediate, mask, at);
    for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
      const int l = std::countr_zero(rest);
      if (at[l] % 128 != 0) w.fail(Check::misaligned, Lanes{1} << l, "discard takes a multiple of 128");
      const Place p = place_global(w, i, Lanes{1} << l, at[l], 128, {true, false, false});
      std::memset(p.states, static_cast<int>(ByteState::undefined), 128);
    }
  };
}
void decode_createpolicy(Decoder& d, Instr& in) {
  while (!d.take_any().empty()) {
  }
  in.kind = Kind::move;
  in.a[0] = d.destination(d.operand(0), Type::b64);
  in.run = [](Warp& w, const Instr& i, Lanes mask) {
    for_lanes(w.at<u64>(i.a[0]), mask, [](int) { return u64{1}; });
    w.define(i.a[0], mask, 0);
  };
}

}  // namespace

void add_memory(OpTable& table) {
  table["ld"] = decode_ld;
  table["ldu"] = decode_ld;
  table["st"] = decode_st;
  table["prefetch"] = decode_prefetch;
  table["prefetchu"] = decode_prefetch;
  table["applypriority"] = decode_prefetch;
  table["discard"] = decode_discard;
  table["createpolicy"] = decode_createpolicy;
}

}  // namespace vgpu::VGPU_LEVEL
