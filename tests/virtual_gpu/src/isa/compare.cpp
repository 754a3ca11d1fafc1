// Comparison and selection. PTX ISA, 9.7.6 "Comparison and Selection Instructions", 9.7.7 (half precision).
#include "isa/families.h"
#include "isa/half_formats.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

enum Relation : u32 { kEq, kNe, kLt, kLe, kGt, kGe };
enum Combine : u32 { kOnly, kAnd, kOr, kXor };

/// How a comparison is written: relation, whether an unordered pair satisfies it, num or nan.
struct Comparison {
  Relation relation = kEq;
  bool unordered = false;
  u32 test = 0;  ///< 1: num, 2: nan
};

template <class T, Relation kRelation>
inline bool compare(T a, T b) {
  switch (kRelation) {
    case kEq:
      return a == b;
    case kNe:
      return a < b || a > b;
    case kLt:
      return a < b;
    case kLe:
      return a <= b;
    case kGt:
      return a > b;
    default:
      return a >= b;
  }
}

template <class T>
struct Plain {
  using Storage = T;
  using Value = T;
  static T value(T v) { return v; }
};
struct Flushed {
  using Storage = float;
  using Value = float;
  static float value(float v) {
    const u32 bits = std::bit_cast<u32>(v);
    return (bits & 0x7f800000u) == 0 ? 0.0f : v;
  }
};
template <class Format>
struct Short {
  using Storage = u16;
  using Value = float;
  static float value(u16 v) { return Format::to_float(v); }
};

/// One bit a lane of a[l] relation b[l].
template <class V, Relation kRelation>
Lanes compare_lanes(const void* first, const void* second) {
  const auto* a = static_cast<const typename V::Storage*>(first);
  const auto* b = static_cast<const typename V::Storage*>(second);
  return bits_of([=](int l) { return compare<typename V::Value, kRelation>(V::value(a[l]), V::value(b[l])); });
}
template <class V>
Lanes unordered_lanes(const void* first, const void* second) {
  const auto* a = static_cast<const typename V::Storage*>(first);
  const auto* b = static_cast<const typename V::Storage*>(second);
  return bits_of([=](int l) {
    const auto x = V::value(a[l]);
    const auto y = V::value(b[l]);
    return x != x || y != y;
  });
}

/// Flags: bit 0 unordered counts as true; bits 1, 2 combine; bits 3, 4 test for num (1) or nan (2) instead of the
/// relation.
template <class V, Relation kRelation>
Lanes relation_lanes(const Warp& w, const Instr& in) {
  const void* a = w.source<u8>(in.a[2]);
  const void* b = w.source<u8>(in.a[3]);
  const u32 test = in.flags >> 3 & 3;
  if (test != 0) return test == 1 ? ~unordered_lanes<V>(a, b) : unordered_lanes<V>(a, b);
  const Lanes result = compare_lanes<V, kRelation>(a, b);
  return (in.flags & 1) != 0 ? result | unordered_lanes<V>(a, b) : result;
}

template <class V, Relation kRelation>
void setp(Warp& w, const Instr& in, Lanes mask) {
  Lanes result = relation_lanes<V, kRelation>(w, in);
  Lanes undefined = w.undefined_in(in.a[2]) | w.undefined_in(in.a[3]);
  Lanes inverse = ~result;
  const u32 combine = in.flags >> 1 & 3;
  if (combine != kOnly) {
    const Lanes c = w.predicate(in.a[4]);
    undefined |= w.undefined_in(in.a[4]);
    result = combine == kAnd ? result & c : combine == kOr ? result | c : result ^ c;
    inverse = combine == kAnd ? inverse & c : combine == kOr ? inverse | c : inverse ^ c;
  }
  w.set_predicate(in.a[0], mask, result);
  w.define(in.a[0], mask, undefined);
  if (in.a[1].bytes != 0) {
    w.set_predicate(in.a[1], mask, inverse);
    w.define(in.a[1], mask, undefined);
  }
}

/// set: the comparison as 1.0 or all ones. 9.7.6.1.
template <class V, Relation kRelation>
void set(Warp& w, const Instr& in, Lanes mask) {
  const Lanes result = relation_lanes<V, kRelation>(w, in);
  const u32 yes = in.count == 0 ? 0xffffffffu : 0x3f800000u;
  for_lanes(w.at<u32>(in.a[0]), mask, [=](int l) { return (result >> l & 1) != 0 ? yes : 0; });
  w.define(in.a[0], mask, w.undefined_in(in.a[2]) | w.undefined_in(in.a[3]));
}

template <class V>
void set_pair(Warp& w, const Instr& in, Lanes mask) {
  // setp and set on f16x2 and bf16x2 compare the halves; flags as for setp, relation in `count`.
  const u32* a = w.source<u32>(in.a[2]);
  const u32* b = w.source<u32>(in.a[3]);
  const bool unordered = (in.flags & 1) != 0;
  const auto holds = [&](u32 x, u32 y) {
    const float p = V::value(static_cast<u16>(x)), q = V::value(static_cast<u16>(y));
    if (p != p || q != q) return unordered;
    switch (static_cast<Relation>(in.count)) {
      case kEq:
        return p == q;
      case kNe:
        return p != q;
      case kLt:
        return p < q;
      case kLe:
        return p <= q;
      case kGt:
        return p > q;
      default:
        return p >= q;
    }
  };
  const Lanes low = bits_of([&](int l) { return holds(a[l], b[l]); });
  const Lanes high = bits_of([&](int l) { return holds(a[l] >> 16, b[l] >> 16); });
  const Lanes undefined = w.undefined_in(in.a[2]) | w.undefined_in(in.a[3]);
  if (in.width != 0) {
    const u32 yes = in.width == 1 ? 0xffffu : in.width == 2 ? Half::kOne : Bfloat::kOne;
    for_lanes(w.at<u32>(in.a[0]), mask,
              [=](int l) { return ((low >> l & 1) != 0 ? yes : 0) | ((high >> l & 1) != 0 ? yes << 16 : 0); });
    w.define(in.a[0], mask, undefined);
    return;
  }
  const u32 combine = in.flags >> 1 & 3;
  const Lanes c = combine == kOnly ? kAllLanes : w.predicate(in.a[4]);
  const auto combined = [&](Lanes x) { return combine == kOr ? x | c : combine == kXor ? x ^ c : x & c; };
  const Lanes both_undefined = undefined | (combine == kOnly ? 0 : w.undefined_in(in.a[4]));
  w.set_predicate(in.a[0], mask, combined(low));
  w.define(in.a[0], mask, both_undefined);
  if (in.a[1].bytes != 0) {
    w.set_predicate(in.a[1], mask, combined(high));
    w.define(in.a[1], mask, both_undefined);
  }
}

// 9.7.6.3 selp: what is not chosen does not matter, not even to definedness.
template <class T>
void selp(Warp& w, const Instr& in, Lanes mask) {
  const Lanes p = w.predicate(in.a[3]), undefined = w.undefined_in(in.a[3]);
  const Lanes sources = w.undefined_in(in.a[1]) | w.undefined_in(in.a[2]) | undefined;
  define_bytes(w, in.a[0], mask, sources, [&](int l) {
    if (has(undefined, l)) return LaneBytes{0xffff, true};
    return lane_bytes(w, has(p, l) ? in.a[1] : in.a[2], l);
  });
  const T* a = w.source<T>(in.a[1]);
  const T* b = w.source<T>(in.a[2]);
  for_lanes(w.at<T>(in.a[0]), mask, [=](int l) { return (p >> l & 1) != 0 ? a[l] : b[l]; });
}
void selp_predicate(Warp& w, const Instr& in, Lanes mask) {
  const Lanes p = w.predicate(in.a[3]);
  w.set_predicate(in.a[0], mask, (w.predicate(in.a[1]) & p) | (w.predicate(in.a[2]) & ~p));
  w.define(in.a[0], mask, w.undefined_in(in.a[3]) | (w.undefined_in(in.a[1]) & p) | (w.undefined_in(in.a[2]) & ~p));
}

// 9.7.6.4 slct: a where c >= 0.
template <class T, class C>
void slct(Warp& w, const Instr& in, Lanes mask) {
  map3<T, T, T, C>(w, in, mask, [](T a, T b, C c) { return c >= C{0} ? a : b; });
}

Comparison comparison(Decoder& d, bool is_real) {
  static constexpr std::pair<std::string_view, Relation> kNames[] = {{"eq", kEq}, {"ne", kNe}, {"lt", kLt}, {"le", kLe},
                                                                     {"gt", kGt}, {"ge", kGe}, {"lo", kLt}, {"ls", kLe},
                                                                     {"hi", kGt}, {"hs", kGe}};
  static constexpr std::pair<std::string_view, Relation> kUnordered[] = {{"equ", kEq}, {"neu", kNe}, {"ltu", kLt},
                                                                         {"leu", kLe}, {"gtu", kGt}, {"geu", kGe}};
  for (const auto& [name, relation] : kNames) {
    if (d.take(name)) return {relation, false, 0};
  }
  if (is_real) {
    for (const auto& [name, relation] : kUnordered) {
      if (d.take(name)) return {relation, true, 0};
    }
    if (d.take("num")) return {kEq, false, 1};
    if (d.take("nan")) return {kEq, false, 2};
  }
  d.unsupported("expected a comparison");
}

template <class V>
Handler pick_setp(Relation r) {
  switch (r) {
    case kEq:
      return setp<V, kEq>;
    case kNe:
      return setp<V, kNe>;
    case kLt:
      return setp<V, kLt>;
    case kLe:
      return setp<V, kLe>;
    case kGt:
      return setp<V, kGt>;
    default:
      return setp<V, kGe>;
  }
}
template <class V>
Handler pick_set(Relation r) {
  switch (r) {
    case kEq:
      return set<V, kEq>;
    case kNe:
      return set<V, kNe>;
    case kLt:
      return set<V, kLt>;
    case kLe:
      return set<V, kLe>;
    case kGt:
      return set<V, kGt>;
    default:
      return set<V, kGe>;
  }
}

u32 take_combine(Decoder& d) {
  const std::string_view op = d.take_one_of({"and", "or", "xor"});
  return op == "and" ? kAnd : op == "or" ? kOr : op == "xor" ? kXor : kOnly;
}

void take_setp_operands(Decoder& d, Instr& in, Type t, u32 combine) {
  const ptx::Operand& result = d.operand(0);
  if (result.kind == ptx::Operand::Kind::pair) {
    in.a[0] = d.destination(result.items[0], Type::pred);
    in.a[1] = d.destination(result.items[1], Type::pred);
  } else {
    in.a[0] = d.destination(result, Type::pred);
  }
  in.a[2] = d.source(d.operand(1), t);
  in.a[3] = d.source(d.operand(2), t);
  if (combine != kOnly) in.a[4] = d.predicate(d.operand(3));
}

void decode_setp(Decoder& d, Instr& in) {
  const bool ftz = d.take("ftz");
  const u32 combine = take_combine(d);
  const Type t = d.need_type();
  const Comparison c = comparison(d, is_float(t));
  take_setp_operands(d, in, t, combine);
  in.flags = (c.unordered ? 1u : 0u) | combine << 1 | c.test << 3;
  in.kind = is_float(t) ? Kind::floating : Kind::integer;
  const bool wide = size_of(t) == 8;
  switch (t) {
    case Type::f32:
      in.run = ftz ? pick_setp<Flushed>(c.relation) : pick_setp<Plain<float>>(c.relation);
      break;
    case Type::f64:
      in.run = pick_setp<Plain<double>>(c.relation);
      break;
    case Type::f16:
      in.run = pick_setp<Short<Half>>(c.relation);
      break;
    case Type::bf16:
      in.run = pick_setp<Short<Bfloat>>(c.relation);
      break;
    case Type::f16x2:
    case Type::bf16x2:
      in.count = static_cast<u8>(c.relation);
      in.run = t == Type::f16x2 ? set_pair<Short<Half>> : set_pair<Short<Bfloat>>;
      break;
    case Type::s16:
      in.run = pick_setp<Plain<s16>>(c.relation);
      break;
    case Type::s32:
      in.run = pick_setp<Plain<s32>>(c.relation);
      break;
    case Type::s64:
      in.run = pick_setp<Plain<s64>>(c.relation);
      break;
    case Type::b16:
    case Type::u16:
      in.run = pick_setp<Plain<u16>>(c.relation);
      break;
    default:
      in.run = wide ? pick_setp<Plain<u64>>(c.relation) : pick_setp<Plain<u32>>(c.relation);
  }
}

void decode_set(Decoder& d, Instr& in) {
  const bool ftz = d.take("ftz");
  if (take_combine(d) != kOnly) d.unsupported("expected set without a combining predicate");
  const Type to = d.need_type(), t = d.need_type();
  const Comparison c = comparison(d, is_float(t));
  in.flags = (c.unordered ? 1u : 0u) | c.test << 3;
  in.kind = is_float(t) ? Kind::floating : Kind::integer;
  in.a[0] = d.destination(d.operand(0), to, size_of(to) == 4);
  in.a[2] = d.source(d.operand(1), t);
  in.a[3] = d.source(d.operand(2), t);
  if (t == Type::f16x2 || t == Type::bf16x2) {
    in.count = static_cast<u8>(c.relation);
    in.width = to == Type::f16x2 ? 2 : to == Type::bf16x2 ? 3 : 1;
    in.run = t == Type::f16x2 ? set_pair<Short<Half>> : set_pair<Short<Bfloat>>;
    return;
  }
  if (size_of(to) != 4) d.unsupported("expected a result of 32 bits");
  in.count = to == Type::f32 ? 1 : 0;
  switch (t) {
    case Type::f32:
      in.run = ftz ? pick_set<Flushed>(c.relation) : pick_set<Plain<float>>(c.relation);
      break;
    case Type::f64:
      in.run = pick_set<Plain<double>>(c.relation);
      break;
    case Type::f16:
      in.run = pick_set<Short<Half>>(c.relation);
      break;
    case Type::bf16:
      in.run = pick_set<Short<Bfloat>>(c.relation);
      break;
    case Type::s32:
      in.run = pick_set<Plain<s32>>(c.relation);
      break;
    case Type::b32:
    case Type::u32:
      in.run = pick_set<Plain<u32>>(c.relation);
      break;
    default:
      d.unsupported("expected a type of 32 bits or a floating-point type");
  }
}

void decode_selp(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t, t, Type::pred});
  in.kind = Kind::move;
  in.run = t == Type::pred ? selp_predicate : size_of(t) == 2 ? selp<u16> : size_of(t) == 4 ? selp<u32> : selp<u64>;
}

void decode_slct(Decoder& d, Instr& in) {
  d.take("ftz");
  const Type t = d.need_type(), c = d.need_type();
  take_operands(d, in, t, {t, t, c});
  in.kind = Kind::move;
  const u32 size = size_of(t);
  if (c == Type::s32) {
    in.run = size == 2 ? slct<u16, s32> : size == 4 ? slct<u32, s32> : slct<u64, s32>;
  } else {
    in.run = size == 2 ? slct<u16, float> : size == 4 ? slct<u32, float> : slct<u64, float>;
  }
}

}  // namespace

void add_compare(OpTable& table) {
  table["setp"] = decode_setp;
  table["set"] = decode_set;
  table["selp"] = decode_selp;
  table["slct"] = decode_slct;
}

}  // namespace vgpu::VGPU_LEVEL
