// Integer arithmetic. PTX ISA, 9.7.1 "Integer Arithmetic Instructions" and 9.7.2 "Extended-Precision Integer
// Arithmetic".
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

template <class T>
using Unsigned = std::make_unsigned_t<T>;
/// Twice as wide.
template <class T>
struct WideOf;
template <>
struct WideOf<u16> {
  using type = u32;
};
template <>
struct WideOf<s16> {
  using type = s32;
};
template <>
struct WideOf<u32> {
  using type = u64;
};
template <>
struct WideOf<s32> {
  using type = s64;
};
template <>
struct WideOf<u64> {
  using type = unsigned __int128;
};
template <>
struct WideOf<s64> {
  using type = __int128;
};
template <class T>
using Wide = typename WideOf<T>::type;

constexpr s32 saturate(s64 v) {
  return static_cast<s32>(v > std::numeric_limits<s32>::max()   ? std::numeric_limits<s32>::max()
                          : v < std::numeric_limits<s32>::min() ? std::numeric_limits<s32>::min()
                                                                : v);
}

// 9.7.1.1 add, 9.7.1.2 sub: wrap around; .sat clamps .s32.
template <class T>
struct Add {
  static T apply(T a, T b) { return static_cast<T>(static_cast<u64>(a) + static_cast<u64>(b)); }
};
template <class T>
struct Sub {
  static T apply(T a, T b) { return static_cast<T>(static_cast<u64>(a) - static_cast<u64>(b)); }
};
template <class T>
struct AddSat {
  static T apply(T a, T b) { return saturate(s64{a} + b); }
};
template <class T>
struct SubSat {
  static T apply(T a, T b) { return saturate(s64{a} - b); }
};
// 9.7.1.3 mul, 9.7.1.4 mad: .lo and .hi halves of the full product; .wide keeps it all.
template <class T>
struct MulLo {
  static T apply(T a, T b) {
    return static_cast<T>(static_cast<Unsigned<Wide<T>>>(a) * static_cast<Unsigned<Wide<T>>>(b));
  }
};
template <>
struct MulLo<u64> {
  static u64 apply(u64 a, u64 b) { return a * b; }
};
template <>
struct MulLo<s64> {
  static s64 apply(s64 a, s64 b) { return static_cast<s64>(static_cast<u64>(a) * static_cast<u64>(b)); }
};
template <class T>
struct MulHi {
  static T apply(T a, T b) {
    return static_cast<T>((static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b)) >> (8 * sizeof(T)));
  }
};
template <class T>
struct MadLo {
  static T apply(T a, T b, T c) { return Add<T>::apply(MulLo<T>::apply(a, b), c); }
};
template <class T>
struct MadHi {
  static T apply(T a, T b, T c) { return Add<T>::apply(MulHi<T>::apply(a, b), c); }
};
template <class T>
struct MadHiSat {
  static T apply(T a, T b, T c) { return saturate(s64{MulHi<T>::apply(a, b)} + c); }
};
// 9.7.1.5 mul24, 9.7.1.6 mad24: the low 24 bits of each source; .lo is the product's low, .hi its bits 16 to 47.
template <class T>
T low24(T a) {
  return std::is_signed_v<T> ? static_cast<T>(static_cast<s32>(static_cast<u32>(a) << 8) >> 8)
                             : static_cast<T>(a & 0xffffff);
}
template <class T>
struct Mul24Lo {
  static T apply(T a, T b) { return MulLo<T>::apply(low24(a), low24(b)); }
};
template <class T>
struct Mul24Hi {
  static T apply(T a, T b) { return static_cast<T>((static_cast<Wide<T>>(low24(a)) * low24(b)) >> 16); }
};
template <class T>
struct Mad24Lo {
  static T apply(T a, T b, T c) { return Add<T>::apply(Mul24Lo<T>::apply(a, b), c); }
};
template <class T>
struct Mad24Hi {
  static T apply(T a, T b, T c) { return Add<T>::apply(Mul24Hi<T>::apply(a, b), c); }
};
// 9.7.1.7 sad
template <class T>
struct Sad {
  static T apply(T a, T b, T c) { return Add<T>::apply(c, a < b ? Sub<T>::apply(b, a) : Sub<T>::apply(a, b)); }
};
// 9.7.1.8 div, 9.7.1.9 rem: by zero is unspecified; here all ones, as the chips do, and the dividend.
template <class T>
struct Div {
  static T apply(T a, T b) {
    if (b == 0) return static_cast<T>(-1);
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return Sub<T>::apply(0, a);
    return static_cast<T>(a / b);
  }
};
template <class T>
struct Rem {
  static T apply(T a, T b) {
    if (b == 0) return a;
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return 0;
    return static_cast<T>(a % b);
  }
};
// 9.7.1.10 abs, 9.7.1.11 neg, 9.7.1.12 min, 9.7.1.13 max
template <class T>
struct Abs {
  static T apply(T a) { return a < 0 ? Sub<T>::apply(0, a) : a; }
};
template <class T>
struct Neg {
  static T apply(T a) { return Sub<T>::apply(0, a); }
};
template <class T>
struct Min {
  static T apply(T a, T b) { return a < b ? a : b; }
};
template <class T>
struct Max {
  static T apply(T a, T b) { return a > b ? a : b; }
};
template <class T>
struct MinRelu {
  static T apply(T a, T b) { return Max<T>::apply(Min<T>::apply(a, b), 0); }
};
template <class T>
struct MaxRelu {
  static T apply(T a, T b) { return Max<T>::apply(Max<T>::apply(a, b), 0); }
};

template <class T>
void mul_wide(Warp& w, const Instr& in, Lanes mask) {
  map2<Wide<T>, T, T>(w, in, mask, [](T a, T b) { return static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b); });
}
template <class T>
void mad_wide(Warp& w, const Instr& in, Lanes mask) {
  map3<Wide<T>, T, T, Wide<T>>(w, in, mask, [](T a, T b, Wide<T> c) {
    return Add<Wide<T>>::apply(static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b), c);
  });
}

// 9.7.2: carry in and out through CC.CF. `kIn`: adds the carry; `kOut`: writes it. Subtraction keeps the borrow.
template <class T, bool kSubtract, bool kIn, bool kOut>
void carry(Warp& w, const Instr& in, Lanes mask) {
  const T* a = w.source<T>(in.a[1]);
  const T* b = w.source<T>(in.a[2]);
  T* d = w.at<T>(in.a[0]);
  for (int l = 0; l < kWarpSize; ++l) {
    if (!has(mask, l)) continue;
    const unsigned __int128 c = kIn && has(w.carry, l) ? 1 : 0;
    const unsigned __int128 wide =
        kSubtract ? static_cast<unsigned __int128>(a[l]) - b[l] - c : static_cast<unsigned __int128>(a[l]) + b[l] + c;
    d[l] = static_cast<T>(wide);
    if (kOut) w.carry = (w.carry & ~(Lanes{1} << l)) | static_cast<Lanes>((wide >> (8 * sizeof(T)) & 1) != 0) << l;
  }
  w.define(in.a[0], mask, w.undefined_in(in.a[1]) | w.undefined_in(in.a[2]));
}
template <class T, bool kHigh, bool kIn, bool kOut>
void mad_carry(Warp& w, const Instr& in, Lanes mask) {
  const T* a = w.source<T>(in.a[1]);
  const T* b = w.source<T>(in.a[2]);
  const T* c = w.source<T>(in.a[3]);
  T* d = w.at<T>(in.a[0]);
  for (int l = 0; l < kWarpSize; ++l) {
    if (!has(mask, l)) continue;
    const T product = kHigh ? MulHi<T>::apply(a[l], b[l]) : MulLo<T>::apply(a[l], b[l]);
    const unsigned __int128 wide = static_cast<unsigned __int128>(static_cast<Unsigned<T>>(product)) +
                                   static_cast<Unsigned<T>>(c[l]) + (kIn && has(w.carry, l) ? 1 : 0);
    d[l] = static_cast<T>(wide);
    if (kOut) w.carry = (w.carry & ~(Lanes{1} << l)) | static_cast<Lanes>((wide >> (8 * sizeof(T)) & 1) != 0) << l;
  }
  w.define(in.a[0], mask, w.undefined_in(in.a[1]) | w.undefined_in(in.a[2]) | w.undefined_in(in.a[3]));
}

template <template <class> class Op>
Handler pick1(Decoder& d, Type t) {
  switch (t) {
    case Type::s16:
      return run1<Op, s16>;
    case Type::s32:
      return run1<Op, s32>;
    case Type::s64:
      return run1<Op, s64>;
    default:
      d.unsupported("expected .s16, .s32 or .s64");
  }
}
template <template <class> class Op>
Handler pick2(Decoder& d, Type t) {
  switch (t) {
    case Type::u16:
      return run2<Op, u16>;
    case Type::s16:
      return run2<Op, s16>;
    case Type::u32:
      return run2<Op, u32>;
    case Type::s32:
      return run2<Op, s32>;
    case Type::u64:
      return run2<Op, u64>;
    case Type::s64:
      return run2<Op, s64>;
    default:
      d.unsupported("expected an integer type of 16, 32 or 64 bits");
  }
}
template <template <class> class Op>
Handler pick3(Decoder& d, Type t) {
  switch (t) {
    case Type::u16:
      return run3<Op, u16>;
    case Type::s16:
      return run3<Op, s16>;
    case Type::u32:
      return run3<Op, u32>;
    case Type::s32:
      return run3<Op, s32>;
    case Type::u64:
      return run3<Op, u64>;
    case Type::s64:
      return run3<Op, s64>;
    default:
      d.unsupported("expected an integer type of 16, 32 or 64 bits");
  }
}
template <template <class> class Op>
Handler pick32(Decoder& d, Type t) {
  if (t == Type::u32) return run2<Op, u32>;
  if (t == Type::s32) return run2<Op, s32>;
  d.unsupported("expected .u32 or .s32");
}

template <template <class> class Op>
void decode_unary(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t});
  in.run = pick1<Op>(d, t);
  in.kind = Kind::integer;
}

bool is_pair(Type t) { return t == Type::u16x2 || t == Type::s16x2; }

/// min and max; .relu: below zero to zero.
template <template <class> class Op, template <class> class Relu>
void decode_minmax(Decoder& d, Instr& in) {
  const bool relu = d.take("relu");
  const Type t = d.need_type();
  in.kind = Kind::integer;
  if (is_pair(t)) {
    decode_pair(d, in, t, relu);
    return;
  }
  take_operands(d, in, t, {t, t});
  if (relu && t != Type::s32) d.unsupported("expected .s32 or .s16x2 with .relu");
  in.run = relu ? run2<Relu, s32> : pick2<Op>(d, t);
}

template <template <class> class Op>
void decode_binary(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t, t});
  in.run = pick2<Op>(d, t);
  in.kind = Kind::integer;
}

template <bool kSubtract>
void decode_add(Decoder& d, Instr& in) {
  const bool sat = d.take("sat"), out = d.take("cc");
  const Type t = d.need_type();
  in.kind = Kind::integer;
  if (!kSubtract && is_pair(t)) {
    if (sat || out) d.unsupported("expected no .sat and no .cc with .u16x2 and .s16x2");
    decode_pair(d, in, t, false);
    return;
  }
  take_operands(d, in, t, {t, t});
  if (out) {
    in.run = size_of(t) == 4 ? carry<u32, kSubtract, false, true> : carry<u64, kSubtract, false, true>;
  } else if (sat) {
    if (t != Type::s32) d.unsupported("expected .s32 with .sat");
    in.run = kSubtract ? run2<SubSat, s32> : run2<AddSat, s32>;
  } else {
    in.run = kSubtract ? pick2<Sub>(d, t) : pick2<Add>(d, t);
  }
}

template <bool kSubtract>
void decode_add_carry(Decoder& d, Instr& in) {
  const bool out = d.take("cc");
  const Type t = d.need_type();
  take_operands(d, in, t, {t, t});
  in.kind = Kind::integer;
  if (size_of(t) == 4) {
    in.run = out ? carry<u32, kSubtract, true, true> : carry<u32, kSubtract, true, false>;
  } else {
    in.run = out ? carry<u64, kSubtract, true, true> : carry<u64, kSubtract, true, false>;
  }
}

Type widened(Type t) {
  switch (t) {
    case Type::u16:
      return Type::u32;
    case Type::s16:
      return Type::s32;
    case Type::u32:
      return Type::u64;
    case Type::s32:
      return Type::s64;
    default:
      return Type::none;
  }
}

void decode_mul(Decoder& d, Instr& in) {
  const std::string_view part = d.take_one_of({"lo", "hi", "wide"});
  const Type t = d.need_type();
  in.kind = Kind::integer;
  if (part == "wide") {
    if (widened(t) == Type::none) d.unsupported("expected a type of 16 or 32 bits with .wide");
    take_operands(d, in, widened(t), {t, t});
    in.run = t == Type::u16   ? mul_wide<u16>
             : t == Type::s16 ? mul_wide<s16>
             : t == Type::u32 ? mul_wide<u32>
                              : mul_wide<s32>;
    return;
  }
  take_operands(d, in, t, {t, t});
  in.run = part == "hi" ? pick2<MulHi>(d, t) : pick2<MulLo>(d, t);
}

void decode_mad(Decoder& d, Instr& in) {
  const std::string_view part = d.take_one_of({"lo", "hi", "wide"});
  const bool sat = d.take("sat"), out = d.take("cc");
  const Type t = d.need_type();
  in.kind = Kind::integer;
  if (part == "wide") {
    if (widened(t) == Type::none) d.unsupported("expected a type of 16 or 32 bits with .wide");
    take_operands(d, in, widened(t), {t, t, widened(t)});
    in.run = t == Type::u16   ? mad_wide<u16>
             : t == Type::s16 ? mad_wide<s16>
             : t == Type::u32 ? mad_wide<u32>
                              : mad_wide<s32>;
    return;
  }
  take_operands(d, in, t, {t, t, t});
  if (out) {
    if (t != Type::u32 && t != Type::u64 && t != Type::s32) d.unsupported("expected .u32, .s32 or .u64 with .cc");
    const bool high = part == "hi";
    if (t == Type::s32 && high) {
      in.run = mad_carry<s32, true, false, true>;
    } else if (size_of(t) == 4) {
      in.run = high ? mad_carry<u32, true, false, true> : mad_carry<u32, false, false, true>;
    } else {
      in.run = high ? mad_carry<u64, true, false, true> : mad_carry<u64, false, false, true>;
    }
  } else if (sat) {
    if (t != Type::s32 || part != "hi") d.unsupported("expected .hi.sat.s32");
    in.run = run3<MadHiSat, s32>;
  } else {
    in.run = part == "hi" ? pick3<MadHi>(d, t) : pick3<MadLo>(d, t);
  }
}

void decode_madc(Decoder& d, Instr& in) {
  const bool high = d.take_one_of({"lo", "hi"}) == "hi";
  const bool out = d.take("cc");
  const Type t = d.need_type();
  if (t != Type::u32 && t != Type::u64) d.unsupported("expected .u32 or .u64");
  take_operands(d, in, t, {t, t, t});
  in.kind = Kind::integer;
  if (t == Type::u32) {
    in.run = high ? (out ? mad_carry<u32, true, true, true> : mad_carry<u32, true, true, false>)
                  : (out ? mad_carry<u32, false, true, true> : mad_carry<u32, false, true, false>);
  } else {
    in.run = high ? (out ? mad_carry<u64, true, true, true> : mad_carry<u64, true, true, false>)
                  : (out ? mad_carry<u64, false, true, true> : mad_carry<u64, false, true, false>);
  }
}

void decode_mul24(Decoder& d, Instr& in) {
  const bool high = d.take_one_of({"lo", "hi"}) == "hi";
  const Type t = d.need_type();
  take_operands(d, in, t, {t, t});
  in.run = high ? pick32<Mul24Hi>(d, t) : pick32<Mul24Lo>(d, t);
  in.kind = Kind::integer;
}

void decode_mad24(Decoder& d, Instr& in) {
  const bool high = d.take_one_of({"lo", "hi"}) == "hi";
  const Type t = d.need_type();
  if (t != Type::u32 && t != Type::s32) d.unsupported("expected .u32 or .s32");
  take_operands(d, in, t, {t, t, t});
  in.run = t == Type::u32 ? (high ? run3<Mad24Hi, u32> : run3<Mad24Lo, u32>)
                          : (high ? run3<Mad24Hi, s32> : run3<Mad24Lo, s32>);
  in.kind = Kind::integer;
}

void decode_sad(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t, t, t});
  in.run = pick3<Sad>(d, t);
  in.kind = Kind::integer;
}

}  // namespace

void add_integer(OpTable& table) {
  table["add:int"] = decode_add<false>;
  table["sub:int"] = decode_add<true>;
  table["addc"] = decode_add_carry<false>;
  table["subc"] = decode_add_carry<true>;
  table["mul:int"] = decode_mul;
  table["mad:int"] = decode_mad;
  table["madc"] = decode_madc;
  table["mul24"] = decode_mul24;
  table["mad24"] = decode_mad24;
  table["sad"] = decode_sad;
  table["div:int"] = decode_binary<Div>;
  table["rem"] = decode_binary<Rem>;
  table["abs:int"] = decode_unary<Abs>;
  table["neg:int"] = decode_unary<Neg>;
  table["min:int"] = decode_minmax<Min, MinRelu>;
  table["max:int"] = decode_minmax<Max, MaxRelu>;
}

}  // namespace vgpu::VGPU_LEVEL
