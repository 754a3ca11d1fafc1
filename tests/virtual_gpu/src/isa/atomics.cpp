// Atomics and reductions in memory. PTX ISA, 9.7.13.5 atom, 9.7.13.6 red.
#include "isa/addressing.h"
#include "isa/atomic_ops.h"
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

using ptx::Space;

constexpr u32 kReturns = 1u << 12;

Arg element(const Instr& in, u32 list, u32 i) { return in.more[list * in.count + i]; }

/// more: `count` destinations (atom only, else empty), then `count` operands b, then `count` operands c.
template <class T, class Op>
void update(Warp& w, const Instr& in, Lanes mask) {
  alignas(64) u64 at[kWarpSize];
  addresses(w, in.a[0], in.immediate, mask, at);
  const auto space = static_cast<Space>(in.flags & 7);
  const u32 n = in.count, bytes = n * sizeof(T);
  if (space == Space::shared) {
    count_shared(w, mask, at, bytes);
  } else {
    count_global(w, mask, at, bytes);
  }
  Lanes operand_undefined = 0;
  for (u32 i = 0; i < 2 * n; ++i) operand_undefined |= w.undefined_in(in.more[n + i]);
  const bool acquires = (in.flags & kAcquire) != 0;
  Lanes old_undefined = 0;
  T old[8][kWarpSize];
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    const bool global = is_global(space, at[l]);
    if (global && (in.flags & kRelease) != 0) w.cta->order.fence(w.index);
    Access access{true, true, true};
    access.by_lane = global;
    const Place p = place(w, l, space, at[l], bytes, access);
    if ((global && w.cta->warps.size() > 1) || (!global && (in.flags & kReturns) != 0)) {
      View& known = global ? w.cta->strong_accesses(at[l]) : shared_updates(w, in, l, at[l]);
      w.view.join(known);
      known.join(w.view);
      w.tick();
    }
    if (!p.defined) old_undefined |= Lanes{1} << l;
    {
      std::unique_lock<std::mutex> lock;
      if (global) {
        lock = std::unique_lock(location_lock(at[l]));
        w.cta->launch->global.acquire(w.cta->order, w.index, at[l], acquires);
        w.cta->launch->global.release(w.cta->order, at[l]);
      }
      for (u32 i = 0; i < n; ++i) {
        const T b = w.source<T>(element(in, 1, i))[l], c = w.source<T>(element(in, 2, i))[l];
        old[i][l] = update_element<T, Op>(p.data + i * sizeof(T), b, c);
        // An update that changes nothing, as a failed compare-and-swap, is no progress.
        if (Op::apply(old[i][l], b, c) != old[i][l]) ++w.cta->cluster->progress;
      }
      // Again, after the update: a plain strong store may have come between, its release recorded before it.
      if (global) w.cta->launch->global.acquire(w.cta->order, w.index, at[l], acquires);
    }
    // An exchange defines; everything else computes from what was there.
    const bool bad = has(operand_undefined, l) || (!p.defined && !std::is_same_v<Op, Exchange<T>>);
    if (bad && global) {
      w.fail(Check::uninitialised, Lanes{1} << l,
             p.defined ? "a value that was never written is an operand of an atomic"
                       : "an atomic updates memory that was never written, " + w.cta->launch->memory.describe(at[l]));
    }
    if (bad || !p.defined)
      std::memset(p.states, static_cast<int>(bad ? ByteState::tainted : ByteState::defined), bytes);
  }
  if ((in.flags & kReturns) == 0) return;
  for (u32 i = 0; i < n; ++i) {
    const Arg d = element(in, 0, i);
    if (d.bytes == 0) continue;
    for_lanes(w.at<T>(d), mask, [&](int l) { return old[i][l]; });
    w.define(d, mask, old_undefined);
  }
}

void decode(Decoder& d, Instr& in) {
  const bool returns = d.opcode() == "atom";
  if (!returns && d.take("async")) {
    decode_reduce_async(d, in);
    return;
  }
  Ordering ordering = take_ordering(d);
  ordering.strong = true;
  const Space space = take_space(d);
  const std::string_view op = d.take_one_of({"and", "or", "xor", "exch", "cas", "add", "inc", "dec", "min", "max"});
  d.take("noftz");
  d.take("L2::cache_hint");
  const std::string_view vector = d.take_one_of({"v2", "v4", "v8"});
  const Type t = d.need_type();
  in.kind = Kind::memory;
  in.count = vector.empty() ? 1 : static_cast<u8>(vector[1] - '0');
  in.flags = static_cast<u32>(space) | ordering_flags(ordering) | (returns ? kReturns : 0);
  in.run = with_operation(op, t, []<class T, class Op>() -> Handler { return update<T, Op>; });
  if (in.run == nullptr) d.unsupported("expected an operation of atom or red, and a type that it takes");
  std::size_t at = returns ? 1 : 0;
  in.a[0] = d.address(d.operand(at++), space, in);
  std::vector<Arg> args;
  const auto list = [&](const ptx::Operand& operand, bool result) {
    const auto one = [&](const ptx::Operand& o) {
      args.push_back(result ? (d.is_sink(o) ? Arg{} : d.destination(o, t)) : d.source(o, t));
    };
    if (operand.kind != ptx::Operand::Kind::vector) {
      one(operand);
    } else {
      for (const auto& item : operand.items) one(item);
    }
  };
  if (returns) {
    list(d.operand(0), true);
  } else {
    args.resize(in.count);
  }
  list(d.operand(at++), false);
  if (op == "cas") {
    list(d.operand(at++), false);
  } else {
    args.resize(3u * in.count, d.constant(0, size_of(t)));
  }
  if (args.size() != 3u * in.count)
    d.unsupported("expected " + std::to_string(in.count) + " registers in each operand");
  d.set_more(in, args);
}

}  // namespace

void add_atomics(OpTable& table) {
  table["atom"] = decode;
  table["red"] = decode;
}

}  // namespace vgpu::VGPU_LEVEL
