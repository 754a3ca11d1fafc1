// ldmatrix, stmatrix, movmatrix. PTX ISA, 9.7.14.5.15 to 9.7.14.5.17.
#include "isa/addressing.h"
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

/// One 8x8 matrix of 16-bit elements. Lane l holds row l/4, columns 2*(l%4) and the next; transposed, column l/4 and
/// rows.
struct Element {
  u32 row, column;
};
Element element(u32 lane, u32 half, bool transposed) {
  const u32 major = lane / 4, minor = 2 * (lane % 4) + half;
  return transposed ? Element{minor, major} : Element{major, minor};
}

/// The addresses of a matrix's rows come from 8 lanes: matrix i's from lanes 8i to 8i + 7.
void row_addresses(Warp& w, const Instr& in, const Arg& base, u64* at) {
  const Lanes givers = in.count == 4 ? kAllLanes : (Lanes{1} << 8 * in.count) - 1;
  addresses(w, base, in.immediate, givers, at);
  count_shared(w, givers, at, 16);
}

void ldmatrix(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  alignas(64) u64 at[kWarpSize];
  row_addresses(w, in, in.a[1], at);
  const bool transposed = (in.flags & 8) != 0;
  Place rows[kWarpSize];
  bool defined = true;
  for (int r = 0; r < 8 * in.count; ++r) {
    rows[r] = place(w, r, ptx::Space::shared, at[r], 16, {});
    defined &= rows[r].defined;
  }
  for (u32 i = 0; i < in.count; ++i) {
    const Place* m = rows + 8 * i;
    const Arg& d = in.count == 1 ? in.a[0] : in.more[i];
    u32* out = w.at<u32>(d);
    for (u32 l = 0; l < kWarpSize; ++l) {
      if (!transposed) {
        std::memcpy(&out[l], m[l / 4].data + 4 * (l % 4), 4);
        continue;
      }
      u32 value = 0;
      for (u32 h = 0; h < 2; ++h) {
        const Element e = element(l, h, true);
        u16 half;
        std::memcpy(&half, m[e.row].data + 2 * e.column, 2);
        value |= static_cast<u32>(half) << 16 * h;
      }
      out[l] = value;
    }
    if (defined) {
      w.define(d, kAllLanes, 0);
      continue;
    }
    w.check_pending(mask);
    for (u32 l = 0; l < kWarpSize; ++l) {
      u32 bits = 0;
      bool tainted = false;
      for (u32 h = 0; h < 2; ++h) {
        const Element e = element(l, h, transposed);
        for (u32 b = 0; b < 2; ++b) {
          const u8 state = m[e.row].states[2 * e.column + b];
          if (state == static_cast<u8>(ByteState::defined)) continue;
          bits |= 1u << (2 * h + b);
          tainted |= state == static_cast<u8>(ByteState::tainted);
        }
      }
      w.set_undefined_bytes(d, static_cast<int>(l), bits, tainted);
    }
  }
}

void stmatrix(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  alignas(64) u64 at[kWarpSize];
  row_addresses(w, in, in.a[0], at);
  const bool transposed = (in.flags & 8) != 0;
  for (u32 i = 0; i < in.count; ++i) {
    const Arg& s = in.count == 1 ? in.a[1] : in.more[i];
    const u32* values = w.source<u32>(s);
    Place m[8];
    for (u32 r = 0; r < 8; ++r)
      m[r] = place(w, static_cast<int>(8 * i + r), ptx::Space::shared, at[8 * i + r], 16, {true, false, false});
    for (u32 l = 0; l < kWarpSize; ++l) {
      const LaneBytes bytes = lane_bytes(w, s, static_cast<int>(l));
      for (u32 h = 0; h < 2; ++h) {
        const Element e = element(l, h, transposed);
        const u16 half = static_cast<u16>(values[l] >> 16 * h);
        std::memcpy(m[e.row].data + 2 * e.column, &half, 2);
        for (u32 b = 0; b < 2; ++b) {
          const bool bad = (bytes.undefined >> (2 * h + b) & 1) != 0;
          m[e.row].states[2 * e.column + b] = static_cast<u8>(!bad            ? ByteState::defined
                                                              : bytes.tainted ? ByteState::tainted
                                                                              : ByteState::undefined);
        }
      }
    }
  }
  Lanes undefined = 0;
  for (u32 i = 0; i < in.count; ++i) undefined |= w.undefined_in(in.count == 1 ? in.a[1] : in.more[i]);
  if (undefined != 0) w.check_pending(mask);
}

void movmatrix(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  u32 from[kWarpSize];
  std::memcpy(from, w.source<u32>(in.a[1]), sizeof from);
  const Lanes undefined = w.undefined_in(in.a[1]);
  u32* d = w.at<u32>(in.a[0]);
  for (u32 l = 0; l < kWarpSize; ++l) {
    u32 value = 0;
    for (u32 h = 0; h < 2; ++h) {
      const Element e = element(l, h, true);
      value |= (from[e.row * 4 + e.column / 2] >> 16 * (e.column % 2) & 0xffff) << 16 * h;
    }
    d[l] = value;
  }
  w.define(in.a[0], mask, undefined != 0 ? kAllLanes : 0);
}

void take_shape(Decoder& d, Instr& in) {
  d.take("sync");
  d.take("aligned");
  if (!d.take("m8n8")) d.unsupported("expected .m8n8");
  const std::string_view number = d.take_one_of({"x1", "x2", "x4"});
  in.count = number.empty() ? 1 : static_cast<u8>(number[1] - '0');
  in.flags = d.take("trans") ? 8 : 0;
  take_space(d);
  if (d.need_type() != Type::b16) d.unsupported("expected .b16");
  in.kind = Kind::memory;
}

void take_list(Decoder& d, Instr& in, const ptx::Operand& list, std::size_t first, bool load) {
  if (list.kind != ptx::Operand::Kind::vector || list.items.size() != in.count) {
    d.unsupported("expected " + std::to_string(in.count) + " registers in braces");
  }
  std::vector<Arg> args;
  for (const auto& item : list.items) args.push_back(load ? d.destination(item, Type::b32) : d.source(item, Type::b32));
  if (in.count == 1) {
    in.a[first] = args[0];
  } else {
    d.set_more(in, args);
  }
}

void decode_ldmatrix(Decoder& d, Instr& in) {
  take_shape(d, in);
  take_list(d, in, d.operand(0), 0, true);
  in.a[1] = d.address(d.operand(1), ptx::Space::shared, in);
  in.run = ldmatrix;
}

void decode_stmatrix(Decoder& d, Instr& in) {
  take_shape(d, in);
  take_list(d, in, d.operand(1), 1, false);
  in.a[0] = d.address(d.operand(0), ptx::Space::shared, in);
  in.run = stmatrix;
}

void decode_movmatrix(Decoder& d, Instr& in) {
  d.take("sync");
  d.take("aligned");
  if (!d.take("m8n8") || !d.take("trans")) d.unsupported("expected .m8n8.trans");
  d.need_type();
  take_operands(d, in, Type::b32, {Type::b32});
  in.run = movmatrix;
  in.kind = Kind::move;
}

}  // namespace

void add_matrix_memory(OpTable& table) {
  table["ldmatrix"] = decode_ldmatrix;
  table["stmatrix"] = decode_stmatrix;
  table["movmatrix"] = decode_movmatrix;
}

}  // namespace vgpu::VGPU_LEVEL
