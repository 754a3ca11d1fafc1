// Single instructions against plain C++, over special and random values.
#include <bit>
#include <cfenv>
#include <cmath>
#include <limits>

#include "harness.h"

namespace vgpu {
namespace {

template <class T>
std::string type_of_register() {
  return sizeof(T) == 8 ? ".b64" : sizeof(T) == 4 ? ".b32" : ".b16";
}

template <class T>
std::vector<T> samples(std::uint64_t seed, std::size_t count) {
  static const std::uint64_t kSpecial[] = {0,
                                           1,
                                           2,
                                           ~std::uint64_t{0},
                                           0x80000000,
                                           0x7fffffff,
                                           0x8000000000000000,
                                           0x7fffffffffffffff,
                                           0x8000,
                                           0x7fff,
                                           31,
                                           32,
                                           33,
                                           63,
                                           64,
                                           255,
                                           0x3f800000,
                                           0xbf800000,
                                           0x7f800000,
                                           0xff800000,
                                           0x7fc00000,
                                           0x00000001,
                                           0x80000001,
                                           0x007fffff,
                                           0x3ff0000000000000,
                                           0x4b000000,
                                           0x3c00,
                                           0xbc00,
                                           0x7c00,
                                           0x7bff};
  Numbers numbers(seed);
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t bits = numbers.bits();
    const std::uint64_t pick = numbers.bits() % 8;
    if (pick == 0) bits = kSpecial[bits % std::size(kSpecial)];
    if (pick == 1) bits &= 0xff;
    if (pick == 2 && sizeof(T) == 4) bits = std::bit_cast<std::uint32_t>(numbers.unit() * 100);
    if (pick == 3 && sizeof(T) == 8) bits = std::bit_cast<std::uint64_t>(static_cast<double>(numbers.unit()) * 1000);
    std::memcpy(&values[i], &bits, sizeof(T));
  }
  return values;
}

template <class T>
std::uint64_t bits_of_value(T value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}

/// Runs `op d, a, b, c` for many values and compares every bit with f. NaNs of f32 and f64 compare as one.
template <class D, class A, class B = A, class C = A, class F>
void check(const std::string& op, int sources, F f, const std::string& immediate = "") {
  const std::string ra = type_of_register<A>(), rb = type_of_register<B>(), rc = type_of_register<C>(),
                    rd = type_of_register<D>();
  const auto load = [](const std::string& reg, const std::string& name, std::size_t size) {
    return "mad.wide.u32 %rd2, %r1, " + std::to_string(size) + ", %rd1;\n ld.global" + reg + " " + name + ", [%rd2];\n";
  };
  std::string ptx =
      ".version 8.7\n.target sm_90a\n.address_size 64\n.visible .entry k(.param .u64 pa, .param .u64 pb, .param .u64 "
      "pc, .param .u64 pd)\n{\n"
      ".reg .b64 %rd<4>; .reg .b32 %r<4>; .reg " +
      ra + " a; .reg " + rb + " b; .reg " + rc + " c; .reg " + rd +
      " d;\n"
      "mov.u32 %r1, %tid.x;\nld.param.u64 %rd1, [pa];\n" +
      load(ra, "a", sizeof(A)) + "ld.param.u64 %rd1, [pb];\n" + load(rb, "b", sizeof(B)) +
      "ld.param.u64 %rd1, [pc];\n" + load(rc, "c", sizeof(C)) + op + " d, a" + (sources > 1 ? ", b" : "") +
      (sources > 2 ? ", c" : "") + immediate +
      ";\n"
      "ld.param.u64 %rd1, [pd];\nmad.wide.u32 %rd2, %r1, " +
      std::to_string(sizeof(D)) + ", %rd1;\nst.global" + rd + " [%rd2], d;\nret;\n}\n";
  Bench bench(ptx);
  constexpr std::size_t kCount = 1001;  // the last warp lacks lanes
  const auto a = samples<A>(1, kCount);
  const auto b = samples<B>(2, kCount);
  const auto c = samples<C>(3, kCount);
  const std::uint64_t d = bench.allocate(kCount * sizeof(D));
  bench.run_clean("k", grid(1, kCount), bench.upload(a), bench.upload(b), bench.upload(c), d);
  const auto got = bench.download<D>(d, kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    const D want = static_cast<D>(f(a[i], b[i], c[i]));
    if constexpr (std::is_floating_point_v<D>) {
      if (want != want && got[i] != got[i]) continue;
    }
    if (bits_of_value(got[i]) != bits_of_value(want)) {
      FAIL(op << ": lane " << i << ": a 0x" << std::hex << bits_of_value(a[i]) << " b 0x" << bits_of_value(b[i])
              << " c 0x" << bits_of_value(c[i]) << ": got 0x" << bits_of_value(got[i]) << ", want 0x"
              << bits_of_value(want));
    }
  }
}

using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

double half_value(u16 h) {
  const double sign = (h & 0x8000) != 0 ? -1 : 1;
  const int e = h >> 10 & 31, f = h & 1023;
  if (e == 31) return f != 0 ? std::nan("") : sign * INFINITY;
  return sign * (e == 0 ? std::ldexp(f, -24) : std::ldexp(1024 + f, e - 25));
}
/// The half nearest to a value that is exact in long double, ties to even; by search, so that it shares nothing with
/// the code.
u16 nearest_half(long double v) {
  if (v != v) return 0x7fff;
  const u16 sign = std::signbit(v) ? 0x8000 : 0;
  const long double m = std::fabs(v);
  if (m >= 65520.0L) return static_cast<u16>(sign | 0x7c00);
  u16 low = 0, high = 0x7bff;
  while (low < high) {
    const u16 middle = static_cast<u16>((low + high + 1) / 2);
    if (half_value(middle) <= static_cast<double>(m))
      low = middle;
    else
      high = static_cast<u16>(middle - 1);
  }
  if (low == 0x7bff) return static_cast<u16>(sign | low);
  const long double below = m - static_cast<long double>(half_value(low)),
                    above = static_cast<long double>(half_value(static_cast<u16>(low + 1))) - m;
  const bool up = above < below || (above == below && (low & 1) != 0);
  return static_cast<u16>(sign | (low + (up ? 1 : 0)));
}

}  // namespace

TEST_CASE("integer arithmetic") {
  check<u32, u32>("add.u32", 2, [](u32 a, u32 b, u32) { return a + b; });
  check<s32, s32>("add.sat.s32", 2,
                  [](s32 a, s32 b, s32) { return std::clamp<s64>(s64{a} + b, INT32_MIN, INT32_MAX); });
  check<s32, s32>("sub.sat.s32", 2,
                  [](s32 a, s32 b, s32) { return std::clamp<s64>(s64{a} - b, INT32_MIN, INT32_MAX); });
  check<u64, u64>("sub.u64", 2, [](u64 a, u64 b, u64) { return a - b; });
  check<u16, u16>("mul.lo.u16", 2, [](u16 a, u16 b, u16) { return static_cast<u32>(a) * b; });
  check<s32, s32>("mul.hi.s32", 2, [](s32 a, s32 b, s32) { return (s64{a} * b) >> 32; });
  check<u64, u64>("mul.hi.u64", 2,
                  [](u64 a, u64 b, u64) { return static_cast<u64>((static_cast<unsigned __int128>(a) * b) >> 64); });
  check<s64, s32>("mul.wide.s32", 2, [](s32 a, s32 b, s32) { return s64{a} * b; });
  check<u32, u16>("mul.wide.u16", 2, [](u16 a, u16 b, u16) { return static_cast<u32>(a) * b; });
  check<s64, s32, s32, s64>("mad.wide.s32", 3, [](s32 a, s32 b, s64 c) {
    return static_cast<s64>(static_cast<u64>(s64{a} * b) + static_cast<u64>(c));
  });
  check<u32, u32>("mad.lo.u32", 3, [](u32 a, u32 b, u32 c) { return a * b + c; });
  check<s32, s32>("div.s32", 2, [](s32 a, s32 b, s32) { return b == 0 ? -1 : s64{a} / b; });
  check<u64, u64>("rem.u64", 2, [](u64 a, u64 b, u64) { return b == 0 ? a : a % b; });
  check<s32, s32>("abs.s32", 1, [](s32 a, s32, s32) { return a < 0 ? -s64{a} : s64{a}; });
  check<s32, s32>("min.s32", 2, [](s32 a, s32 b, s32) { return a < b ? a : b; });
  check<u32, u32>("max.u32", 2, [](u32 a, u32 b, u32) { return a > b ? a : b; });
  check<u32, u32>("sad.u32", 3, [](u32 a, u32 b, u32 c) { return c + (a > b ? a - b : b - a); });
  check<s32, s32>("mul24.lo.s32", 2, [](s32 a, s32 b, s32) {
    return s64{static_cast<s32>(static_cast<u32>(a) << 8) >> 8} * (static_cast<s32>(static_cast<u32>(b) << 8) >> 8);
  });
  check<s32, u32>("dp4a.s32.u32", 3, [](u32 a, u32 b, u32 c) {
    s64 sum = static_cast<s32>(c);
    for (int i = 0; i < 4; ++i) sum += static_cast<std::int8_t>(a >> 8 * i) * static_cast<s32>(b >> 8 * i & 255);
    return sum;
  });
}

TEST_CASE("several integers in one register") {
  // PTX ISA, 9.7.1 with .u16x2 and .s16x2; 9.7.19 "SIMD Video Instructions".
  const auto pairs = [](auto f) {
    return [f](u32 a, u32 b, u32) {
      const auto half = [&](int shift) {
        return static_cast<u32>(static_cast<u16>(
                   f(static_cast<int>(static_cast<s16>(a >> shift)), static_cast<int>(static_cast<s16>(b >> shift)))))
               << shift;
      };
      return half(0) | half(16);
    };
  };
  check<u32, u32>("add.s16x2", 2, pairs([](int a, int b) { return a + b; }));
  check<u32, u32>("add.u16x2", 2, pairs([](int a, int b) { return a + b; }));
  check<u32, u32>("min.s16x2", 2, pairs([](int a, int b) { return std::min(a, b); }));
  check<u32, u32>("max.u16x2", 2, pairs([](int a, int b) { return std::max(a & 0xffff, b & 0xffff); }));
  check<u32, u32>("max.s16x2.relu", 2, pairs([](int a, int b) { return std::max({a, b, 0}); }));
  check<s32, s32>("min.relu.s32", 2, [](s32 a, s32 b, s32) { return std::max(std::min(a, b), 0); });
  check<s32, s32>("max.relu.s32", 2, [](s32 a, s32 b, s32) { return std::max({a, b, 0}); });
  const auto bytes = [](auto f) {
    return [f](u32 a, u32 b, u32) {
      u32 d = 0;
      for (int at = 0; at < 32; at += 8)
        d |= static_cast<u32>(f(static_cast<int>(a >> at & 255), static_cast<int>(b >> at & 255)) & 255) << at;
      return d;
    };
  };
  check<u32, u32>("vabsdiff4.u32.u32.u32", 3, bytes([](int a, int b) { return std::abs(a - b); }));
  check<u32, u32>("vavrg4.u32.u32.u32", 3, bytes([](int a, int b) { return (a + b + 1) / 2; }));
  check<u32, u32>("vadd4.u32.u32.u32.sat", 3, bytes([](int a, int b) { return std::min(a + b, 255); }));
  check<u32, u32>("vmax4.s32.s32.s32", 3, bytes([](int a, int b) {
                    return std::max(static_cast<std::int8_t>(a), static_cast<std::int8_t>(b));
                  }));
  check<u32, u32>("vsub2.s32.s32.s32.sat", 3, pairs([](int a, int b) { return std::clamp(a - b, -32768, 32767); }));
  check<u32, u32>("vabsdiff4.u32.u32.u32.add", 3, [](u32 a, u32 b, u32 c) {
    for (int at = 0; at < 32; at += 8)
      c += static_cast<u32>(std::abs(static_cast<int>(a >> at & 255) - static_cast<int>(b >> at & 255)));
    return c;
  });
}

TEST_CASE("bits") {
  // PTX ISA, 9.7.8.6: the second result of lop3 is whether any bit is set, combined with a predicate.
  check<u32, u32>(
      "{ .reg .pred p, q; setp.lt.s32 q, b, 0; lop3.or.b32 d|p, a, b, c, 0x80, q; selp.b32 d, 1, 0, p; } //", 3,
      [](u32 a, u32 b, u32 c) { return (a & b & c) != 0 || (b >> 31) != 0 ? 1u : 0u; });

  check<u32, u32>("and.b32", 2, [](u32 a, u32 b, u32) { return a & b; });
  check<u64, u64>("xor.b64", 2, [](u64 a, u64 b, u64) { return a ^ b; });
  check<u16, u16>("not.b16", 1, [](u16 a, u16, u16) { return ~a; });
  check<u32, u32>(
      "lop3.b32", 3, [](u32 a, u32 b, u32 c) { return (a & b) ^ ~c; }, ", 0x95");
  check<u32, u32>("shl.b32", 2, [](u32 a, u32 b, u32) { return b > 31 ? 0 : a << b; });
  check<s32, s32, u32>("shr.s32", 2, [](s32 a, u32 b, s32) { return a >> (b > 31 ? 31 : b); });
  check<u64, u64, u32>("shr.u64", 2, [](u64 a, u32 b, u64) { return b > 63 ? 0 : a >> b; });
  check<u32, u32>("shf.l.wrap.b32", 3,
                  [](u32 a, u32 b, u32 c) { return static_cast<u32>(((u64{b} << 32 | a) << (c & 31)) >> 32); });
  check<u32, u32>("shf.r.clamp.b32", 3,
                  [](u32 a, u32 b, u32 c) { return c >= 32 ? b : static_cast<u32>((u64{b} << 32 | a) >> c); });
  check<u32, u64>("popc.b64", 1, [](u64 a, u64, u64) { return std::popcount(a); });
  check<u32, u32>("clz.b32", 1, [](u32 a, u32, u32) { return std::countl_zero(a); });
  check<u32, s32>("bfind.s32", 1, [](s32 a, s32, s32) {
    const u32 v = static_cast<u32>(a < 0 ? ~a : a);
    return v == 0 ? ~0u : 31u - static_cast<u32>(std::countl_zero(v));
  });
  check<u32, u32>("brev.b32", 1, [](u32 a, u32, u32) {
    u32 r = 0;
    for (int i = 0; i < 32; ++i) r |= (a >> i & 1) << (31 - i);
    return r;
  });
  // The manual's own loop for bfe, 9.7.1.19.
  check<u32, u32>("bfe.s32", 3, [](u32 a, u32 b, u32 c) {
    const u32 pos = b & 255, len = c & 255;
    const u32 sign = len == 0 ? 0 : a >> std::min(pos + len - 1, 31u) & 1;
    u32 d = 0;
    for (u32 i = 0; i <= 31; ++i) d |= (i < len && pos + i <= 31 ? a >> (pos + i) & 1 : sign) << i;
    return d;
  });
  check<u32, u32>("bfe.u32", 3, [](u32 a, u32 b, u32 c) {
    const u32 pos = b & 255, len = c & 255;
    u32 d = 0;
    for (u32 i = 0; i <= 31; ++i) d |= (i < len && pos + i <= 31 ? a >> (pos + i) & 1 : 0) << i;
    return d;
  });
  check<u32, u32>(
      "bfi.b32", 3,
      [](u32 a, u32 b, u32 c) {
        u32 f = b;
        for (u32 i = 0; i < 9 && (c & 255) + i <= 31; ++i)
          f = (f & ~(1u << ((c & 255) + i))) | (a >> i & 1) << ((c & 255) + i);
        return f;
      },
      ", 9");
  check<u32, u32>("prmt.b32", 3, [](u32 a, u32 b, u32 c) {
    const u64 v = u64{b} << 32 | a;
    u32 d = 0;
    for (int i = 0; i < 4; ++i) {
      const u32 s = c >> 4 * i & 15;
      u32 byte = static_cast<u32>(v >> 8 * (s & 7)) & 255;
      if (s & 8) byte = byte & 128 ? 255 : 0;
      d |= byte << 8 * i;
    }
    return d;
  });
}

TEST_CASE("floating point") {
  check<float, float>("add.rn.f32", 2, [](float a, float b, float) { return a + b; });
  check<float, float>("mul.f32", 2, [](float a, float b, float) { return a * b; });
  check<float, float>("fma.rn.f32", 3, [](float a, float b, float c) { return std::fma(a, b, c); });
  check<double, double>("fma.rn.f64", 3, [](double a, double b, double c) { return std::fma(a, b, c); });
  check<float, float>("div.rn.f32", 2, [](float a, float b, float) { return a / b; });
  check<float, float>("sqrt.rn.f32", 1, [](float a, float, float) { return std::sqrt(a); });
  check<float, float>("add.sat.f32", 2, [](float a, float b, float) {
    const float s = a + b;
    return s > 0 ? std::min(s, 1.0f) : 0.0f;
  });
  check<float, float>("add.rz.f32", 2, [](float a, float b, float) {
    std::fesetround(FE_TOWARDZERO);
    volatile float x = a, y = b;
    volatile float s = x + y;
    std::fesetround(FE_TONEAREST);
    return static_cast<float>(s);
  });
  check<float, float>("mul.rp.f32", 2, [](float a, float b, float) {
    std::fesetround(FE_UPWARD);
    volatile float x = a, y = b;
    volatile float s = x * y;
    std::fesetround(FE_TONEAREST);
    return static_cast<float>(s);
  });
  const auto flush = [](float v) { return std::fpclassify(v) == FP_SUBNORMAL ? std::copysign(0.0f, v) : v; };
  check<float, float>("mul.ftz.f32", 2, [=](float a, float b, float) { return flush(flush(a) * flush(b)); });
  check<float, float>("min.f32", 2, [](float a, float b, float) {
    return a != a ? b : b != b ? a : a == b ? (std::signbit(a) ? a : b) : std::min(a, b);
  });
  check<float, float>("max.NaN.f32", 2, [](float a, float b, float) {
    return a != a || b != b ? NAN : a == b ? (std::signbit(a) ? b : a) : std::max(a, b);
  });
  check<float, float>("neg.f32", 1,
                      [](float a, float, float) { return std::bit_cast<float>(std::bit_cast<u32>(a) ^ 0x80000000u); });
  check<u32, float>("set.gt.u32.f32", 2, [](float a, float b, float) { return a > b ? ~0u : 0u; });
  check<u32, float>("set.leu.u32.f32", 2, [](float a, float b, float) { return !(a > b) ? ~0u : 0u; });
  check<u32, float>("set.ne.u32.f32", 2, [](float a, float b, float) { return a < b || a > b ? ~0u : 0u; });
  check<u32, float>("set.nan.u32.f32", 2, [](float a, float b, float) { return a != a || b != b ? ~0u : 0u; });
  check<float, float>("set.num.f32.f32", 2, [](float a, float b, float) { return a == a && b == b ? 1.0f : 0.0f; });
}

TEST_CASE("reciprocals of f64 from the upper 32 bits") {
  // PTX ISA, 9.7.3.14 and 9.7.3.17: within 2^-20 of the exact one of the upper half, the lower half zero.
  const auto upper = [](double v) { return std::bit_cast<double>(std::bit_cast<u64>(v) & 0xffffffff00000000u); };
  const auto flushed = [](double v) { return std::fabs(v) < 0x1p-1022 ? std::copysign(0.0, v) : v; };
  check<double, double>("rcp.approx.ftz.f64", 1,
                        [&](double a, double, double) { return flushed(upper(1 / flushed(upper(a)))); });
  check<double, double>("rsqrt.approx.ftz.f64", 1,
                        [&](double a, double, double) { return flushed(upper(1 / std::sqrt(flushed(upper(a))))); });
}

TEST_CASE("half precision") {
  check<u16, u16>("add.f16", 2, [](u16 a, u16 b, u16) {
    return nearest_half(static_cast<long double>(half_value(a)) + static_cast<long double>(half_value(b)));
  });
  check<u16, u16>("mul.rn.f16", 2, [](u16 a, u16 b, u16) {
    return nearest_half(static_cast<long double>(half_value(a)) * static_cast<long double>(half_value(b)));
  });
  // 64 bits of significand hold every such sum that is not far below the last bit of the result; what they drop is
  // sticky.
  check<u16, u16>("fma.rn.f16", 3, [](u16 a, u16 b, u16 c) {
    return nearest_half(static_cast<long double>(half_value(a)) * static_cast<long double>(half_value(b)) +
                        static_cast<long double>(half_value(c)));
  });
  check<u32, u32>("fma.rn.relu.f16x2", 3, [](u32 a, u32 b, u32 c) {
    u32 d = 0;
    for (int i = 0; i < 2; ++i) {
      const auto part = [i](u32 v) { return static_cast<long double>(half_value(static_cast<u16>(v >> 16 * i))); };
      const long double sum = part(a) * part(b) + part(c);
      d |= static_cast<u32>(sum < 0 ? 0 : nearest_half(sum)) << 16 * i;
    }
    return d;
  });
}

TEST_CASE("conversions") {
  // .satfinite: the largest number of the format instead of infinity.
  check<u16, float>("cvt.rn.satfinite.f16.f32", 1, [](float a, float, float) -> u16 {
    const float b = std::fabs(a) >= 65520.0f ? std::copysign(65504.0f, a) : a;
    const double steps = std::fabs(static_cast<double>(b)) * 0x1p24;
    if (a != a) return 0x7fff;
    // Round to the 11 bits of a half, or to its smallest step.
    const int exponent = steps >= 2048 ? std::ilogb(steps) - 10 : 0;
    const double rounded = std::nearbyint(std::ldexp(steps, -exponent));
    const double magnitude = rounded + exponent * 1024.0;
    return static_cast<u16>((std::signbit(a) ? 0x8000 : 0) | static_cast<int>(magnitude));
  });

  check<u16, float>("cvt.rn.f16.f32", 1,
                    [](float a, float, float) { return nearest_half(static_cast<long double>(a)); });
  check<float, u16>("cvt.f32.f16", 1, [](u16 a, u16, u16) { return static_cast<float>(half_value(a)); });
  check<u16, double>("cvt.rn.f16.f64", 1,
                     [](double a, double, double) { return nearest_half(static_cast<long double>(a)); });
  check<u32, float>("cvt.rn.f16x2.f32", 2, [](float a, float b, float) {
    return static_cast<u32>(nearest_half(static_cast<long double>(a))) << 16 |
           nearest_half(static_cast<long double>(b));
  });
  const auto clamp32 = [](double v) {
    return v != v ? 0 : v >= 2147483647.0 ? INT32_MAX : v <= -2147483648.0 ? INT32_MIN : static_cast<s32>(v);
  };
  check<s32, float>("cvt.rzi.s32.f32", 1,
                    [=](float a, float, float) { return clamp32(std::trunc(static_cast<double>(a))); });
  check<s32, float>("cvt.rni.s32.f32", 1,
                    [=](float a, float, float) { return clamp32(std::nearbyint(static_cast<double>(a))); });
  check<s32, float>("cvt.rmi.s32.f32", 1,
                    [=](float a, float, float) { return clamp32(std::floor(static_cast<double>(a))); });
  check<u32, float>("cvt.rpi.u32.f32", 1, [](float a, float, float) {
    const double v = std::ceil(static_cast<double>(a));
    return v != v || v <= 0 ? 0u : v >= 4294967295.0 ? ~0u : static_cast<u32>(v);
  });
  check<float, s64>("cvt.rn.f32.s64", 1, [](s64 a, s64, s64) { return static_cast<float>(a); });
  check<float, u32>("cvt.rn.f32.u32", 1, [](u32 a, u32, u32) { return static_cast<float>(a); });
  check<s64, s32>("cvt.s64.s32", 1, [](s32 a, s32, s32) { return s64{a}; });
  check<u16, s32>("cvt.sat.u16.s32", 1, [](s32 a, s32, s32) { return std::clamp(a, 0, 65535); });
  check<u32, s32>("cvt.sat.s8.s32", 1, [](s32 a, s32, s32) { return static_cast<u32>(std::clamp(a, -128, 127)); });
  check<s32, u32>("cvt.s32.s8", 1, [](u32 a, u32, u32) { return static_cast<std::int8_t>(a); });
  check<float, float>("cvt.rni.f32.f32", 1, [](float a, float, float) { return std::nearbyint(a); });
  check<u32, float>("cvt.rna.tf32.f32", 1, [](float a, float, float) {
    const u32 bits = std::bit_cast<u32>(a);
    if (a != a) return 0x7fffffffu;
    if (std::isinf(a)) return bits;
    return (bits & 0x80000000u) | (((bits & 0x7fffffffu) + 0x1000u) & 0x7fffe000u);
  });
}

TEST_CASE("approximate functions stay within the manual's error") {
  // PTX ISA, 9.7.3.18 to 9.7.3.22: the largest relative errors, and absolute ones where the manual gives those.
  const auto run = [](const std::string& op, auto f, float low, float high, double relative, double absolute) {
    const std::string ptx =
        ".version 8.7\n.target sm_90a\n.address_size 64\n.visible .entry k(.param .u64 a, .param .u64 d)\n{\n.reg .b64 "
        "%rd<4>; .reg .b32 %r<2>; .reg .f32 %f<3>;\n"
        "mov.u32 %r1, %tid.x;\nld.param.u64 %rd1, [a];\nmad.wide.u32 %rd2, %r1, 4, %rd1;\nld.global.f32 %f1, "
        "[%rd2];\n" +
        op +
        " %f2, %f1;\nld.param.u64 %rd1, [d];\nmad.wide.u32 %rd2, %r1, 4, %rd1;\nst.global.f32 [%rd2], %f2;\nret;\n}\n";
    Bench bench(ptx);
    Numbers numbers(7);
    std::vector<float> a(1024);
    for (float& v : a) v = low + (high - low) * (numbers.unit() + 1) / 2;
    const std::uint64_t d = bench.allocate(4096);
    bench.run_clean("k", grid(1, 1024), bench.upload(a), d);
    const auto got = bench.download<float>(d, 1024);
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double want = f(static_cast<double>(a[i]));
      const double bound = std::max(absolute, relative * std::fabs(want));
      if (!(std::fabs(static_cast<double>(got[i]) - want) <= bound))
        FAIL(op << "(" << a[i] << "): got " << got[i] << ", want " << want << ", bound " << bound);
    }
  };
  run(
      "ex2.approx.ftz.f32", [](double x) { return std::exp2(x); }, -126, 126, 0x1p-22, 0);
  run(
      "lg2.approx.f32", [](double x) { return std::log2(x); }, 0.001f, 100, 0x1p-22, 0x1p-22);
  run(
      "sin.approx.f32", [](double x) { return std::sin(x); }, -3.14f, 3.14f, 0, 0x1p-20);
  run(
      "cos.approx.f32", [](double x) { return std::cos(x); }, -3.14f, 3.14f, 0, 0x1p-20);
  run(
      "tanh.approx.f32", [](double x) { return std::tanh(x); }, -8, 8, 0x1p-11, 0);
  run(
      "rsqrt.approx.f32", [](double x) { return 1 / std::sqrt(x); }, 0.001f, 1000, 0x1p-22, 0);
  run(
      "rcp.approx.ftz.f32", [](double x) { return 1 / x; }, 0.001f, 1000, 0x1p-23, 0);
}

}  // namespace vgpu
