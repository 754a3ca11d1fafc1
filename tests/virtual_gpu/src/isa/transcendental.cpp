// Approximate functions of f32 and of the 16-bit formats. PTX ISA, 9.7.3.16 to 9.7.3.22, 9.7.4.9 and 9.7.4.10.
// Results lie well inside the manual's error: they are correctly rounded but for the last few bits.
#include "isa/families.h"
#include "isa/half_formats.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

inline float flush(float v, bool ftz) {
  const u32 bits = std::bit_cast<u32>(v);
  return ftz && (bits & 0x7f800000u) == 0 ? std::bit_cast<float>(bits & 0x80000000u) : v;
}
inline float canonical(float v) { return v != v ? std::bit_cast<float>(0x7fffffffu) : v; }

// 9.7.3.21 ex2.approx: 2^a. Splits a into an integer and a fraction in [-0.5, 0.5], a degree-6 polynomial, error below
// 2^-23.
struct Ex2 {
  static float apply(float a) {
    const float x = a < -160.0f ? -160.0f : a > 130.0f ? 130.0f : a;
    const float n = std::nearbyint(x);
    const float f = x - n;
    float p = 1.5353362e-4f;
    p = p * f + 1.3398874e-3f;
    p = p * f + 9.6184370e-3f;
    p = p * f + 5.5503324e-2f;
    p = p * f + 2.4022648e-1f;
    p = p * f + 6.9314718e-1f;
    p = p * f + 1.0f;
    // 2^n in two factors, so that subnormal results round once.
    const s32 i = static_cast<s32>(n);
    const s32 half = i >> 1;
    const float scale1 = std::bit_cast<float>(static_cast<u32>(half + 127) << 23);
    const float scale2 = std::bit_cast<float>(static_cast<u32>(i - half + 127) << 23);
    return a != a ? a : p * scale1 * scale2;
  }
};
// 9.7.3.20 lg2.approx, 9.7.3.18 sin.approx, 9.7.3.19 cos.approx, 9.7.3.22 tanh.approx
struct Lg2 {
  static float apply(float a) { return std::log2(a); }
};
struct Sin {
  static float apply(float a) { return static_cast<float>(std::sin(static_cast<double>(a))); }
};
struct Cos {
  static float apply(float a) { return static_cast<float>(std::cos(static_cast<double>(a))); }
};
struct Tanh {
  static float apply(float a) { return std::tanh(a); }
};

template <class Op>
void f32(Warp& w, const Instr& in, Lanes mask) {
  const bool ftz = in.flags != 0;
  map1<float, float>(w, in, mask, [ftz](float a) { return flush(canonical(Op::apply(flush(a, ftz))), ftz); });
}
template <class Op, class Format>
void one(Warp& w, const Instr& in, Lanes mask) {
  map1<u16, u16>(w, in, mask, [](u16 a) { return Format::from_float(Op::apply(Format::to_float(a))); });
}
template <class Op, class Format>
void two(Warp& w, const Instr& in, Lanes mask) {
  map1<u32, u32>(w, in, mask, [](u32 a) {
    const u32 low = Format::from_float(Op::apply(Format::to_float(static_cast<u16>(a))));
    const u32 high = Format::from_float(Op::apply(Format::to_float(static_cast<u16>(a >> 16))));
    return low | high << 16;
  });
}

template <class Op>
void decode(Decoder& d, Instr& in) {
  if (!d.take("approx")) d.unsupported("expected .approx");
  in.flags = d.take("ftz") ? 1 : 0;
  const Type t = d.need_type();
  take_operands(d, in, t, {t});
  in.kind = Kind::floating;
  switch (t) {
    case Type::f32:
      in.run = f32<Op>;
      break;
    case Type::f16:
      in.run = one<Op, Half>;
      break;
    case Type::bf16:
      in.run = one<Op, Bfloat>;
      break;
    case Type::f16x2:
      in.run = two<Op, Half>;
      break;
    case Type::bf16x2:
      in.run = two<Op, Bfloat>;
      break;
    default:
      d.unsupported("expected .f32 or a 16-bit format");
  }
}

}  // namespace

void add_transcendental(OpTable& table) {
  table["ex2"] = decode<Ex2>;
  table["lg2"] = decode<Lg2>;
  table["sin"] = decode<Sin>;
  table["cos"] = decode<Cos>;
  table["tanh"] = decode<Tanh>;
}

}  // namespace vgpu::VGPU_LEVEL
