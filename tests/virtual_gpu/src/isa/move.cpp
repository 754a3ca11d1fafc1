// Moves. PTX ISA, 9.7.9.1 mov, 9.7.9.2 mov (pack and unpack), 9.7.9.18 isspacep, 9.7.9.19 cvta, 9.7.9.23 mapa,
// 9.7.9.24 getctarank.
#include <chrono>

#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

template <class T>
void mov(Warp& w, const Instr& in, Lanes mask) {
  define_bytes(w, in.a[0], mask, w.undefined_in(in.a[1]), [&](int l) { return lane_bytes(w, in.a[1], l); });
  const T* a = w.source<T>(in.a[1]);
  for_lanes(w.at<T>(in.a[0]), mask, [=](int l) { return a[l]; });
}
void mov_predicate(Warp& w, const Instr& in, Lanes mask) {
  w.set_predicate(in.a[0], mask, w.predicate(in.a[1]));
  w.define(in.a[0], mask, w.undefined_in(in.a[1]));
}
/// The address of a local variable, which depends on the call's frame.
void mov_local(Warp& w, const Instr& in, Lanes mask) {
  const u64 address = static_cast<u64>(in.immediate) + w.frame->local_base;
  if (in.width == 8) {
    for_lanes(w.at<u64>(in.a[0]), mask, [=](int) { return address; });
  } else {
    for_lanes(w.at<u32>(in.a[0]), mask, [=](int) { return static_cast<u32>(address); });
  }
  w.define(in.a[0], mask, 0);
}
/// Clocks advance with the host's. PTX ISA, 10.22 to 10.26.
void mov_clock(Warp& w, const Instr& in, Lanes mask) {
  const auto elapsed = std::chrono::steady_clock::now() - w.cta->launch->start;
  const auto now = static_cast<u64>(std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count());
  const u64 value = in.count != 0 ? now >> 32 : now;
  if (in.width == 8) {
    for_lanes(w.at<u64>(in.a[0]), mask, [=](int) { return value; });
  } else {
    for_lanes(w.at<u32>(in.a[0]), mask, [=](int) { return static_cast<u32>(value); });
  }
  w.define(in.a[0], mask, 0);
}

/// d = {a, b, ...}: parts from least significant. more: the parts.
void pack(Warp& w, const Instr& in, Lanes mask) {
  const u32 total = in.a[0].bytes, part = in.width;
  Lanes sources = 0;
  for (u32 i = 0; i < in.more_count; ++i) sources |= w.undefined_in(in.more[i]);
  define_bytes(w, in.a[0], mask, sources, [&](int l) {
    LaneBytes all;
    for (u32 i = 0; i < in.more_count; ++i) {
      const LaneBytes b = lane_bytes(w, in.more[i], l);
      all.undefined |= (b.undefined & ((1u << part) - 1)) << i * part;
      all.tainted |= b.undefined != 0 && b.tainted;
    }
    return all;
  });
  if (part == 2 && total == 4) {
    const u16* a = w.source<u16>(in.more[0]);
    const u16* b = w.source<u16>(in.more[1]);
    for_lanes(w.at<u32>(in.a[0]), mask, [=](int l) { return static_cast<u32>(a[l]) | static_cast<u32>(b[l]) << 16; });
    return;
  }
  if (part == 4 && total == 8) {
    const u32* a = w.source<u32>(in.more[0]);
    const u32* b = w.source<u32>(in.more[1]);
    for_lanes(w.at<u64>(in.a[0]), mask, [=](int l) { return static_cast<u64>(a[l]) | static_cast<u64>(b[l]) << 32; });
    return;
  }
  u8 values[16 * kWarpSize];
  for (u32 i = 0; i < in.more_count; ++i) {
    const u32 stride = in.more[i].bytes < 2 ? 2 : in.more[i].bytes;
    for (u32 l = 0; l < kWarpSize; ++l)
      std::memcpy(values + l * total + i * part, w.source<u8>(in.more[i]) + l * stride, part);
  }
  for (u32 l = 0; l < kWarpSize; ++l) {
    if (has(mask, static_cast<int>(l))) std::memcpy(w.at<u8>(in.a[0]) + l * total, values + l * total, total);
  }
}

/// {a, b, ...} = d
void unpack(Warp& w, const Instr& in, Lanes mask) {
  const u32 total = in.a[1].bytes, part = in.width;
  const Lanes sources = w.undefined_in(in.a[1]);
  // The source may be one of the parts.
  u8 values[16 * kWarpSize];
  std::memcpy(values, w.source<u8>(in.a[1]), total * kWarpSize);
  LaneBytes before[kWarpSize];
  if (sources != 0) {
    for (int l = 0; l < kWarpSize; ++l) before[l] = lane_bytes(w, in.a[1], l);
  }
  for (u32 i = 0; i < in.more_count; ++i) {
    if (in.more[i].bytes == 0) continue;
    define_bytes(w, in.more[i], mask, sources, [&](int l) {
      return LaneBytes{before[l].undefined >> i * part & ((1u << part) - 1), before[l].tainted};
    });
    if (part == 2 && total == 4) {
      const u32 shift = 16 * i;
      for_lanes(w.at<u16>(in.more[i]), mask, [&](int l) {
        u32 v;
        std::memcpy(&v, values + 4 * l, 4);
        return static_cast<u16>(v >> shift);
      });
      continue;
    }
    const u32 stride = in.more[i].bytes < 2 ? 2 : in.more[i].bytes;
    for (u32 l = 0; l < kWarpSize; ++l) {
      if (has(mask, static_cast<int>(l)))
        std::memcpy(w.at<u8>(in.more[i]) + l * stride, values + l * total + i * part, part);
    }
  }
}

// 9.7.9.19: windows of the generic address space. 9.7.9.18: which of them.
void cvta(Warp& w, const Instr& in, Lanes mask) {
  const u64 window = static_cast<u64>(in.immediate);
  const bool to = in.flags != 0;
  if (in.a[0].bytes == 8 && in.a[1].bytes == 8) {
    map1<u64, u64>(w, in, mask, [=](u64 a) { return to ? a & ~(window != 0 ? kWindowMask : 0) : a | window; });
  } else {
    w.fail(Check::invalid, mask, "addresses of 64 bits are expected");
  }
}
template <bool kShared>
void isspacep_window(Warp& w, const Instr& in, Lanes mask) {
  const u64* a = w.source<u64>(in.a[1]);
  const u64 window = static_cast<u64>(in.immediate);
  w.set_predicate(in.a[0], mask, bits_of([=](int l) { return (a[l] & kWindowMask) == window; }));
  if (kShared) {
    // shared::cta is the block's own part of the cluster's window.
    const u64 own = w.cta->rank + 1;
    w.set_predicate(in.a[0], mask, w.predicates[in.a[0].at] & bits_of([=](int l) {
                                     const u64 block = a[l] >> kClusterRankShift & 0xff;
                                     return block == 0 || block == own;
                                   }));
  }
  w.define(in.a[0], mask, w.undefined_in(in.a[1]));
}

// 9.7.9.23: the address of the same place in another block's shared memory. 9.7.9.24: whose memory an address is in.
template <class T>
void mapa(Warp& w, const Instr& in, Lanes mask) {
  constexpr u64 kRanks = u64{0xff} << kClusterRankShift;
  const u32* rank = w.source<u32>(in.a[2]);
  const u32 blocks = static_cast<u32>(w.cta->cluster->ctas.size());
  const Lanes outside = mask & bits_of([=](int l) { return rank[l] >= blocks; });
  w.require_defined(in.a[2], mask, "the rank of a block");
  if (outside != 0)
    w.fail(Check::invalid, outside,
           "the rank of a block is not below the " + std::to_string(blocks) + " of the cluster");
  map2<T, T, u32>(w, in, mask, [](T a, u32 r) {
    return (a & static_cast<T>(~kRanks)) | static_cast<T>(r + 1) << kClusterRankShift;
  });
}
template <class T>
void getctarank(Warp& w, const Instr& in, Lanes mask) {
  const u32 own = w.cta->rank;
  map1<u32, T>(w, in, mask, [own](T a) {
    const u32 block = static_cast<u32>(a >> kClusterRankShift) & 0xff;
    return block == 0 ? own : block - 1;
  });
}

void decode_pack(Decoder& d, Instr& in, Type t) {
  const bool packs = d.operand(1).kind == ptx::Operand::Kind::vector;
  const auto& parts = (packs ? d.operand(1) : d.operand(0)).items;
  const u32 part = size_of(t) / static_cast<u32>(parts.size());
  if (part * parts.size() != size_of(t)) d.unsupported("expected parts that fill the register");
  const Type type = part == 1 ? Type::b8 : part == 2 ? Type::b16 : part == 4 ? Type::b32 : Type::b64;
  std::vector<Arg> args;
  for (const auto& item : parts) {
    if (packs) {
      args.push_back(d.source(item, type, part == 1));
    } else {
      args.push_back(d.is_sink(item) ? Arg{} : d.destination(item, type, part == 1));
    }
  }
  d.set_more(in, args);
  in.width = static_cast<u8>(part);
  if (packs) {
    in.a[0] = d.destination(d.operand(0), t);
    in.run = pack;
  } else {
    in.a[1] = d.source(d.operand(1), t);
    in.run = unpack;
  }
}

void decode_mov(Decoder& d, Instr& in) {
  const Type t = d.need_type();
  in.kind = Kind::move;
  const auto vector = ptx::Operand::Kind::vector;
  if (d.operand(0).kind == vector || d.operand(1).kind == vector) {
    decode_pack(d, in, t);
    return;
  }
  in.a[0] = d.destination(d.operand(0), t);
  in.width = static_cast<u8>(size_of(t));
  if (d.is_dynamic_special(d.operand(1))) {
    in.count = d.operand(1).name.ends_with("_hi") ? 1 : 0;
    in.run = mov_clock;
    return;
  }
  if (const auto offset = d.local_variable(d.operand(1))) {
    in.immediate = static_cast<s64>(*offset);
    in.run = mov_local;
    return;
  }
  in.a[1] = d.source(d.operand(1), t);
  switch (size_of(t)) {
    case 1:
      in.run = mov_predicate;
      break;
    case 2:
      in.run = mov<u16>;
      break;
    case 4:
      in.run = mov<u32>;
      break;
    case 8:
      in.run = mov<u64>;
      break;
    default:
      in.run = mov<unsigned __int128>;
  }
}

u64 window_of(std::string_view space) {
  return space.starts_with("shared")  ? kSharedWindow
         : space == "local"           ? kLocalWindow
         : space.starts_with("param") ? kParamWindow
                                      : 0;
}

void decode_cvta(Decoder& d, Instr& in) {
  in.kind = Kind::move;
  in.flags = d.take("to") ? 1 : 0;
  const std::string_view space =
      d.take_one_of({"global", "shared", "shared::cta", "shared::cluster", "local", "const", "param", "param::entry"});
  const Type t = d.need_type();
  take_operands(d, in, t, {t});
  in.immediate = static_cast<s64>(window_of(space));
  in.run = cvta;
}

void decode_isspacep(Decoder& d, Instr& in) {
  in.kind = Kind::move;
  const std::string_view space =
      d.take_one_of({"global", "shared::cta", "shared::cluster", "shared", "local", "const", "param::entry", "param"});
  take_operands(d, in, Type::pred, {Type::b64});
  in.immediate = static_cast<s64>(window_of(space));
  const bool own = space == "shared" || space == "shared::cta";
  in.run = own ? isspacep_window<true> : isspacep_window<false>;
}

void decode_mapa(Decoder& d, Instr& in) {
  in.kind = Kind::move;
  d.take("shared::cluster");
  const Type t = d.need_type();
  take_operands(d, in, t, {t, Type::u32});
  in.run = size_of(t) == 8 ? mapa<u64> : mapa<u32>;
}

void decode_getctarank(Decoder& d, Instr& in) {
  in.kind = Kind::move;
  d.take("shared::cluster");
  const Type t = d.need_type();
  take_operands(d, in, Type::u32, {t});
  in.run = size_of(t) == 8 ? getctarank<u64> : getctarank<u32>;
}

}  // namespace

void add_move(OpTable& table) {
  table["mov"] = decode_mov;
  table["cvta"] = decode_cvta;
  table["isspacep"] = decode_isspacep;
  table["mapa"] = decode_mapa;
  table["getctarank"] = decode_getctarank;
}

}  // namespace vgpu::VGPU_LEVEL
