// Arithmetic on f16, f16x2, bf16 and bf16x2. PTX ISA, 9.7.4 "Half Precision Floating-Point Instructions".
// Each operation is done in f32 (fma in f64, rounded to odd) and rounded once: the wider formats have more than twice
// the bits plus two, so the result is the correctly rounded one.
#include "isa/families.h"
#include "isa/half_formats.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

// 9.7.4.1 add, 9.7.4.2 sub, 9.7.4.3 mul
struct Add {
  static float apply(float a, float b) { return a + b; }
};
struct Sub {
  static float apply(float a, float b) { return a - b; }
};
struct Mul {
  static float apply(float a, float b) { return a * b; }
};
// 9.7.4.7 min, 9.7.4.8 max: a NaN loses against a number unless .NaN.
template <bool kMax, bool kNan>
struct Least {
  static float apply(float a, float b) {
    const u32 x = std::bit_cast<u32>(a), y = std::bit_cast<u32>(b);
    const float equal = std::bit_cast<float>(kMax ? x & y : x | y);
    const float ordered = a == b ? equal : kMax ? (a > b ? a : b) : (a < b ? a : b);
    const float number = a != a ? b : b != b ? a : ordered;
    return kNan && (a != a || b != b) ? std::numeric_limits<float>::quiet_NaN() : number;
  }
};

enum Clamp : u32 { kNone, kSat, kRelu };

/// .sat: clamps to [0, 1], NaN becomes 0; .relu: negative values become 0, NaN remains NaN.
template <Clamp kClamp>
inline float clamp(float v) {
  if (kClamp == kSat) return v > 0 ? (v < 1 ? v : 1.0f) : 0.0f;
  if (kClamp == kRelu) return v < 0 ? 0.0f : v;
  return v;
}
/// .ftz flushes subnormal inputs and results of the 16-bit format.
template <class Format, bool kFtz>
inline float load(u16 v) {
  return Format::to_float(kFtz && (v & Format::kInfinity) == 0 ? static_cast<u16>(v & 0x8000) : v);
}
template <class Format, bool kFtz>
inline u16 store(float v) {
  const u16 h = Format::from_float(v);
  return kFtz && (h & Format::kInfinity) == 0 ? static_cast<u16>(h & 0x8000) : h;
}

template <class Format, class Op, Clamp kClamp, bool kFtz>
void binary(Warp& w, const Instr& in, Lanes mask) {
  map2<u16, u16, u16>(w, in, mask, [](u16 a, u16 b) {
    return store<Format, kFtz>(clamp<kClamp>(Op::apply(load<Format, kFtz>(a), load<Format, kFtz>(b))));
  });
}
template <class Format, class Op, Clamp kClamp, bool kFtz>
void binary2(Warp& w, const Instr& in, Lanes mask) {
  map2<u32, u32, u32>(w, in, mask, [](u32 a, u32 b) {
    const auto half = [](u32 x, u32 y) -> u32 {
      return store<Format, kFtz>(
          clamp<kClamp>(Op::apply(load<Format, kFtz>(static_cast<u16>(x)), load<Format, kFtz>(static_cast<u16>(y)))));
    };
    return half(a, b) | half(a >> 16, b >> 16) << 16;
  });
}

// 9.7.4.4 fma
template <class Format, Clamp kClamp, bool kFtz>
inline u16 fma(u16 a, u16 b, u16 c) {
  const double exact = fma_to_odd(load<Format, kFtz>(a), load<Format, kFtz>(b), load<Format, kFtz>(c));
  return store<Format, kFtz>(clamp<kClamp>(to_odd(exact)));
}
template <class Format, Clamp kClamp, bool kFtz>
void fma1(Warp& w, const Instr& in, Lanes mask) {
  map3<u16, u16, u16, u16>(w, in, mask, [](u16 a, u16 b, u16 c) { return fma<Format, kClamp, kFtz>(a, b, c); });
}
template <class Format, Clamp kClamp, bool kFtz>
void fma2(Warp& w, const Instr& in, Lanes mask) {
  map3<u32, u32, u32, u32>(w, in, mask, [](u32 a, u32 b, u32 c) {
    const u32 low = fma<Format, kClamp, kFtz>(static_cast<u16>(a), static_cast<u16>(b), static_cast<u16>(c));
    const u32 high =
        fma<Format, kClamp, kFtz>(static_cast<u16>(a >> 16), static_cast<u16>(b >> 16), static_cast<u16>(c >> 16));
    return low | high << 16;
  });
}

// 9.7.4.5 neg, 9.7.4.6 abs: the sign bits.
template <class T, bool kAbs>
void sign(Warp& w, const Instr& in, Lanes mask) {
  constexpr T kSigns = static_cast<T>(0x80008000u);
  map1<T, T>(w, in, mask, [](T a) { return static_cast<T>(kAbs ? a & static_cast<T>(~kSigns) : a ^ kSigns); });
}

struct Options {
  Type type = Type::f16;
  bool ftz = false;
  Clamp clamp = kNone;
};

Options options(Decoder& d, Instr& in) {
  Options o;
  d.take("rn");
  o.ftz = d.take("ftz");
  o.clamp = d.take("sat") ? kSat : d.take("relu") ? kRelu : kNone;
  o.type = d.need_type();
  in.kind = Kind::half;
  return o;
}

template <class Format, class Op>
Handler pick(bool pair, const Options& o) {
  if (o.clamp == kSat) {
    if (o.ftz) return pair ? binary2<Format, Op, kSat, true> : binary<Format, Op, kSat, true>;
    return pair ? binary2<Format, Op, kSat, false> : binary<Format, Op, kSat, false>;
  }
  if (o.ftz) return pair ? binary2<Format, Op, kNone, true> : binary<Format, Op, kNone, true>;
  return pair ? binary2<Format, Op, kNone, false> : binary<Format, Op, kNone, false>;
}

template <class Op>
void decode_binary(Decoder& d, Instr& in) {
  const Options o = options(d, in);
  take_operands(d, in, o.type, {o.type, o.type});
  if (o.clamp == kRelu) d.unsupported("expected no .relu");
  const bool pair = size_of(o.type) == 4;
  if (o.type == Type::f16 || o.type == Type::f16x2) {
    in.run = pick<Half, Op>(pair, o);
  } else {
    if (o.ftz || o.clamp != kNone) d.unsupported("expected no .ftz and no .sat with bf16");
    in.run = pair ? binary2<Bfloat, Op, kNone, false> : binary<Bfloat, Op, kNone, false>;
  }
}

template <class Format, Clamp kClamp>
Handler pick_fma(bool pair, bool ftz) {
  if (ftz) return pair ? fma2<Format, kClamp, true> : fma1<Format, kClamp, true>;
  return pair ? fma2<Format, kClamp, false> : fma1<Format, kClamp, false>;
}

void decode_fma(Decoder& d, Instr& in) {
  const Options o = options(d, in);
  take_operands(d, in, o.type, {o.type, o.type, o.type});
  const bool pair = size_of(o.type) == 4;
  if (o.type == Type::f16 || o.type == Type::f16x2) {
    in.run = o.clamp == kSat    ? pick_fma<Half, kSat>(pair, o.ftz)
             : o.clamp == kRelu ? pick_fma<Half, kRelu>(pair, o.ftz)
                                : pick_fma<Half, kNone>(pair, o.ftz);
  } else {
    if (o.ftz || o.clamp == kSat) d.unsupported("expected no .ftz and no .sat with bf16");
    in.run = o.clamp == kRelu ? pick_fma<Bfloat, kRelu>(pair, false) : pick_fma<Bfloat, kNone>(pair, false);
  }
}

template <bool kAbs>
void decode_sign(Decoder& d, Instr& in) {
  const Options o = options(d, in);
  if (o.ftz || o.clamp != kNone) d.unsupported("expected no .ftz");
  take_operands(d, in, o.type, {o.type});
  in.run = size_of(o.type) == 4 ? sign<u32, kAbs> : sign<u16, kAbs>;
}

template <class Format, bool kMax>
Handler pick_minmax(bool pair, bool nan, bool ftz) {
  if (ftz) {
    if (nan)
      return pair ? binary2<Format, Least<kMax, true>, kNone, true> : binary<Format, Least<kMax, true>, kNone, true>;
    return pair ? binary2<Format, Least<kMax, false>, kNone, true> : binary<Format, Least<kMax, false>, kNone, true>;
  }
  if (nan)
    return pair ? binary2<Format, Least<kMax, true>, kNone, false> : binary<Format, Least<kMax, true>, kNone, false>;
  return pair ? binary2<Format, Least<kMax, false>, kNone, false> : binary<Format, Least<kMax, false>, kNone, false>;
}

template <bool kMax>
void decode_minmax(Decoder& d, Instr& in) {
  const bool nan = d.take("NaN");
  const Options o = options(d, in);
  take_operands(d, in, o.type, {o.type, o.type});
  const bool pair = size_of(o.type) == 4;
  const bool half = o.type == Type::f16 || o.type == Type::f16x2;
  in.run = half ? pick_minmax<Half, kMax>(pair, nan, o.ftz) : pick_minmax<Bfloat, kMax>(pair, nan, false);
}

}  // namespace

void add_half(OpTable& table) {
  table["add:half"] = decode_binary<Add>;
  table["sub:half"] = decode_binary<Sub>;
  table["mul:half"] = decode_binary<Mul>;
  table["fma:half"] = decode_fma;
  table["neg:half"] = decode_sign<false>;
  table["abs:half"] = decode_sign<true>;
  table["min:half"] = decode_minmax<false>;
  table["max:half"] = decode_minmax<true>;
}

}  // namespace vgpu::VGPU_LEVEL
