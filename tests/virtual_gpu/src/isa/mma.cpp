// mma.sync. PTX ISA, 9.7.14.5 "Matrix multiply-accumulate operation using mma instruction".
#include "isa/families.h"
#include "isa/lanes.h"
#include "isa/matrix_core.h"

namespace vgpu::VGPU_LEVEL {
namespace {

/// How many registers each operand takes; `more` holds D, A, B, C one after another.
struct Counts {
  u32 d = 0, a = 0, b = 0, c = 0;
};
Counts counts(const Instr& in) { return {in.flags & 255, in.flags >> 8 & 255, in.flags >> 16 & 255, in.flags >> 24}; }

/// An element of D is undefined where its row of A, its column of B or its element of C is.
void define(Warp& w, const Instr& in, const Counts& n, bool pairs) {
  const Arg* args = in.more;
  Lanes any = 0;
  for (u32 i = 0; i < in.more_count; ++i) any |= w.undefined_in(args[i]);
  if (any == 0) [[likely]]
    return;
  w.check_pending(kAllLanes);
  const u32 halves = n.a == n.b ? 1 : 2;
  const auto quads = [](Lanes lanes) {
    u32 bits = 0;
    for (int g = 0; g < 8; ++g) bits |= ((lanes >> 4 * g & 15) != 0 ? 1u : 0u) << g;
    return bits;
  };
  u32 rows[2] = {0, 0}, columns = 0;
  for (u32 i = 0; i < n.a; ++i) rows[i % halves] |= quads(w.undefined_in(args[n.d + i]));
  for (u32 i = 0; i < n.b; ++i) columns |= quads(w.undefined_in(args[n.d + n.a + i]));
  Lanes result[4] = {};
  for (u32 i = 0; i < n.d; ++i) {
    const u32 h = pairs ? i : i / 2;
    Lanes bad = w.undefined_in(args[n.d + n.a + n.b + i]);
    for (int l = 0; l < kWarpSize; ++l) {
      const u32 first = 2 * (static_cast<u32>(l) & 3);
      const bool column = pairs ? (columns >> first & 3) != 0 : (columns >> (first + i % 2) & 1) != 0;
      if (column || (rows[h] >> (l / 4) & 1) != 0) bad |= Lanes{1} << l;
    }
    result[i] = bad;
  }
  for (u32 i = 0; i < n.d; ++i) w.taint(args[i], kAllLanes, result[i]);
}

enum Accumulator { kF32, kF16, kS32 };

template <class E, class F, int K, int kHalves, Accumulator kAcc>
void mma(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  const Counts n = counts(in);
  const u32* a[16];
  const u32* b[8];
  for (u32 i = 0; i < n.a; ++i) a[i] = w.source<u32>(in.more[n.d + i]);
  for (u32 i = 0; i < n.b; ++i) b[i] = w.source<u32>(in.more[n.d + n.a + i]);
  const Arg* c = in.more + n.d + n.a + n.b;
  SpreadA<K> spread;
  ColumnsB<K> columns;
  spread_fragments<E, K, kHalves>(a, spread);
  gather_columns<F, K>(b, columns);
  alignas(64) float sums[2 * kHalves][kWarpSize];
  float* pointers[2 * kHalves];
  for (int i = 0; i < 2 * kHalves; ++i) {
    pointers[i] = sums[i];
    if constexpr (kAcc == kF32) {
      std::memcpy(sums[i], w.source<float>(c[i]), sizeof sums[i]);
    } else if constexpr (kAcc == kF16) {
      const u32* pair = w.source<u32>(c[i / 2]);
      for (int l = 0; l < kWarpSize; ++l) sums[i][l] = Half::to_float(static_cast<u16>(pair[l] >> 16 * (i % 2)));
    } else {
      for (int l = 0; l < kWarpSize; ++l) sums[i][l] = 0;
    }
  }
  multiply<K, kHalves>(spread, columns, pointers);
  define(w, in, n, kAcc == kF16);
  for (int i = 0; i < 2 * kHalves; ++i) {
    if constexpr (kAcc == kF32) {
      std::memcpy(w.at<float>(in.more[i]), sums[i], sizeof sums[i]);
    } else if constexpr (kAcc == kF16) {
      u32* pair = w.at<u32>(in.more[i / 2]);
      const u32 shift = 16 * (static_cast<u32>(i) % 2), keep = 0xffff0000u >> shift;
      for (int l = 0; l < kWarpSize; ++l)
        pair[l] = (pair[l] & keep) | static_cast<u32>(Half::from_float(sums[i][l])) << shift;
    } else {
      // Sums of at most 32 products of bytes, and of 256 of bits, are exact in f32.
      if constexpr (std::is_same_v<E, ElementSign>) {
        for (int l = 0; l < kWarpSize; ++l) sums[i][l] = (static_cast<float>(K) - sums[i][l]) * 0.5f;
      }
      const s32* old = w.source<s32>(c[i]);
      s32* d = w.at<s32>(in.more[i]);
      for (int l = 0; l < kWarpSize; ++l) {
        const s64 sum = s64{old[l]} + static_cast<s32>(sums[i][l]);
        const s64 high = std::numeric_limits<s32>::max(), low = std::numeric_limits<s32>::min();
        d[l] = in.count != 0 ? static_cast<s32>(sum > high ? high : sum < low ? low : sum) : static_cast<s32>(sum);
      }
    }
  }
}

/// f64: one element a register, any of the shapes.
template <int K, int kHalves>
void mma_double(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  const Counts n = counts(in);
  double result[4][kWarpSize];
  for (int i = 0; i < 2 * kHalves; ++i) {
    const double* c = w.source<double>(in.more[n.d + n.a + n.b + static_cast<u32>(i)]);
    for (int l = 0; l < kWarpSize; ++l) {
      double sum = c[l];
      for (int k = 0; k < K; ++k) {
        const double* a = w.source<double>(in.more[n.d + static_cast<u32>(k / 4 * kHalves + i / 2)]);
        const double* b = w.source<double>(in.more[n.d + n.a + static_cast<u32>(k / 4)]);
        sum = std::fma(a[(l & ~3) | (k & 3)], b[(2 * (l & 3) + (i & 1)) * 4 + (k & 3)], sum);
      }
      result[i][l] = sum;
    }
  }
  define(w, in, n, false);
  for (int i = 0; i < 2 * kHalves; ++i) std::memcpy(w.at<double>(in.more[i]), result[i], sizeof result[i]);
}

void take_fragments(Decoder& d, Instr& in, Type dt, Type at, Type bt, Type ct, const Counts& n) {
  std::vector<Arg> args;
  const u32 expected[4] = {n.d, n.a, n.b, n.c};
  const Type types[4] = {dt, at, bt, ct};
  for (std::size_t i = 0; i < 4; ++i) {
    const ptx::Operand& list = d.operand(i);
    const std::size_t found = list.kind == ptx::Operand::Kind::vector ? list.items.size() : 1;
    if (found != expected[i])
      d.unsupported("expected " + std::to_string(expected[i]) + " registers in operand " + std::to_string(i + 1));
    for (std::size_t k = 0; k < found; ++k) {
      const ptx::Operand& o = list.kind == ptx::Operand::Kind::vector ? list.items[k] : list;
      args.push_back(i == 0 ? d.destination(o, types[i]) : d.source(o, types[i]));
    }
  }
  d.set_more(in, args);
  in.flags = n.d | n.a << 8 | n.b << 16 | n.c << 24;
}

template <class E, class F, int K>
Handler pick_int(int m) {
  return m == 16 ? mma<E, F, K, 2, kS32> : mma<E, F, K, 1, kS32>;
}
template <int K>
Handler pick_bytes(Type a, Type b, int m) {
  if (a == Type::s8) return b == Type::s8 ? pick_int<ElementS8, ElementS8, K>(m) : pick_int<ElementS8, ElementU8, K>(m);
  return b == Type::s8 ? pick_int<ElementU8, ElementS8, K>(m) : pick_int<ElementU8, ElementU8, K>(m);
}

template <int K>
Handler pick_nibbles(Type a, Type b, int m) {
  if (a == Type::s4) return b == Type::s4 ? pick_int<ElementS4, ElementS4, K>(m) : pick_int<ElementS4, ElementU4, K>(m);
  return b == Type::s4 ? pick_int<ElementU4, ElementS4, K>(m) : pick_int<ElementU4, ElementU4, K>(m);
}
/// .xor.popc or .and.popc.
template <int K>
Handler pick_bits(bool differ, int m) {
  return differ ? pick_int<ElementSign, ElementSign, K>(m) : pick_int<ElementBit, ElementBit, K>(m);
}
template <int K>
Handler pick_fp8(Type a, Type b, bool half) {
  const auto with = [&]<class E, class F>() -> Handler { return half ? mma<E, F, K, 2, kF16> : mma<E, F, K, 2, kF32>; };
  if (a == Type::e4m3)
    return b == a ? with.template operator()<ElementE4m3, ElementE4m3>()
                  : with.template operator()<ElementE4m3, ElementE5m2>();
  return b == a ? with.template operator()<ElementE5m2, ElementE5m2>()
                : with.template operator()<ElementE5m2, ElementE4m3>();
}

void decode_mma(Decoder& d, Instr& in) {
  d.take("sync");
  d.take("aligned");
  const std::string shape(d.take_one_of({"m16n8k4", "m16n8k8", "m16n8k16", "m16n8k32", "m16n8k64", "m16n8k128",
                                         "m16n8k256", "m8n8k4", "m8n8k16", "m8n8k32", "m8n8k128"}));
  if (shape == "m8n8k4" && d.last_type() != Type::f64) {
    decode_mma_quads(d, in);
    return;
  }
  if (shape.empty() || !d.take("row") || !d.take("col"))
    d.unsupported("expected a shape that the virtual GPU knows, .row.col");
  const bool saturate = d.take("satfinite"), differ = d.take("xor"), both = d.take("and");
  d.take("popc");
  const Type dt = d.need_type(), at = d.need_type(), bt = d.need_type(), ct = d.need_type();
  const int m = shape[1] == '1' ? 16 : 8, k = std::stoi(shape.substr(shape.rfind('k') + 1));
  const u32 halves = m == 16 ? 2 : 1;
  in.kind = Kind::tensor;
  in.tensor_ops = static_cast<u32>(2 * m * 8 * k);
  in.count = saturate ? 1 : 0;
  const auto registers = [&](u32 per_register) {
    const u32 run = 4 * per_register, b = static_cast<u32>(k) / run;
    const bool pairs = dt == Type::f16;
    return Counts{pairs ? halves : 2 * halves, halves * b, b, ct == Type::f16 ? halves : 2 * halves};
  };
  const auto refuse = [&] { d.unsupported("expected a combination of types and shape that the virtual GPU knows"); };
  if (at == Type::f64) {
    if (saturate || bt != at || dt != at || ct != at) refuse();
    take_fragments(d, in, at, at, at, at, registers(1));
    in.run = m == 8 && k == 4 ? mma_double<4, 1>
             : k == 4         ? mma_double<4, 2>
             : k == 8         ? mma_double<8, 2>
             : k == 16        ? mma_double<16, 2>
                              : nullptr;
  } else if (at == Type::f16 && bt == at && m == 16) {
    if (dt != ct || (dt != Type::f32 && dt != Type::f16)) refuse();
    const bool half = dt == Type::f16;
    take_fragments(d, in, half ? Type::b32 : dt, Type::b32, Type::b32, half ? Type::b32 : ct, registers(2));
    if (k == 8) in.run = half ? mma<ElementHalf, ElementHalf, 8, 2, kF16> : mma<ElementHalf, ElementHalf, 8, 2, kF32>;
    if (k == 16)
      in.run = half ? mma<ElementHalf, ElementHalf, 16, 2, kF16> : mma<ElementHalf, ElementHalf, 16, 2, kF32>;
  } else if (at == Type::bf16 && bt == at && dt == Type::f32 && ct == dt && m == 16) {
    take_fragments(d, in, dt, Type::b32, Type::b32, ct, registers(2));
    in.run = k == 8    ? mma<ElementBfloat, ElementBfloat, 8, 2, kF32>
             : k == 16 ? mma<ElementBfloat, ElementBfloat, 16, 2, kF32>
                       : nullptr;
  } else if (at == Type::tf32 && bt == at && dt == Type::f32 && ct == dt && m == 16) {
    take_fragments(d, in, dt, Type::b32, Type::b32, ct, registers(1));
    in.run = k == 4   ? mma<ElementTf32, ElementTf32, 4, 2, kF32>
             : k == 8 ? mma<ElementTf32, ElementTf32, 8, 2, kF32>
                      : nullptr;
  } else if ((at == Type::e4m3 || at == Type::e5m2) && (bt == Type::e4m3 || bt == Type::e5m2) &&
             (dt == Type::f32 || dt == Type::f16) && ct == dt && m == 16) {
    const bool half = dt == Type::f16;
    take_fragments(d, in, half ? Type::b32 : dt, Type::b32, Type::b32, half ? Type::b32 : ct, registers(4));
    in.run = k == 16 ? pick_fp8<16>(at, bt, half) : k == 32 ? pick_fp8<32>(at, bt, half) : nullptr;
  } else if ((at == Type::s4 || at == Type::u4) && (bt == Type::s4 || bt == Type::u4) && dt == Type::s32 && ct == dt) {
    take_fragments(d, in, dt, Type::b32, Type::b32, ct, registers(8));
    in.run = k == 32 ? pick_nibbles<32>(at, bt, m) : k == 64 && m == 16 ? pick_nibbles<64>(at, bt, m) : nullptr;
  } else if (at == Type::b1 && bt == at && differ != both && dt == Type::s32 && ct == dt) {
    take_fragments(d, in, dt, Type::b32, Type::b32, ct, registers(32));
    in.run = k == 128 ? pick_bits<128>(differ, m) : k == 256 && m == 16 ? pick_bits<256>(differ, m) : nullptr;
  } else if ((at == Type::s8 || at == Type::u8) && (bt == Type::s8 || bt == Type::u8) && dt == Type::s32 && ct == dt) {
    take_fragments(d, in, dt, Type::b32, Type::b32, ct, registers(4));
    in.run = k == 16 ? pick_bytes<16>(at, bt, m) : k == 32 && m == 16 ? pick_bytes<32>(at, bt, m) : nullptr;
  }
  if (in.run == nullptr) refuse();
}

}  // namespace

void add_mma(OpTable& table) { table["mma"] = decode_mma; }

}  // namespace vgpu::VGPU_LEVEL
