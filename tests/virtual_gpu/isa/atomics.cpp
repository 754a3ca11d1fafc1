// Atomics and reductions in memory. PTX ISA, 9.7.13.5 atom, 9.7.13.6 red.
#include <mutex>

#include "isa/addressing.h"
#include "isa/families.h"
#include "isa/half_formats.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

using ptx::Space;

/// What the checks record of a location and its update go together.
std::mutex& location_lock(u64 address) {
  static std::mutex locks[64];
  return locks[address / 16 % 64];
}

// The operations, on one element's bits. `b` and `c` are the operands. 9.7.13.5.
template <class T>
struct AddInt {
  static T apply(T old, T b, T) { return static_cast<T>(old + b); }
};
template <class T>
struct Exchange {
  static T apply(T, T b, T) { return b; }
};
template <class T>
struct CompareAndSwap {
  static T apply(T old, T b, T c) { return old == b ? c : old; }
};
template <class T>
struct And {
  static T apply(T old, T b, T) { return old & b; }
};
template <class T>
struct Or {
  static T apply(T old, T b, T) { return old | b; }
};
template <class T>
struct Xor {
  static T apply(T old, T b, T) { return old ^ b; }
};
template <class T>
struct Min {
  static T apply(T old, T b, T) { return b < old ? b : old; }
};
template <class T>
struct Max {
  static T apply(T old, T b, T) { return b > old ? b : old; }
};
struct Increment {
  static u32 apply(u32 old, u32 b, u32) { return old >= b ? 0 : old + 1; }
};
struct Decrement {
  static u32 apply(u32 old, u32 b, u32) { return old == 0 || old > b ? b : old - 1; }
};
struct AddFloat {
  static u32 apply(u32 old, u32 b, u32) {
    return std::bit_cast<u32>(std::bit_cast<float>(old) + std::bit_cast<float>(b));
  }
};
struct AddDouble {
  static u64 apply(u64 old, u64 b, u64) {
    return std::bit_cast<u64>(std::bit_cast<double>(old) + std::bit_cast<double>(b));
  }
};

struct AddF {
  static float apply(float a, float b) { return a + b; }
};
struct MinF {
  static float apply(float a, float b) { return a != a ? b : b != b ? a : b < a ? b : a; }
};
struct MaxF {
  static float apply(float a, float b) { return a != a ? b : b != b ? a : b > a ? b : a; }
};
template <class Format, class Op>
struct Half1 {
  static u16 apply(u16 old, u16 b, u16) {
    return Format::from_float(Op::apply(Format::to_float(old), Format::to_float(b)));
  }
};
template <class Format, class Op>
struct Half2 {
  static u32 apply(u32 old, u32 b, u32) {
    const u32 low = Half1<Format, Op>::apply(static_cast<u16>(old), static_cast<u16>(b), 0);
    const u32 high = Half1<Format, Op>::apply(static_cast<u16>(old >> 16), static_cast<u16>(b >> 16), 0);
    return low | high << 16;
  }
};

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
  Lanes old_undefined = 0;
  T old[8][kWarpSize];
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    const bool global = is_global(space, at[l]);
    if (global && (in.flags & kRelease) != 0) w.cta->order.fence(w.index);
    const Place p = place(w, l, space, at[l], bytes, {true, true, true});
    if (!global && (in.flags & kReturns) != 0) {
      View& known = w.cta->shared_atomics[static_cast<u32>(at[l])];
      w.view.join(known);
      known.join(w.view);
      w.tick();
    }
    if (!p.defined) old_undefined |= Lanes{1} << l;
    {
      std::unique_lock<std::mutex> lock;
      if (global) {
        lock = std::unique_lock(location_lock(at[l]));
        w.cta->launch->global.acquire(w.cta->order, at[l]);
        w.cta->launch->global.release(w.cta->order, at[l]);
      }
      for (u32 i = 0; i < n; ++i) {
        // The host's own compare-and-swap: plain stores by other blocks take no lock.
        T* location = reinterpret_cast<T*>(p.data + i * sizeof(T));
        T value = __atomic_load_n(location, __ATOMIC_SEQ_CST), result;
        do {
          result = Op::apply(value, w.source<T>(element(in, 1, i))[l], w.source<T>(element(in, 2, i))[l]);
        } while (!__atomic_compare_exchange_n(location, &value, result, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
        old[i][l] = value;
        // An update that changes nothing, as a failed compare-and-swap, is no progress.
        if (result != value) ++w.cta->cluster->progress;
      }
      // Again, behind the update: a plain strong store may have come between, its release recorded before it.
      if (global) w.cta->launch->global.acquire(w.cta->order, at[l]);
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

template <template <class> class Op>
Handler by_size(Decoder& d, Type t) {
  switch (size_of(t)) {
    case 2:
      return update<u16, Op<u16>>;
    case 4:
      return update<u32, Op<u32>>;
    case 8:
      return update<u64, Op<u64>>;
    default:
      d.unsupported("expected a type of 16, 32 or 64 bits");
  }
}

template <class Op>
Handler half(Decoder& d, Type t) {
  switch (t) {
    case Type::f16:
      return update<u16, Half1<Half, Op>>;
    case Type::bf16:
      return update<u16, Half1<Bfloat, Op>>;
    case Type::f16x2:
      return update<u32, Half2<Half, Op>>;
    case Type::bf16x2:
      return update<u32, Half2<Bfloat, Op>>;
    default:
      d.unsupported("expected a type that this operation takes");
  }
}

Handler pick(Decoder& d, std::string_view op, Type t) {
  if (op == "exch") return by_size<Exchange>(d, t);
  if (op == "cas") return by_size<CompareAndSwap>(d, t);
  if (op == "and") return by_size<And>(d, t);
  if (op == "or") return by_size<Or>(d, t);
  if (op == "xor") return by_size<Xor>(d, t);
  if (op == "inc" && t == Type::u32) return update<u32, Increment>;
  if (op == "dec" && t == Type::u32) return update<u32, Decrement>;
  if (op == "add") {
    if (t == Type::f32) return update<u32, AddFloat>;
    if (t == Type::f64) return update<u64, AddDouble>;
    return is_float(t) ? half<AddF>(d, t) : by_size<AddInt>(d, t);
  }
  const bool least = op == "min";
  if (op == "min" || op == "max") {
    switch (t) {
      case Type::u32:
        return least ? update<u32, Min<u32>> : update<u32, Max<u32>>;
      case Type::s32:
        return least ? update<s32, Min<s32>> : update<s32, Max<s32>>;
      case Type::u64:
        return least ? update<u64, Min<u64>> : update<u64, Max<u64>>;
      case Type::s64:
        return least ? update<s64, Min<s64>> : update<s64, Max<s64>>;
      default:
        return least ? half<MinF>(d, t) : half<MaxF>(d, t);
    }
  }
  d.unsupported("expected an operation of atom or red");
}

void decode(Decoder& d, Instr& in) {
  const bool returns = d.opcode() == "atom";
  Ordering ordering = take_ordering(d);
  ordering.strong = true;
  const Space space = take_space(d);
  if (d.take("async")) d.unsupported("expected a synchronous reduction");
  const std::string_view op = d.take_one_of({"and", "or", "xor", "exch", "cas", "add", "inc", "dec", "min", "max"});
  d.take("noftz");
  d.take("L2::cache_hint");
  const std::string_view vector = d.take_one_of({"v2", "v4", "v8"});
  const Type t = d.need_type();
  in.kind = Kind::memory;
  in.count = vector.empty() ? 1 : static_cast<u8>(vector[1] - '0');
  in.flags = static_cast<u32>(space) | ordering_flags(ordering) | (returns ? kReturns : 0);
  in.run = pick(d, op, t);
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
