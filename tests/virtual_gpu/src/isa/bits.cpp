// Shifts, counts and bit fields. PTX ISA, 9.7.1 (popc to bmsk), 9.7.8.7 shf to 9.7.8.9 shr, 9.7.9.7 prmt.
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

// 9.7.8.7 shf: a 64-bit funnel, its high word left or its low word right.
template <bool kLeft, bool kWrap>
void shf(Warp& w, const Instr& in, Lanes mask) {
  map3<u32, u32, u32, u32>(w, in, mask, [](u32 a, u32 b, u32 c) {
    const u32 n = kWrap ? c & 31 : c > 32 ? 32 : c;
    const u64 both = static_cast<u64>(b) << 32 | a;
    return static_cast<u32>(kLeft ? (both << n) >> 32 : both >> n);
  });
}

// 9.7.8.8 shl, 9.7.8.9 shr: amounts beyond the width act as the width.
template <class T>
struct Shl {
  static T apply(T a, u32 n) { return n >= 8 * sizeof(T) ? 0 : static_cast<T>(static_cast<u64>(a) << n); }
};
template <class T>
struct Shr {
  static T apply(T a, u32 n) {
    const u32 last = 8 * sizeof(T) - 1;
    return n > last ? (std::is_signed_v<T> ? static_cast<T>(a >> last) : T{0}) : static_cast<T>(a >> n);
  }
};

template <template <class> class Op, class T, bool kLeft>
void shift(Warp& w, const Instr& in, Lanes mask) {
  const T* a = w.source<T>(in.a[1]);
  const u32* n = w.source<u32>(in.a[2]);
  const Lanes sources = w.undefined_in(in.a[1]) | w.undefined_in(in.a[2]);
  define_bytes(w, in.a[0], mask, sources, [&](int l) {
    const LaneBytes x = lane_bytes(w, in.a[1], l);
    const u32 all = (1u << sizeof(T)) - 1;
    if (has(w.undefined_in(in.a[2]), l)) return LaneBytes{all, true};
    const u32 bytes = n[l] / 8 > sizeof(T) ? static_cast<u32>(sizeof(T)) : n[l] / 8;
    u32 moved = kLeft ? x.undefined << bytes : x.undefined >> bytes;
    if (n[l] % 8 != 0) moved |= kLeft ? moved << 1 : moved >> 1;
    if (!kLeft && std::is_signed_v<T> && (x.undefined >> (sizeof(T) - 1) & 1) != 0) moved |= all & ~(all >> bytes);
    return LaneBytes{moved & all, x.tainted};
  });
  for_lanes(w.at<T>(in.a[0]), mask, [=](int l) { return Op<T>::apply(a[l], n[l]); });
}

// 9.7.1.14 popc, 9.7.1.15 clz, 9.7.1.16 bfind, 9.7.1.18 brev
template <class T>
struct Popc {
  static u32 apply(T a) { return static_cast<u32>(std::popcount(a)); }
};
template <class T>
struct Clz {
  static u32 apply(T a) { return static_cast<u32>(std::countl_zero(a)); }
};
template <class T>
struct Bfind {
  static u32 apply(T a) {
    using U = std::make_unsigned_t<T>;
    const U v = static_cast<U>(std::is_signed_v<T> && a < 0 ? ~a : a);
    return v == 0 ? ~0u : static_cast<u32>(8 * sizeof(T) - 1 - static_cast<u32>(std::countl_zero(v)));
  }
};
template <class T>
struct BfindShift {
  static u32 apply(T a) {
    const u32 at = Bfind<T>::apply(a);
    return at == ~0u ? at : static_cast<u32>(8 * sizeof(T) - 1) - at;
  }
};
template <class T>
struct Brev {
  static T apply(T a) {
    T r = 0;
    for (u32 i = 0; i < 8 * sizeof(T); ++i) r |= static_cast<T>((a >> i & 1) << (8 * sizeof(T) - 1 - i));
    return r;
  }
};
template <template <class> class Op, class T>
void count(Warp& w, const Instr& in, Lanes mask) {
  map1<u32, T>(w, in, mask, [](T a) { return Op<T>::apply(a); });
}

// 9.7.1.17 fns: the n-th set bit from a base, upwards for positive n, downwards for negative.
void fns(Warp& w, const Instr& in, Lanes mask) {
  map3<u32, u32, u32, s32>(w, in, mask, [](u32 bits, u32 base, s32 offset) -> u32 {
    if (offset == 0) return base < 32 && (bits >> base & 1) != 0 ? base : ~0u;
    const int step = offset > 0 ? 1 : -1;
    int left = offset > 0 ? offset : -offset;
    for (int at = static_cast<int>(base); at >= 0 && at < 32; at += step) {
      if ((bits >> at & 1) != 0 && --left == 0) return static_cast<u32>(at);
    }
    return ~0u;
  });
}

// 9.7.1.19 bfe: position and length are 8 bits; signed fields extend the bit at the field's top, or the last there is.
template <class T>
struct Bfe {
  static T apply(T a, u32 b, u32 c) {
    using U = std::make_unsigned_t<T>;
    constexpr u32 kBits = 8 * sizeof(T);
    const u32 pos = b & 0xff, len = c & 0xff;
    const u32 sign_at = pos + len == 0 ? kBits - 1 : (pos + len - 1 < kBits - 1 ? pos + len - 1 : kBits - 1);
    const bool negative = std::is_signed_v<T> && len != 0 && (static_cast<U>(a) >> sign_at & 1) != 0;
    const U fill = negative ? static_cast<U>(~U{0}) : U{0};
    const U field = pos >= kBits ? fill : static_cast<U>(static_cast<U>(a) >> pos);
    const U low = len >= kBits ? static_cast<U>(~U{0}) : static_cast<U>((U{1} << len) - 1);
    const U valid = pos >= kBits ? U{0} : static_cast<U>(static_cast<U>(~U{0}) >> pos);
    return static_cast<T>((field & low & valid) | (fill & static_cast<U>(~(low & valid))));
  }
};
template <class T>
void bfe(Warp& w, const Instr& in, Lanes mask) {
  map3<T, T, u32, u32>(w, in, mask, [](T a, u32 b, u32 c) { return Bfe<T>::apply(a, b, c); });
}

// 9.7.1.20 bfi: the low bits of a, put into b.
template <class T>
void bfi(Warp& w, const Instr& in, Lanes mask) {
  const T* a = w.source<T>(in.a[1]);
  const T* b = w.source<T>(in.a[2]);
  const u32* c = w.source<u32>(in.a[3]);
  const u32* n = w.source<u32>(in.a[4]);
  const Lanes undefined =
      w.undefined_in(in.a[1]) | w.undefined_in(in.a[2]) | w.undefined_in(in.a[3]) | w.undefined_in(in.a[4]);
  for_lanes(w.at<T>(in.a[0]), mask, [=](int l) {
    const u32 pos = c[l] & 0xff, len = n[l] & 0xff;
    constexpr u32 kBits = 8 * sizeof(T);
    const T low = len >= kBits ? static_cast<T>(~T{0}) : static_cast<T>((T{1} << len) - 1);
    const T field = pos >= kBits ? T{0} : static_cast<T>(low << pos);
    const T value = pos >= kBits ? T{0} : static_cast<T>(a[l] << pos);
    return static_cast<T>((b[l] & ~field) | (value & field));
  });
  w.define(in.a[0], mask, undefined);
}

// 9.7.1.21 szext: keeps the low bits, extended; 9.7.1.22 bmsk: a run of ones.
template <class T, bool kWrap>
void szext(Warp& w, const Instr& in, Lanes mask) {
  map2<T, T, u32>(w, in, mask, [](T a, u32 b) -> T {
    const u32 n = kWrap ? b & 31 : b;
    if (n >= 32) return a;
    if (n == 0) return 0;
    return static_cast<T>(static_cast<T>(static_cast<u32>(a) << (32 - n)) >> (32 - n));
  });
}
template <bool kWrap>
void bmsk(Warp& w, const Instr& in, Lanes mask) {
  map2<u32, u32, u32>(w, in, mask, [](u32 a, u32 b) -> u32 {
    const u32 pos = kWrap ? a & 31 : a, len = kWrap ? b & 31 : b;
    const u32 low = len >= 32 ? ~0u : (1u << len) - 1;
    return pos >= 32 ? 0 : low << pos;
  });
}

// 9.7.9.7 prmt: each selector nibble picks one of 8 bytes, bit 3 replicates its sign.
u32 permute(u32 a, u32 b, u32 selector, u32 mode) {
  const u64 bytes = static_cast<u64>(b) << 32 | a;
  const u32 s = selector & 3;
  u32 result = 0;
  for (u32 i = 0; i < 4; ++i) {
    u32 from = 0;
    bool sign = false;
    switch (mode) {
      case 0:
        from = selector >> 4 * i & 7;
        sign = (selector >> 4 * i & 8) != 0;
        break;
      case 1:
        from = s + i;
        break;  // f4e
      case 2:
        from = (8 + s - i) & 7;
        break;  // b4e
      case 3:
        from = s;
        break;  // rc8
      case 4:
        from = i > s ? i : s;
        break;  // ecl
      case 5:
        from = i < s ? i : s;
        break;  // ecr
      default:
        from = (s & 1) * 2 + (i & 1);
        break;  // rc16
    }
    u32 byte = static_cast<u32>(bytes >> 8 * from) & 0xff;
    if (sign) byte = (byte & 0x80) != 0 ? 0xff : 0;
    result |= byte << 8 * i;
  }
  return result;
}
void prmt(Warp& w, const Instr& in, Lanes mask) {
  const u32 mode = in.flags;
  const u32* c = w.source<u32>(in.a[3]);
  const Lanes sources = w.undefined_in(in.a[1]) | w.undefined_in(in.a[2]) | w.undefined_in(in.a[3]);
  define_bytes(w, in.a[0], mask, sources, [&](int l) {
    const LaneBytes x = lane_bytes(w, in.a[1], l), y = lane_bytes(w, in.a[2], l);
    if (has(w.undefined_in(in.a[3]), l)) return LaneBytes{15, true};
    const auto spread = [](u32 bits) {
      return (bits & 1 ? 0xffu : 0) | (bits & 2 ? 0xff00u : 0) | (bits & 4 ? 0xff0000u : 0) |
             (bits & 8 ? 0xff000000u : 0);
    };
    const u32 moved = permute(spread(x.undefined), spread(y.undefined), c[l], mode);
    return LaneBytes{(moved & 1) | (moved >> 8 & 1) << 1 | (moved >> 16 & 1) << 2 | (moved >> 24 & 1) << 3,
                     x.tainted || y.tainted};
  });
  const u32* a = w.source<u32>(in.a[1]);
  const u32* b = w.source<u32>(in.a[2]);
  for_lanes(w.at<u32>(in.a[0]), mask, [=](int l) { return permute(a[l], b[l], c[l], mode); });
}

void decode_shf(Decoder& d, Instr& in) {
  const bool left = d.take_one_of({"l", "r"}) == "l", wrap = d.take_one_of({"wrap", "clamp"}) == "wrap";
  const Type t = d.need_type();
  take_operands(d, in, t, {t, t, Type::u32});
  in.run = left ? (wrap ? shf<true, true> : shf<true, false>) : (wrap ? shf<false, true> : shf<false, false>);
  in.kind = Kind::integer;
}

void decode_shl(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t, Type::u32});
  in.run = size_of(t) == 2 ? shift<Shl, u16, true> : size_of(t) == 4 ? shift<Shl, u32, true> : shift<Shl, u64, true>;
  in.kind = Kind::integer;
}

void decode_shr(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t, Type::u32});
  in.kind = Kind::integer;
  switch (t) {
    case Type::s16:
      in.run = shift<Shr, s16, false>;
      break;
    case Type::s32:
      in.run = shift<Shr, s32, false>;
      break;
    case Type::s64:
      in.run = shift<Shr, s64, false>;
      break;
    default:
      in.run = size_of(t) == 2   ? shift<Shr, u16, false>
               : size_of(t) == 4 ? shift<Shr, u32, false>
                                 : shift<Shr, u64, false>;
  }
}

template <template <class> class Op>
void decode_count(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, Type::u32, {t});
  in.run = size_of(t) == 4 ? count<Op, u32> : count<Op, u64>;
  in.kind = Kind::integer;
}

void decode_bfind(Decoder& d, Instr& in) {
  const bool amount = d.take("shiftamt");
  const Type t = d.need_type();
  take_operands(d, in, Type::u32, {t});
  in.kind = Kind::integer;
  switch (t) {
    case Type::u32:
      in.run = amount ? count<BfindShift, u32> : count<Bfind, u32>;
      break;
    case Type::s32:
      in.run = amount ? count<BfindShift, s32> : count<Bfind, s32>;
      break;
    case Type::u64:
      in.run = amount ? count<BfindShift, u64> : count<Bfind, u64>;
      break;
    default:
      in.run = amount ? count<BfindShift, s64> : count<Bfind, s64>;
  }
}

void decode_brev(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t});
  in.run = size_of(t) == 4 ? run1<Brev, u32> : run1<Brev, u64>;
  in.kind = Kind::integer;
}

void decode_fns(Decoder& d, Instr& in) {
  d.need_type();
  take_operands(d, in, Type::b32, {Type::b32, Type::b32, Type::s32});
  in.run = fns;
  in.kind = Kind::integer;
}

void decode_bfe(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t, Type::u32, Type::u32});
  in.run = t == Type::u32 ? bfe<u32> : t == Type::s32 ? bfe<s32> : t == Type::u64 ? bfe<u64> : bfe<s64>;
  in.kind = Kind::integer;
}

void decode_bfi(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  take_operands(d, in, t, {t, t, Type::u32, Type::u32});
  in.run = size_of(t) == 4 ? bfi<u32> : bfi<u64>;
  in.kind = Kind::integer;
}

void decode_szext(Decoder& d, Instr& in) {
  const bool wrap = d.take_one_of({"wrap", "clamp"}) == "wrap";
  const Type t = d.need_type();
  take_operands(d, in, t, {t, Type::u32});
  in.run =
      t == Type::s32 ? (wrap ? szext<s32, true> : szext<s32, false>) : (wrap ? szext<u32, true> : szext<u32, false>);
  in.kind = Kind::integer;
}

void decode_bmsk(Decoder& d, Instr& in) {
  const bool wrap = d.take_one_of({"wrap", "clamp"}) == "wrap";
  d.need_type();
  take_operands(d, in, Type::b32, {Type::u32, Type::u32});
  in.run = wrap ? bmsk<true> : bmsk<false>;
  in.kind = Kind::integer;
}

void decode_prmt(Decoder& d, Instr& in) {
  d.need_type();
  const std::string_view mode = d.take_one_of({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"});
  in.flags = mode == "f4e"    ? 1
             : mode == "b4e"  ? 2
             : mode == "rc8"  ? 3
             : mode == "ecl"  ? 4
             : mode == "ecr"  ? 5
             : mode == "rc16" ? 6
                              : 0;
  take_operands(d, in, Type::b32, {Type::b32, Type::b32, Type::b32});
  in.run = prmt;
  in.kind = Kind::integer;
}

}  // namespace

void add_bits(OpTable& table) {
  table["shf"] = decode_shf;
  table["shl"] = decode_shl;
  table["shr"] = decode_shr;
  table["popc"] = decode_count<Popc>;
  table["clz"] = decode_count<Clz>;
  table["bfind"] = decode_bfind;
  table["brev"] = decode_brev;
  table["fns"] = decode_fns;
  table["bfe"] = decode_bfe;
  table["bfi"] = decode_bfi;
  table["szext"] = decode_szext;
  table["bmsk"] = decode_bmsk;
  table["prmt"] = decode_prmt;
}

}  // namespace vgpu::VGPU_LEVEL
