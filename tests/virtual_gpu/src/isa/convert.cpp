// Conversions. PTX ISA, 9.7.9.21 cvt, 9.7.9.22 cvt.pack.
#include <cfenv>

#include "isa/families.h"
#include "isa/half_formats.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

enum Round : u32 { kNearest, kZero, kDown, kUp, kAway };
constexpr u32 kFtz = 8, kSat = 16, kRelu = 32, kInteger = 64, kSatFinite = 128;

Round rounding(const Instr& in) { return static_cast<Round>(in.flags & 7); }
Type to_type(const Instr& in) { return static_cast<Type>(in.count); }
Type from_type(const Instr& in) { return static_cast<Type>(in.width); }

// The common conversions, one loop each.
template <class D, class S>
void resize(Warp& w, const Instr& in, Lanes mask) {
  define_bytes(w, in.a[0], mask, w.undefined_in(in.a[1]), [&](int l) {
    const LaneBytes b = lane_bytes(w, in.a[1], l);
    const u32 kept = b.undefined & ((1u << sizeof(S)) - 1);
    const bool extends = sizeof(D) > sizeof(S) && std::is_signed_v<S> && (kept >> (sizeof(S) - 1) & 1) != 0;
    const u32 all = (1u << sizeof(D)) - 1;
    return LaneBytes{(extends ? kept | (all & ~((1u << sizeof(S)) - 1)) : kept) & all, b.tainted};
  });
  const S* a = w.source<S>(in.a[1]);
  for_lanes(w.at<D>(in.a[0]), mask, [=](int l) { return static_cast<D>(a[l]); });
}
template <class Format>
void widen(Warp& w, const Instr& in, Lanes mask) {
  map1<float, u16>(w, in, mask, [](u16 a) { return Format::to_float(a); });
}
template <class Format>
void narrow(Warp& w, const Instr& in, Lanes mask) {
  map1<u16, float>(w, in, mask, [](float a) { return Format::from_float(a); });
}

inline bool is_nan(double v) { return v != v; }

/// Rounds a float value to an integral value.
double integral(double v, Round round) {
  switch (round) {
    case kZero:
      return std::trunc(v);
    case kDown:
      return std::floor(v);
    case kUp:
      return std::ceil(v);
    default:
      return std::nearbyint(v);
  }
}

/// One lane's source, exactly: integers in `integer` (two's complement), floats in `real`.
struct Value {
  bool is_integer = false, negative = false;
  u64 integer = 0;
  double real = 0;
};

Value load(const Warp& w, const Arg& arg, Type type, int l) {
  u64 bits = 0;
  const u32 stride = arg.bytes < 2 ? 2 : arg.bytes;
  std::memcpy(&bits, w.source<u8>(arg) + static_cast<u32>(l) * stride, size_of(type));
  Value v;
  switch (type) {
    case Type::f16:
      v.real = Half::to_float(static_cast<u16>(bits));
      break;
    case Type::bf16:
      v.real = Bfloat::to_float(static_cast<u16>(bits));
      break;
    case Type::f32:
      v.real = std::bit_cast<float>(static_cast<u32>(bits));
      break;
    case Type::f64:
      v.real = std::bit_cast<double>(bits);
      break;
    default: {
      const u32 unused = 64 - 8 * size_of(type);
      v.is_integer = true;
      v.integer = is_signed(type) ? static_cast<u64>(static_cast<s64>(bits << unused) >> unused) : bits;
      v.negative = is_signed(type) && static_cast<s64>(v.integer) < 0;
    }
  }
  return v;
}

u64 to_integer(const Value& v, Type from, Type to, bool saturate) {
  const u32 bits = 8 * size_of(to);
  const u64 all = bits == 64 ? ~u64{0} : (u64{1} << bits) - 1;
  const u64 top = is_signed(to) ? all >> 1 : all;
  if (v.is_integer) {
    if (!saturate) return v.integer & all;
    if (v.negative) {
      if (!is_signed(to)) return 0;
      const s64 least = -static_cast<s64>(top) - 1;
      return static_cast<u64>(static_cast<s64>(v.integer) < least ? least : static_cast<s64>(v.integer)) & all;
    }
    return v.integer > top ? top : v.integer;
  }
  // NaN becomes 0, or the top bit alone where a 64-bit type is involved. What doesn't fit is clamped.
  if (is_nan(v.real)) return from != Type::f64 && bits != 64 ? 0 : u64{1} << (bits - 1);
  if (v.real < 0) {
    if (!is_signed(to)) return 0;
    const double least = -std::ldexp(1.0, static_cast<int>(bits) - 1);
    return v.real <= least ? (u64{1} << (bits - 1)) & all : static_cast<u64>(static_cast<s64>(v.real)) & all;
  }
  const double limit = std::ldexp(1.0, static_cast<int>(is_signed(to) ? bits - 1 : bits));
  return v.real >= limit ? top : static_cast<u64>(v.real);
}

/// A double to a 16-bit format. Directed roundings step back from the nearest where it overshot.
template <class Format>
u16 to_half(double value, Round round) {
  const u16 nearest = Format::from_float(to_odd(value));
  const double back = Format::to_float(nearest);
  const bool toward_zero = round == kZero || (round == kDown && value > 0) || (round == kUp && value < 0);
  const bool away = (round == kDown && value < 0) || (round == kUp && value > 0);
  if (is_nan(value)) return static_cast<u16>(Format::kNan);
  if (toward_zero && std::fabs(back) > std::fabs(value)) return static_cast<u16>(nearest - 1);
  if (away && std::fabs(back) < std::fabs(value)) return static_cast<u16>(nearest + 1);
  return nearest;
}

float to_single(double value, Round round) {
  if (is_nan(value)) return std::bit_cast<float>(0x7fffffffu);
  const float nearest = static_cast<float>(value);
  const double back = nearest;
  if (round == kZero && std::fabs(back) > std::fabs(value)) return std::nextafter(nearest, 0.0f);
  if (round == kDown && back > value) return std::nextafter(nearest, -std::numeric_limits<float>::infinity());
  if (round == kUp && back < value) return std::nextafter(nearest, std::numeric_limits<float>::infinity());
  return nearest;
}

float integer_to_single(const Value& v, Round round) {
  // 64-bit integers don't fit a double: the processor's own rounding modes do it in one step.
  const int mode = round == kZero   ? FE_TOWARDZERO
                   : round == kDown ? FE_DOWNWARD
                   : round == kUp   ? FE_UPWARD
                                    : FE_TONEAREST;
  std::fesetround(mode);
  volatile u64 bits = v.integer;
  const float result =
      v.negative ? static_cast<float>(static_cast<s64>(bits)) : static_cast<float>(static_cast<u64>(bits));
  volatile float kept = result;
  std::fesetround(FE_TONEAREST);
  return kept;
}

double integer_to_double(const Value& v, Round round) {
  const int mode = round == kZero   ? FE_TOWARDZERO
                   : round == kDown ? FE_DOWNWARD
                   : round == kUp   ? FE_UPWARD
                                    : FE_TONEAREST;
  std::fesetround(mode);
  volatile u64 bits = v.integer;
  volatile double kept =
      v.negative ? static_cast<double>(static_cast<s64>(bits)) : static_cast<double>(static_cast<u64>(bits));
  std::fesetround(FE_TONEAREST);
  return kept;
}

/// .satfinite: the largest number instead of infinity.
template <class Format>
u16 finite(u16 v, const Instr& in) {
  const bool infinite = (v & 0x7fff) == Format::kInfinity;
  return static_cast<u16>((in.flags & kSatFinite) != 0 && infinite ? v - 1 : v);
}

double flushed(double v, bool ftz) { return ftz && std::fabs(v) < 0x1p-126 ? std::copysign(0.0, v) : v; }

u64 convert(Value v, const Instr& in) {
  const Type from = from_type(in), to = to_type(in);
  const Round round = rounding(in);
  const bool ftz = (in.flags & kFtz) != 0, sat = (in.flags & kSat) != 0;
  if (!v.is_integer) {
    if (from == Type::f32) v.real = flushed(v.real, ftz);
    if ((in.flags & kInteger) != 0) v.real = integral(v.real, round);
  }
  if (!is_float(to)) return to_integer(v, from, to, sat);
  if (v.is_integer && to == Type::f32) return std::bit_cast<u32>(integer_to_single(v, round));
  double real = v.is_integer ? integer_to_double(v, round) : v.real;
  if (sat) real = real > 0 ? (real < 1 ? real : 1.0) : 0.0;
  if ((in.flags & kRelu) != 0) real = real < 0 ? 0.0 : real;
  switch (to) {
    case Type::f64:
      return std::bit_cast<u64>(real);
    case Type::f32:
      return std::bit_cast<u32>(static_cast<float>(flushed(to_single(real, round), ftz)));
    case Type::f16:
      return finite<Half>(to_half<Half>(real, round), in);
    default:
      return finite<Bfloat>(to_half<Bfloat>(real, round), in);
  }
}

/// Any scalar conversion, one lane at a time.
void general(Warp& w, const Instr& in, Lanes mask) {
  u64 values[kWarpSize];
  for (int l = 0; l < kWarpSize; ++l) values[l] = has(mask, l) ? convert(load(w, in.a[1], from_type(in), l), in) : 0;
  const Type to = to_type(in);
  const u32 stride = in.a[0].bytes < 2 ? 2 : in.a[0].bytes;
  for (int l = 0; l < kWarpSize; ++l) {
    if (!has(mask, l)) continue;
    // Registers wider than the type get the value extended.
    const u32 unused = 64 - 8 * size_of(to);
    const u64 wide = is_signed(to) ? static_cast<u64>(static_cast<s64>(values[l] << unused) >> unused) : values[l];
    std::memcpy(w.at<u8>(in.a[0]) + static_cast<u32>(l) * stride, &wide, stride);
  }
  w.define(in.a[0], mask, w.undefined_in(in.a[1]));
}

template <Round kRound>
void float_to_s32(Warp& w, const Instr& in, Lanes mask) {
  map1<s32, float>(w, in, mask, [](float a) {
    const float r = kRound == kZero   ? std::trunc(a)
                    : kRound == kDown ? std::floor(a)
                    : kRound == kUp   ? std::ceil(a)
                                      : std::nearbyint(a);
    const bool high = r >= 2147483648.0f, low = !(r >= -2147483648.0f);
    const s32 inside = static_cast<s32>(high || low ? 0.0f : r);
    return r != r ? 0 : high ? 0x7fffffff : low ? static_cast<s32>(0x80000000u) : inside;
  });
}
template <class S>
void to_float(Warp& w, const Instr& in, Lanes mask) {
  map1<float, S>(w, in, mask, [](S a) { return static_cast<float>(a); });
}

/// Two f32 into one register, the first source above the second.
template <class Format>
void pack2(Warp& w, const Instr& in, Lanes mask) {
  const bool relu = (in.flags & kRelu) != 0;
  const Lanes above = w.undefined_in(in.a[1]), below = w.undefined_in(in.a[2]);
  define_bytes(w, in.a[0], mask, above | below, [&](int l) {
    return LaneBytes{(has(above, l) ? 12u : 0u) | (has(below, l) ? 3u : 0u), true};
  });
  const float* a = w.source<float>(in.a[1]);
  const float* b = w.source<float>(in.a[2]);
  for_lanes(w.at<u32>(in.a[0]), mask, [=, &in](int l) {
    const float x = relu && a[l] < 0 ? 0.0f : a[l];
    const float y = relu && b[l] < 0 ? 0.0f : b[l];
    return static_cast<u32>(finite<Format>(Format::from_float(x), in)) << 16 |
           finite<Format>(Format::from_float(y), in);
  });
}
template <class Format>
void pack2_zero(Warp& w, const Instr& in, Lanes mask) {
  map2<u32, float, float>(w, in, mask, [](float a, float b) {
    return static_cast<u32>(to_half<Format>(a, kZero)) << 16 | to_half<Format>(b, kZero);
  });
}

/// tf32: f32 with 10 fraction bits. .rna rounds ties away from zero, .rn to even, .rz truncates.
void to_tf32(Warp& w, const Instr& in, Lanes mask) {
  const Round round = rounding(in);
  const bool relu = (in.flags & kRelu) != 0;
  map1<u32, u32>(w, in, mask, [=](u32 a) -> u32 {
    if ((a & 0x7fffffffu) > 0x7f800000u) return 0x7fffffffu;
    if (relu && (a >> 31) != 0) return 0;
    if ((a & 0x7f800000u) == 0x7f800000u) return a;
    const u32 add = round == kAway ? 0x1000u : round == kZero ? 0 : 0xfffu + (a >> 13 & 1);
    return (a + add) & ~0x1fffu;
  });
}

// fp8: pairs only; the first source goes above.
template <class Format>
void pack_fp8(Warp& w, const Instr& in, Lanes mask) {
  const bool relu = (in.flags & kRelu) != 0;
  map2<u16, float, float>(w, in, mask, [relu](float a, float b) {
    const float x = relu && a < 0 ? 0.0f : a, y = relu && b < 0 ? 0.0f : b;
    return static_cast<u16>(static_cast<u32>(Format::from_float(x)) << 8 | Format::from_float(y));
  });
}
template <class Format>
void half_to_fp8(Warp& w, const Instr& in, Lanes mask) {
  const bool relu = (in.flags & kRelu) != 0;
  map1<u16, u32>(w, in, mask, [relu](u32 a) {
    const float x = Half::to_float(static_cast<u16>(a >> 16)), y = Half::to_float(static_cast<u16>(a));
    return static_cast<u16>(static_cast<u32>(Format::from_float(relu && x < 0 ? 0.0f : x)) << 8 |
                            Format::from_float(relu && y < 0 ? 0.0f : y));
  });
}
template <class Format>
void fp8_to_half(Warp& w, const Instr& in, Lanes mask) {
  const bool relu = (in.flags & kRelu) != 0;
  map1<u32, u16>(w, in, mask, [relu](u16 a) {
    const float x = Format::to_float(static_cast<u8>(a >> 8)), y = Format::to_float(static_cast<u8>(a));
    return static_cast<u32>(Half::from_float(relu && x < 0 ? 0.0f : x)) << 16 |
           Half::from_float(relu && y < 0 ? 0.0f : y);
  });
}

/// 9.7.9.22: two s32, saturated to bytes or halves, above what c held.
void pack_integers(Warp& w, const Instr& in, Lanes mask) {
  const Type to = to_type(in);
  const u32 bits = 8 * size_of(to);
  const s64 high = is_signed(to) ? (s64{1} << (bits - 1)) - 1 : (s64{1} << bits) - 1;
  const s64 low = is_signed(to) ? -(s64{1} << (bits - 1)) : 0;
  const u32 field = static_cast<u32>((u64{1} << bits) - 1);
  map3<u32, s32, s32, u32>(w, in, mask, [=](s32 a, s32 b, u32 c) {
    const auto clamped = [=](s64 v) { return static_cast<u32>(v < low ? low : v > high ? high : v) & field; };
    const u32 kept = bits == 16 ? 0 : c << 2 * bits;
    return kept | clamped(a) << bits | clamped(b);
  });
}

void decode_pack(Decoder& d, Instr& in) {
  d.take("sat");
  const Type to = d.need_type(), from = d.need_type();
  if (from != Type::s32 || size_of(to) > 2) d.unsupported("expected .s32 to a type of 8 or 16 bits");
  in.count = static_cast<u8>(to);
  in.a[0] = d.destination(d.operand(0), Type::b32);
  in.a[1] = d.source(d.operand(1), Type::s32);
  in.a[2] = d.source(d.operand(2), Type::s32);
  d.take_type();
  in.a[3] = d.operand_count() > 3 ? d.source(d.operand(3), Type::b32) : d.constant(0, 4);
  in.run = pack_integers;
}

bool is_fp8_pair(Type t) { return t == Type::e4m3x2 || t == Type::e5m2x2; }

void decode_pair(Decoder& d, Instr& in, Type to, Type from) {
  const bool e4m3 = to == Type::e4m3x2 || from == Type::e4m3x2;
  if (is_fp8_pair(from) && to == Type::f16x2) {
    take_operands(d, in, Type::b32, {Type::b16});
    in.run = e4m3 ? fp8_to_half<E4m3> : fp8_to_half<E5m2>;
  } else if (is_fp8_pair(to)) {
    if ((in.flags & kSatFinite) == 0) d.unsupported("expected .satfinite");
    if (from == Type::f16x2) {
      take_operands(d, in, Type::b16, {Type::b32});
      in.run = e4m3 ? half_to_fp8<E4m3> : half_to_fp8<E5m2>;
    } else if (from == Type::f32) {
      take_operands(d, in, Type::b16, {Type::f32, Type::f32});
      in.run = e4m3 ? pack_fp8<E4m3> : pack_fp8<E5m2>;
    } else {
      d.unsupported("expected .f32 or .f16x2");
    }
  } else if (from == Type::f32) {
    take_operands(d, in, Type::b32, {Type::f32, Type::f32});
    const bool half = to == Type::f16x2;
    if (rounding(in) == kZero) {
      if ((in.flags & (kRelu | kSatFinite)) != 0) d.unsupported("expected .rn with .relu and .satfinite");
      in.run = half ? pack2_zero<Half> : pack2_zero<Bfloat>;
    } else {
      in.run = half ? pack2<Half> : pack2<Bfloat>;
    }
  } else {
    d.unsupported("expected a conversion that the virtual GPU knows");
  }
}

/// Conversions with a loop of their own; null for the rest.
Handler direct(const Instr& in, Type to, Type from) {
  const bool exact_registers = in.a[0].bytes == size_of(to) && in.a[1].bytes == size_of(from);
  if (!exact_registers) return nullptr;
  const bool plain = (in.flags & ~(7u | kInteger)) == 0;
  if (!plain) return nullptr;
  if (!is_float(to) && !is_float(from)) {
    if (size_of(to) < 2 || size_of(from) < 2) return nullptr;
    const u32 key = size_of(to) * 16 + size_of(from);
    const bool sign = is_signed(from);
    switch (key) {
      case 2 * 16 + 2:
        return resize<u16, u16>;
      case 2 * 16 + 4:
        return resize<u16, u32>;
      case 2 * 16 + 8:
        return resize<u16, u64>;
      case 4 * 16 + 2:
        return sign ? resize<u32, s16> : resize<u32, u16>;
      case 4 * 16 + 4:
        return resize<u32, u32>;
      case 4 * 16 + 8:
        return resize<u32, u64>;
      case 8 * 16 + 2:
        return sign ? resize<u64, s16> : resize<u64, u16>;
      case 8 * 16 + 4:
        return sign ? resize<u64, s32> : resize<u64, u32>;
      default:
        return resize<u64, u64>;
    }
  }
  const Round round = rounding(in);
  if (to == Type::f32 && from == Type::f16 && (in.flags & kInteger) == 0) return widen<Half>;
  if (to == Type::f32 && from == Type::bf16 && (in.flags & kInteger) == 0) return widen<Bfloat>;
  if (to == Type::f16 && from == Type::f32 && round == kNearest) return narrow<Half>;
  if (to == Type::bf16 && from == Type::f32 && round == kNearest) return narrow<Bfloat>;
  if (to == Type::f32 && from == Type::s32 && round == kNearest) return to_float<s32>;
  if (to == Type::f32 && from == Type::u32 && round == kNearest) return to_float<u32>;
  if (to == Type::s32 && from == Type::f32) {
    return round == kZero   ? float_to_s32<kZero>
           : round == kDown ? float_to_s32<kDown>
           : round == kUp   ? float_to_s32<kUp>
                            : float_to_s32<kNearest>;
  }
  return nullptr;
}

void decode_cvt(Decoder& d, Instr& in) {
  in.kind = Kind::convert;
  if (d.take("pack")) {
    decode_pack(d, in);
    return;
  }
  const std::string_view round = d.take_one_of({"rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi"});
  if (round == "rz" || round == "rzi") in.flags = kZero;
  if (round == "rm" || round == "rmi") in.flags = kDown;
  if (round == "rp" || round == "rpi") in.flags = kUp;
  if (round == "rna") in.flags = kAway;
  if (round.size() == 3 && round.back() == 'i') in.flags |= kInteger;
  if (d.take("ftz")) in.flags |= kFtz;
  if (d.take("satfinite")) in.flags |= kSatFinite;
  if (d.take("sat")) in.flags |= kSat;
  if (d.take("relu")) in.flags |= kRelu;
  const Type to = d.need_type(), from = d.need_type();
  in.count = static_cast<u8>(to);
  in.width = static_cast<u8>(from);
  if (to == Type::f16x2 || to == Type::bf16x2 || is_fp8_pair(to)) {
    decode_pair(d, in, to, from);
    return;
  }
  if (to == Type::tf32) {
    if (from != Type::f32 || (in.flags & kSatFinite) != 0) d.unsupported("expected .f32, without .satfinite");
    take_operands(d, in, Type::b32, {Type::b32});
    in.run = to_tf32;
    return;
  }
  if (size_of(to) == 0 || to == Type::pred || from == Type::pred || size_of(from) > 8 ||
      ((in.flags & kSatFinite) != 0 && to != Type::f16 && to != Type::bf16) || from == Type::f16x2 ||
      from == Type::bf16x2 || is_fp8_pair(from) || from == Type::tf32) {
    d.unsupported("expected a conversion that the virtual GPU knows");
  }
  in.a[0] = d.destination(d.operand(0), to, true);
  in.a[1] = d.source(d.operand(1), from, true);
  in.run = direct(in, to, from);
  if (in.run == nullptr) in.run = general;
}

}  // namespace

void add_convert(OpTable& table) { table["cvt"] = decode_cvt; }

}  // namespace vgpu::VGPU_LEVEL
