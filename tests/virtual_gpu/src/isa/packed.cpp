// Several small integers side by side in one register. PTX ISA, 9.7.1: add, min, max with .u16x2 and .s16x2, dp4a,
// dp2a; 9.7.19 "SIMD Video Instructions", without selectors.
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

/// d = op of each pair of fields of `bits`; the fields are extended from `sign`.
template <int kBits, class F>
inline u32 fields(u32 a, u32 b, bool sign_a, bool sign_b, F f) {
  u32 d = 0;
  for (int at = 0; at < 32; at += kBits) {
    const auto field = [at](u32 v, bool sign) {
      const u32 high = v << (32 - kBits - at);
      return sign ? static_cast<s32>(high) >> (32 - kBits) : static_cast<s32>(high >> (32 - kBits));
    };
    d |= (static_cast<u32>(f(field(a, sign_a), field(b, sign_b))) & ((1u << kBits) - 1)) << at;
  }
  return d;
}

enum Op : u8 { kAdd, kSub, kMin, kMax, kAverage, kDifference };

inline s32 apply(Op op, s32 a, s32 b) {
  switch (op) {
    case kAdd:
      return a + b;
    case kSub:
      return a - b;
    case kMin:
      return a < b ? a : b;
    case kMax:
      return a > b ? a : b;
    case kAverage:
      return (a + b + 1) >> 1;
    default:
      return a > b ? a - b : b - a;
  }
}

constexpr u32 kSigned = 1, kRelu = 2;

template <Op kOp>
void pair(Warp& w, const Instr& in, Lanes mask) {
  const bool sign = (in.flags & kSigned) != 0, relu = (in.flags & kRelu) != 0;
  map2<u32, u32, u32>(w, in, mask, [=](u32 a, u32 b) {
    return fields<16>(a, b, sign, sign, [=](s32 x, s32 y) {
      const s32 v = apply(kOp, x, y);
      return relu && v < 0 ? 0 : v;
    });
  });
}

// 9.7.19: flags of the types of d, a and b, of .sat and .add.
constexpr u32 kSignedD = 4, kSignedA = 8, kSignedB = 16, kSaturate = 32, kAccumulate = 64;

template <Op kOp, int kBits>
void video(Warp& w, const Instr& in, Lanes mask) {
  const u32 flags = in.flags;
  map3<u32, u32, u32, u32>(w, in, mask, [=](u32 a, u32 b, u32 c) {
    const bool sign_a = (flags & kSignedA) != 0, sign_b = (flags & kSignedB) != 0, sign_d = (flags & kSignedD) != 0;
    u32 sum = c;
    const u32 result = fields<kBits>(a, b, sign_a, sign_b, [&](s32 x, s32 y) {
      s32 v = apply(kOp, x, y);
      const s32 high = (1 << (sign_d ? kBits - 1 : kBits)) - 1, low = sign_d ? -high - 1 : 0;
      if ((flags & kSaturate) != 0) v = v > high ? high : v < low ? low : v;
      // .add sums the fields as they come out, extended as D's type says.
      const u32 field = static_cast<u32>(v) & ((1u << kBits) - 1);
      sum += sign_d ? static_cast<u32>(static_cast<s32>(field << (32 - kBits)) >> (32 - kBits)) : field;
      return v;
    });
    return (flags & kAccumulate) != 0 ? sum : result;
  });
}

template <Op kOp, int kBits>
void decode_video(Decoder& d, Instr& in) {
  const Type types[3] = {d.need_type(), d.need_type(), d.need_type()};
  static constexpr u32 kFlags[3] = {kSignedD, kSignedA, kSignedB};
  for (std::size_t i = 0; i < 3; ++i) {
    if (types[i] != Type::u32 && types[i] != Type::s32) d.unsupported("expected .u32 or .s32");
    if (types[i] == Type::s32) in.flags |= kFlags[i];
  }
  if (d.take("sat")) in.flags |= kSaturate;
  if (d.take("add")) in.flags |= kAccumulate;
  // Without .add, C is only what fields outside a mask would keep, and no mask is known here.
  take_operands(d, in, Type::u32, {Type::u32, Type::u32, Type::u32});
  in.run = video<kOp, kBits>;
  in.kind = Kind::integer;
}

// 9.7.1.23 dp4a, 9.7.1.24 dp2a: dot products of bytes with bytes, or of halves with the low or high pair of bytes.
template <class A, class B>
void dp4a(Warp& w, const Instr& in, Lanes mask) {
  map3<u32, u32, u32, u32>(w, in, mask, [](u32 a, u32 b, u32 c) {
    for (int i = 0; i < 4; ++i)
      c +=
          static_cast<u32>(static_cast<s32>(static_cast<A>(a >> 8 * i)) * static_cast<s32>(static_cast<B>(b >> 8 * i)));
    return c;
  });
}
template <class A, class B>
void dp2a(Warp& w, const Instr& in, Lanes mask) {
  const int shift = in.flags != 0 ? 16 : 0;
  map3<u32, u32, u32, u32>(w, in, mask, [shift](u32 a, u32 b, u32 c) {
    for (int i = 0; i < 2; ++i)
      c += static_cast<u32>(static_cast<s32>(static_cast<A>(a >> 16 * i)) *
                            static_cast<s32>(static_cast<B>(b >> (8 * i + shift))));
    return c;
  });
}

template <bool kFour>
void decode_dot(Decoder& d, Instr& in) {
  in.flags = !kFour && d.take_one_of({"lo", "hi"}) == "hi" ? 1 : 0;
  const Type a = d.need_type(), b = d.need_type();
  const Type c = is_signed(a) || is_signed(b) ? Type::s32 : Type::u32;
  take_operands(d, in, c, {Type::b32, Type::b32, c});
  in.kind = Kind::integer;
  if (kFour) {
    in.run = is_signed(a) ? (is_signed(b) ? dp4a<s8, s8> : dp4a<s8, u8>) : (is_signed(b) ? dp4a<u8, s8> : dp4a<u8, u8>);
  } else {
    in.run =
        is_signed(a) ? (is_signed(b) ? dp2a<s16, s8> : dp2a<s16, u8>) : (is_signed(b) ? dp2a<u16, s8> : dp2a<u16, u8>);
  }
}

}  // namespace

void decode_pair(Decoder& d, Instr& in, Type type, bool relu) {
  take_operands(d, in, type, {type, type});
  in.flags = (type == Type::s16x2 ? kSigned : 0) | (relu ? kRelu : 0);
  in.run = d.opcode() == "add" ? pair<kAdd> : d.opcode() == "min" ? pair<kMin> : pair<kMax>;
  if (relu && (type != Type::s16x2 || d.opcode() == "add")) d.unsupported("expected .relu of min and max of .s16x2");
}

void add_packed(OpTable& table) {
  table["dp4a"] = decode_dot<true>;
  table["dp2a"] = decode_dot<false>;
  table["vadd2"] = decode_video<kAdd, 16>;
  table["vadd4"] = decode_video<kAdd, 8>;
  table["vsub2"] = decode_video<kSub, 16>;
  table["vsub4"] = decode_video<kSub, 8>;
  table["vavrg2"] = decode_video<kAverage, 16>;
  table["vavrg4"] = decode_video<kAverage, 8>;
  table["vabsdiff2"] = decode_video<kDifference, 16>;
  table["vabsdiff4"] = decode_video<kDifference, 8>;
  table["vmin2"] = decode_video<kMin, 16>;
  table["vmin4"] = decode_video<kMin, 8>;
  table["vmax2"] = decode_video<kMax, 16>;
  table["vmax4"] = decode_video<kMax, 8>;
}

}  // namespace vgpu::VGPU_LEVEL
