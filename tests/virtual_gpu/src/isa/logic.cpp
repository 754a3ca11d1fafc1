// Logic, bit by bit. PTX ISA, 9.7.8.1 to 9.7.8.6.
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

// 9.7.8.1 and, 9.7.8.2 or, 9.7.8.3 xor, 9.7.8.4 not, 9.7.8.5 cnot
template <class T>
struct And {
  static T apply(T a, T b) { return a & b; }
  /// A byte of the result is defined where a defined zero decides it.
  static constexpr int kDeciding = 0;
};
template <class T>
struct Or {
  static T apply(T a, T b) { return a | b; }
  static constexpr int kDeciding = 0xff;
};
template <class T>
struct Xor {
  static T apply(T a, T b) { return a ^ b; }
  static constexpr int kDeciding = -1;
};

template <template <class> class Op, class T>
void logic(Warp& w, const Instr& in, Lanes mask) {
  const T* a = w.source<T>(in.a[1]);
  const T* b = w.source<T>(in.a[2]);
  const Lanes sources = w.undefined_in(in.a[1]) | w.undefined_in(in.a[2]);
  define_bytes(w, in.a[0], mask, sources, [&](int l) {
    const LaneBytes x = lane_bytes(w, in.a[1], l), y = lane_bytes(w, in.a[2], l);
    u32 undefined = x.undefined | y.undefined;
    for (u32 i = 0; i < sizeof(T); ++i) {
      const bool a_decides = (x.undefined >> i & 1) == 0 && static_cast<int>(a[l] >> 8 * i & 0xff) == Op<T>::kDeciding;
      const bool b_decides = (y.undefined >> i & 1) == 0 && static_cast<int>(b[l] >> 8 * i & 0xff) == Op<T>::kDeciding;
      if (a_decides || b_decides) undefined &= ~(1u << i);
    }
    return LaneBytes{undefined, x.tainted || y.tainted};
  });
  for_lanes(w.at<T>(in.a[0]), mask, [=](int l) { return Op<T>::apply(a[l], b[l]); });
}

template <template <class> class Op>
void logic_predicate(Warp& w, const Instr& in, Lanes mask) {
  w.set_predicate(in.a[0], mask, Op<Lanes>::apply(w.predicate(in.a[1]), w.predicate(in.a[2])));
  // A defined false decides `and`, a defined true decides `or`.
  Lanes undefined = w.undefined_in(in.a[1]) | w.undefined_in(in.a[2]);
  if (undefined != 0 && Op<Lanes>::kDeciding >= 0) {
    const Lanes flip = Op<Lanes>::kDeciding == 0 ? kAllLanes : 0;
    undefined &= ~(~w.undefined_in(in.a[1]) & (w.predicate(in.a[1]) ^ flip)) &
                 ~(~w.undefined_in(in.a[2]) & (w.predicate(in.a[2]) ^ flip));
  }
  w.define(in.a[0], mask, undefined);
}

template <class T>
void bitwise_not(Warp& w, const Instr& in, Lanes mask) {
  define_bytes(w, in.a[0], mask, w.undefined_in(in.a[1]), [&](int l) { return lane_bytes(w, in.a[1], l); });
  const T* a = w.source<T>(in.a[1]);
  for_lanes(w.at<T>(in.a[0]), mask, [=](int l) { return static_cast<T>(~a[l]); });
}
void not_predicate(Warp& w, const Instr& in, Lanes mask) {
  w.set_predicate(in.a[0], mask, ~w.predicate(in.a[1]));
  w.define(in.a[0], mask, w.undefined_in(in.a[1]));
}
template <class T>
struct Cnot {
  static T apply(T a) { return a == 0 ? 1 : 0; }
};

// 9.7.8.6 lop3: any function of three bits, as a table of 8.
void lop3(Warp& w, const Instr& in, Lanes mask) {
  const u32 table = in.flags;
  const u32 m[8] = {table & 1 ? ~0u : 0,  table & 2 ? ~0u : 0,  table & 4 ? ~0u : 0,  table & 8 ? ~0u : 0,
                    table & 16 ? ~0u : 0, table & 32 ? ~0u : 0, table & 64 ? ~0u : 0, table & 128 ? ~0u : 0};
  map3<u32, u32, u32, u32>(w, in, mask, [=](u32 a, u32 b, u32 c) {
    return (~a & ((~b & ((~c & m[0]) | (c & m[1]))) | (b & ((~c & m[2]) | (c & m[3]))))) |
           (a & ((~b & ((~c & m[4]) | (c & m[5]))) | (b & ((~c & m[6]) | (c & m[7])))));
  });
}

/// d|p: whether any bit of the result is set, combined with a predicate. in.count: and rather than or.
void lop3_predicate(Warp& w, const Instr& in, Lanes mask) {
  const Lanes sources =
      w.undefined_in(in.a[1]) | w.undefined_in(in.a[2]) | w.undefined_in(in.a[3]) | w.undefined_in(in.a[4]);
  const Lanes q = w.predicate(in.a[4]);
  lop3(w, in, mask);
  const u32* d = w.source<u32>(in.a[0]);
  const Lanes set = bits_of([=](int l) { return d[l] != 0; });
  w.set_predicate(in.more[0], mask, in.count != 0 ? set & q : set | q);
  w.define(in.more[0], mask, sources);
}

template <template <class> class Op>
void decode_logic(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t, t});
  in.kind = Kind::integer;
  switch (t) {
    case Type::pred:
      in.run = logic_predicate<Op>;
      break;
    case Type::b16:
      in.run = logic<Op, u16>;
      break;
    case Type::b32:
      in.run = logic<Op, u32>;
      break;
    case Type::b64:
      in.run = logic<Op, u64>;
      break;
    default:
      d.unsupported("expected .pred, .b16, .b32 or .b64");
  }
}

void decode_not(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t});
  in.kind = Kind::integer;
  in.run = t == Type::pred   ? not_predicate
           : size_of(t) == 2 ? bitwise_not<u16>
           : size_of(t) == 4 ? bitwise_not<u32>
                             : bitwise_not<u64>;
}

void decode_cnot(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t});
  in.kind = Kind::integer;
  in.run = size_of(t) == 2 ? run1<Cnot, u16> : size_of(t) == 4 ? run1<Cnot, u32> : run1<Cnot, u64>;
}

void decode_lop3(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  const std::string_view combine = d.take_one_of({"or", "and"});
  const ptx::Operand& result = d.operand(0);
  in.a[0] = combine.empty()                 ? d.destination(result, t)
            : d.is_sink(result.items.at(0)) ? d.temporary(t)
                                            : d.destination(result.items[0], t);
  for (std::size_t i = 1; i <= 3; ++i) in.a[i] = d.source(d.operand(i), t);
  in.flags = static_cast<u32>(d.integer(d.operand(4)));
  in.run = lop3;
  if (!combine.empty()) {
    in.count = combine == "and" ? 1 : 0;
    in.a[4] = d.predicate(d.operand(5));
    d.set_more(in, {d.destination(result.items.at(1), Type::pred)});
    in.run = lop3_predicate;
  }
  in.kind = Kind::integer;
}

}  // namespace

void add_logic(OpTable& table) {
  table["and"] = decode_logic<And>;
  table["or"] = decode_logic<Or>;
  table["xor"] = decode_logic<Xor>;
  table["not"] = decode_not;
  table["cnot"] = decode_cnot;
  table["lop3"] = decode_lop3;
}

}  // namespace vgpu::VGPU_LEVEL
