// mma.m8n8k4 of f16, the shape of sm_70: each of the four pairs of quads, threads 4i to 4i + 3 and 16 more, multiplies
// matrices of its own. PTX ISA, 9.7.14.5.1 "Matrix Fragments for mma.m8n8k4 with .f16 floating point type".
#include "isa/families.h"
#include "isa/half_formats.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

constexpr u32 kAColumns = 1, kBRows = 2, kDHalf = 4, kCHalf = 8;

/// The element of an accumulator that is a lane's i-th.
struct Place2d {
  u32 row, column;
};
Place2d accumulator(u32 lane, u32 i, bool half) {
  const u32 lower = lane < 16 ? 0 : 4;
  if (half) return {lane % 4 + lower, i};
  return {(lane & 1) + (i & 2) + lower, (i & 4) + (lane & 2) + (i & 1)};
}

/// Registers of D, A, B, C, in this order in `more`.
u32 accumulators(bool half) { return half ? 4 : 8; }

void mma(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  const bool d_half = (in.flags & kDHalf) != 0, c_half = (in.flags & kCHalf) != 0;
  const Arg* d = in.more;
  const Arg* a = d + accumulators(d_half);
  const Arg* b = a + 2;
  const Arg* c = b + 2;
  Lanes undefined = 0;
  for (u32 i = 0; i < in.more_count; ++i) {
    const Arg& r = in.more[i];
    if (&r >= a) undefined |= w.undefined_in(r);
  }
  const auto half_of = [&](const Arg* registers, u32 lane, u32 i) {
    return Half::to_float(static_cast<u16>(w.source<u32>(registers[i / 2])[lane] >> 16 * (i % 2)));
  };
  float results[8][kWarpSize];
  for (u32 pair = 0; pair < 4; ++pair) {
    float left[8][4], right[4][8], sums[8][8];
    for (u32 t = 0; t < 8; ++t) {
      const u32 lane = 4 * pair + t % 4 + t / 4 * 16;
      for (u32 i = 0; i < 4; ++i) {
        // Threads of the upper quad hold rows (columns) 4 to 7.
        if ((in.flags & kAColumns) != 0) {
          left[i + t / 4 * 4][t % 4] = half_of(a, lane, i);
        } else {
          left[t][i] = half_of(a, lane, i);
        }
        if ((in.flags & kBRows) != 0) {
          right[t % 4][i + t / 4 * 4] = half_of(b, lane, i);
        } else {
          right[i][t] = half_of(b, lane, i);
        }
      }
      for (u32 i = 0; i < 8; ++i) {
        const Place2d p = accumulator(lane, i, c_half);
        sums[p.row][p.column] = c_half ? half_of(c, lane, i) : w.source<float>(c[i])[lane];
      }
    }
    for (u32 row = 0; row < 8; ++row) {
      for (u32 column = 0; column < 8; ++column) {
        for (u32 k = 0; k < 4; ++k) sums[row][column] = std::fma(left[row][k], right[k][column], sums[row][column]);
      }
    }
    for (u32 t = 0; t < 8; ++t) {
      const u32 lane = 4 * pair + t % 4 + t / 4 * 16;
      for (u32 i = 0; i < 8; ++i) {
        const Place2d p = accumulator(lane, i, d_half);
        results[i][lane] = sums[p.row][p.column];
      }
    }
  }
  // Undefined in a pair of quads where any of its operands is.
  Lanes bad = 0;
  for (u32 pair = 0; pair < 4; ++pair) {
    const Lanes lanes = 0x000f000fu << 4 * pair;
    if ((undefined & lanes) != 0) bad |= lanes;
  }
  for (u32 i = 0; i < accumulators(d_half); ++i) {
    w.define(d[i], mask, bad);
    for (u32 l = 0; l < kWarpSize; ++l) {
      if (d_half) {
        w.at<u32>(d[i])[l] = static_cast<u32>(Half::from_float(results[2 * i][l])) |
                             static_cast<u32>(Half::from_float(results[2 * i + 1][l])) << 16;
      } else {
        w.at<float>(d[i])[l] = results[i][l];
      }
    }
  }
}

}  // namespace

void decode_mma_quads(Decoder& d, Instr& in) {
  const std::string_view a_layout = d.take_any(), b_layout = d.take_any();
  const Type dt = d.need_type(), at = d.need_type(), bt = d.need_type(), ct = d.need_type();
  const auto accumulates = [](Type t) { return t == Type::f16 || t == Type::f32; };
  if (at != Type::f16 || bt != at || !accumulates(dt) || !accumulates(ct))
    d.unsupported("expected .f16 factors and .f16 or .f32 accumulators");
  in.flags = (a_layout == "col" ? kAColumns : 0) | (b_layout == "row" ? kBRows : 0) | (dt == Type::f16 ? kDHalf : 0) |
             (ct == Type::f16 ? kCHalf : 0);
  const std::size_t expected[4] = {accumulators(dt == Type::f16), 2, 2, accumulators(ct == Type::f16)};
  const Type types[4] = {dt == Type::f16 ? Type::b32 : dt, Type::b32, Type::b32, ct == Type::f16 ? Type::b32 : ct};
  std::vector<Arg> args;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& items = d.operand(i).items;
    if (items.size() != expected[i])
      d.unsupported("expected " + std::to_string(expected[i]) + " registers in operand " + std::to_string(i + 1));
    for (const auto& item : items) args.push_back(i == 0 ? d.destination(item, types[i]) : d.source(item, types[i]));
  }
  d.set_more(in, args);
  in.kind = Kind::tensor;
  in.tensor_ops = 4 * 2 * 8 * 8 * 4;
  in.run = mma;
}

}  // namespace vgpu::VGPU_LEVEL
