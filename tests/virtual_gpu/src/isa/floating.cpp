// f32 and f64 arithmetic. PTX ISA, 9.7.3 "Floating-Point Instructions". Approximate forms are in transcendental.cpp.
#include <cfenv>

#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

/// Sets the rounding mode during its lifetime. Loads and stores of registers are not moved out of it.
class Rounding {
 public:
  explicit Rounding(int mode) : mode_(mode) {
    if (mode_ != FE_TONEAREST) std::fesetround(mode_);
    asm volatile("" ::: "memory");
  }
  ~Rounding() {
    asm volatile("" ::: "memory");
    if (mode_ != FE_TONEAREST) std::fesetround(FE_TONEAREST);
  }
  Rounding(const Rounding&) = delete;
  Rounding& operator=(const Rounding&) = delete;

 private:
  int mode_;
};

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, u32, u64>;

/// NaN results have one encoding, 0x7fffffff in f32 (9.7.3).
inline float canonical(float v) { return v != v ? std::bit_cast<float>(0x7fffffffu) : v; }
inline double canonical(double v) { return v != v ? std::bit_cast<double>(u64{0x7ff8000000000000}) : v; }

/// .ftz: subnormals become zeros of their sign.
template <bool kFtz, class T>
inline T flush(T v) {
  if constexpr (kFtz && sizeof(T) == 4) {
    const u32 bits = std::bit_cast<u32>(v);
    return std::bit_cast<float>((bits & 0x7f800000u) == 0 ? bits & 0x80000000u : bits);
  } else {
    return v;
  }
}
/// .sat: to [0, 1], NaN to 0.
template <bool kSat, class T>
inline T clamp(T v) {
  if constexpr (kSat) {
    return v > T{0} ? (v < T{1} ? v : T{1}) : T{0};
  } else {
    return v;
  }
}

// 9.7.3.3 add, 9.7.3.4 sub, 9.7.3.5 mul, 9.7.3.6 fma, 9.7.3.8 div, 9.7.3.13 rcp, 9.7.3.15 sqrt
template <class T>
struct Add {
  static T apply(T a, T b) { return a + b; }
};
template <class T>
struct Sub {
  static T apply(T a, T b) { return a - b; }
};
template <class T>
struct Mul {
  static T apply(T a, T b) { return a * b; }
};
template <class T>
struct Div {
  static T apply(T a, T b) { return a / b; }
};
template <class T>
struct Fma {
  static T apply(T a, T b, T c) { return std::fma(a, b, c); }
};
template <class T>
struct Rcp {
  static T apply(T a) { return T{1} / a; }
};
template <class T>
struct Sqrt {
  static T apply(T a) { return std::sqrt(a); }
};
template <class T>
struct Rsqrt {
  static T apply(T a) { return T{1} / std::sqrt(a); }
};

template <template <class> class Op, class T, bool kFtz, bool kSat>
void unary(Warp& w, const Instr& in, Lanes mask) {
  const Rounding rounding(static_cast<int>(in.flags));
  map1<T, T>(w, in, mask, [](T a) { return flush<kFtz>(clamp<kSat>(canonical(Op<T>::apply(flush<kFtz>(a))))); });
}
template <template <class> class Op, class T, bool kFtz, bool kSat>
void binary(Warp& w, const Instr& in, Lanes mask) {
  const Rounding rounding(static_cast<int>(in.flags));
  map2<T, T, T>(w, in, mask, [](T a, T b) {
    return flush<kFtz>(clamp<kSat>(canonical(Op<T>::apply(flush<kFtz>(a), flush<kFtz>(b)))));
  });
}
template <template <class> class Op, class T, bool kFtz, bool kSat>
void ternary(Warp& w, const Instr& in, Lanes mask) {
  const Rounding rounding(static_cast<int>(in.flags));
  map3<T, T, T, T>(w, in, mask, [](T a, T b, T c) {
    return flush<kFtz>(clamp<kSat>(canonical(Op<T>::apply(flush<kFtz>(a), flush<kFtz>(b), flush<kFtz>(c)))));
  });
}

// 9.7.3.9 abs, 9.7.3.10 neg, 9.7.3.2 copysign: bits alone, NaNs included.
template <class T, bool kFtz>
void abs_value(Warp& w, const Instr& in, Lanes mask) {
  map1<T, T>(w, in, mask, [](T a) {
    return std::bit_cast<T>(static_cast<Bits<T>>(std::bit_cast<Bits<T>>(flush<kFtz>(a)) & (~Bits<T>{0} >> 1)));
  });
}
template <class T, bool kFtz>
void negate(Warp& w, const Instr& in, Lanes mask) {
  map1<T, T>(w, in, mask, [](T a) {
    return std::bit_cast<T>(static_cast<Bits<T>>(std::bit_cast<Bits<T>>(flush<kFtz>(a)) ^ ~(~Bits<T>{0} >> 1)));
  });
}
template <class T>
void copysign(Warp& w, const Instr& in, Lanes mask) {
  map2<T, T, T>(w, in, mask, [](T a, T b) {
    constexpr Bits<T> kRest = ~Bits<T>{0} >> 1;
    return std::bit_cast<T>(
        static_cast<Bits<T>>((std::bit_cast<Bits<T>>(a) & ~kRest) | (std::bit_cast<Bits<T>>(b) & kRest)));
  });
}

// 9.7.3.11 min, 9.7.3.12 max: a NaN loses against a number unless .NaN; -0 is less than +0; .xorsign.abs takes the
// larger or smaller magnitude and the product's sign.
template <class T, bool kMax, bool kNan>
inline T least(T a, T b) {
  using B = Bits<T>;
  if (kNan && (a != a || b != b)) return canonical(std::numeric_limits<T>::quiet_NaN());
  const bool equal = a == b;
  const B both = kMax ? static_cast<B>(std::bit_cast<B>(a) & std::bit_cast<B>(b))
                      : static_cast<B>(std::bit_cast<B>(a) | std::bit_cast<B>(b));
  const T ordered = equal ? std::bit_cast<T>(both) : (kMax ? (a > b ? a : b) : (a < b ? a : b));
  return a != a ? canonical(b) : b != b ? a : ordered;
}
template <class T, bool kMax, bool kNan, bool kXorsign, bool kFtz>
void minmax(Warp& w, const Instr& in, Lanes mask) {
  map2<T, T, T>(w, in, mask, [](T a, T b) {
    a = flush<kFtz>(a);
    b = flush<kFtz>(b);
    if constexpr (kXorsign) {
      constexpr Bits<T> kRest = ~Bits<T>{0} >> 1;
      const Bits<T> sign = static_cast<Bits<T>>((std::bit_cast<Bits<T>>(a) ^ std::bit_cast<Bits<T>>(b)) & ~kRest);
      const T m = least<T, kMax, kNan>(std::bit_cast<T>(static_cast<Bits<T>>(std::bit_cast<Bits<T>>(a) & kRest)),
                                       std::bit_cast<T>(static_cast<Bits<T>>(std::bit_cast<Bits<T>>(b) & kRest)));
      return std::bit_cast<T>(static_cast<Bits<T>>(std::bit_cast<Bits<T>>(m) | sign));
    } else {
      return least<T, kMax, kNan>(a, b);
    }
  });
}
template <class T, bool kMax>
void minmax3(Warp& w, const Instr& in, Lanes mask) {
  map3<T, T, T, T>(w, in, mask, [](T a, T b, T c) { return least<T, kMax, false>(least<T, kMax, false>(a, b), c); });
}

// 9.7.3.1 testp
template <class T>
void testp(Warp& w, const Instr& in, Lanes mask) {
  const T* a = w.source<T>(in.a[1]);
  const u32 what = in.count;
  const Lanes bits = bits_of([=](int l) {
    switch (what) {
      case 0:
        return std::isfinite(a[l]);
      case 1:
        return std::isinf(a[l]);
      case 2:
        return a[l] == a[l];
      case 3:
        return a[l] != a[l];
      case 4:
        return std::fpclassify(a[l]) == FP_NORMAL;
      default:
        return std::fpclassify(a[l]) == FP_SUBNORMAL;
    }
  });
  w.set_predicate(in.a[0], mask, bits);
  w.define(in.a[0], mask, w.undefined_in(in.a[1]));
}

struct Options {
  Type type = Type::f32;
  bool ftz = false, sat = false, approximate = false;
};

Options options(Decoder& d, Instr& in) {
  Options o;
  const std::string_view rounding = d.take_one_of({"rn", "rz", "rm", "rp", "approx", "full"});
  in.flags = static_cast<u32>(rounding == "rz"   ? FE_TOWARDZERO
                              : rounding == "rm" ? FE_DOWNWARD
                              : rounding == "rp" ? FE_UPWARD
                                                 : FE_TONEAREST);
  o.approximate = rounding == "approx" || rounding == "full";
  o.ftz = d.take("ftz");
  o.sat = d.take("sat");
  o.type = d.need_type();
  if (o.type == Type::f64 && (o.sat || (o.ftz && rounding != "approx")))
    d.unsupported("expected .ftz and .sat with .f32 only");
  if (o.type != Type::f32 && o.type != Type::f64) d.unsupported("expected .f32 or .f64");
  in.kind = Kind::floating;
  return o;
}

/// rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64 look at the upper 32 bits alone and give no others. 9.7.3.14, 9.7.3.17.
template <template <class> class Op>
void upper_half(Warp& w, const Instr& in, Lanes mask) {
  map1<u64, u64>(w, in, mask, [](u64 a) {
    constexpr u64 kUpper = 0xffffffff00000000u, kExponent = 0x7ff0000000000000u, kSign = u64{1} << 63;
    const auto flushed = [](u64 v) { return (v & kExponent) == 0 ? v & kSign : v; };
    const double exact = Op<double>::apply(std::bit_cast<double>(flushed(a & kUpper)));
    return flushed(std::bit_cast<u64>(canonical(exact)) & kUpper);
  });
}

template <template <class> class Op>
void decode_unary(Decoder& d, Instr& in) {
  const Options o = options(d, in);
  if (o.sat) d.unsupported("expected no .sat");
  take_operands(d, in, o.type, {o.type});
  if (o.type == Type::f64 && o.ftz) {
    in.run = upper_half<Op>;
    return;
  }
  in.run = o.type == Type::f64 ? unary<Op, double, false, false>
           : o.ftz             ? unary<Op, float, true, false>
                               : unary<Op, float, false, false>;
}

template <template <class> class Op>
void decode_binary(Decoder& d, Instr& in) {
  const Options o = options(d, in);
  take_operands(d, in, o.type, {o.type, o.type});
  if (o.type == Type::f64) {
    in.run = binary<Op, double, false, false>;
  } else if (o.sat) {
    in.run = o.ftz ? binary<Op, float, true, true> : binary<Op, float, false, true>;
  } else {
    in.run = o.ftz ? binary<Op, float, true, false> : binary<Op, float, false, false>;
  }
}

void decode_fma(Decoder& d, Instr& in) {
  const Options o = options(d, in);
  take_operands(d, in, o.type, {o.type, o.type, o.type});
  if (o.type == Type::f64) {
    in.run = ternary<Fma, double, false, false>;
  } else if (o.sat) {
    in.run = o.ftz ? ternary<Fma, float, true, true> : ternary<Fma, float, false, true>;
  } else {
    in.run = o.ftz ? ternary<Fma, float, true, false> : ternary<Fma, float, false, false>;
  }
}

template <bool kNegate>
void decode_sign(Decoder& d, Instr& in) {
  const bool ftz = d.take("ftz");
  const Type t = d.need_type();
  take_operands(d, in, t, {t});
  in.kind = Kind::floating;
  if (kNegate) {
    in.run = t == Type::f64 ? negate<double, false> : ftz ? negate<float, true> : negate<float, false>;
  } else {
    in.run = t == Type::f64 ? abs_value<double, false> : ftz ? abs_value<float, true> : abs_value<float, false>;
  }
}

void decode_copysign(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t, t});
  in.run = t == Type::f64 ? copysign<double> : copysign<float>;
  in.kind = Kind::floating;
}

template <bool kMax>
void decode_minmax(Decoder& d, Instr& in) {
  const bool ftz = d.take("ftz"), nan = d.take("NaN"), sign = d.take("xorsign") && d.take("abs");
  const Type t = d.need_type();
  in.kind = Kind::floating;
  if (d.operand_count() == 4) {
    if (t != Type::f32 || nan || sign || ftz) d.unsupported("expected plain .f32 with three sources");
    take_operands(d, in, t, {t, t, t});
    in.run = minmax3<float, kMax>;
    return;
  }
  take_operands(d, in, t, {t, t});
  if (t == Type::f64) {
    in.run = minmax<double, kMax, false, false, false>;
  } else if (sign) {
    in.run = nan ? minmax<float, kMax, true, true, false> : minmax<float, kMax, false, true, false>;
  } else if (nan) {
    in.run = ftz ? minmax<float, kMax, true, false, true> : minmax<float, kMax, true, false, false>;
  } else {
    in.run = ftz ? minmax<float, kMax, false, false, true> : minmax<float, kMax, false, false, false>;
  }
}

void decode_testp(Decoder& d, Instr& in) {
  const std::string_view what = d.take_one_of({"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  in.count = what == "finite"       ? 0
             : what == "infinite"   ? 1
             : what == "number"     ? 2
             : what == "notanumber" ? 3
             : what == "normal"     ? 4
                                    : 5;
  const Type t = d.need_type();
  take_operands(d, in, Type::pred, {t});
  in.run = t == Type::f64 ? testp<double> : testp<float>;
  in.kind = Kind::floating;
}

}  // namespace

void add_floating(OpTable& table) {
  table["add:float"] = decode_binary<Add>;
  table["sub:float"] = decode_binary<Sub>;
  table["mul:float"] = decode_binary<Mul>;
  table["div:float"] = decode_binary<Div>;
  table["fma:float"] = decode_fma;
  table["mad:float"] = decode_fma;
  table["rcp:float"] = decode_unary<Rcp>;
  table["sqrt"] = decode_unary<Sqrt>;
  table["rsqrt:float"] = decode_unary<Rsqrt>;
  table["abs:float"] = decode_sign<false>;
  table["neg:float"] = decode_sign<true>;
  table["copysign"] = decode_copysign;
  table["min:float"] = decode_minmax<false>;
  table["max:float"] = decode_minmax<true>;
  table["testp"] = decode_testp;
}

}  // namespace vgpu::VGPU_LEVEL
