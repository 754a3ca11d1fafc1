// Tensor maps that a kernel changes itself. PTX ISA, 9.7.9.28 tensormap.replace, 9.7.13.5 tensormap.cp_fenceproxy.
#include <algorithm>

#include "isa/addressing.h"
#include "isa/families.h"
#include "isa/lanes.h"
#include "machine/tensor_map.h"

namespace vgpu::VGPU_LEVEL {
namespace {

constexpr u32 kMapBytes = 128;

enum Field : u8 { kAddress, kRank, kBox, kSize, kStride, kStep, kElement, kInterleave, kSwizzle, kFill };
constexpr std::string_view kFields[] = {"global_address", "rank",           "box_dim",  "global_dim",
                                        "global_stride",  "element_stride", "elemtype", "interleave_layout",
                                        "swizzle_mode",   "fill_mode"};

/// Reads or writes the 128 bytes at an address, 16 at a time.
void read_bytes(Warp& w, int l, ptx::Space space, u64 address, u8* bytes) {
  for (u32 i = 0; i < kMapBytes; i += 16) {
    const Place p = place(w, l, space, address + i, 16, {});
    if (!p.defined) w.fail(Check::uninitialised, Lanes{1} << l, "a tensor map that was never written is used");
    std::memcpy(bytes + i, p.data, 16);
  }
}
void write_bytes(Warp& w, int l, ptx::Space space, u64 address, const u8* bytes) {
  for (u32 i = 0; i < kMapBytes; i += 16) {
    const Place p = place(w, l, space, address + i, 16, {true, false, false});
    std::memcpy(p.data, bytes + i, 16);
    if (p.states != nullptr) std::memset(p.states, static_cast<int>(ByteState::defined), 16);
  }
}

/// The manual's numbers of element types, 9.7.9.28, "elemtype".
bool set_element(TensorMap& map, u64 value) {
  static constexpr Type kTypes[] = {Type::u8,  Type::u16, Type::u32, Type::s32,  Type::u64, Type::s64, Type::f16,
                                    Type::f32, Type::f32, Type::f64, Type::bf16, Type::f32, Type::f32};
  if (value >= std::size(kTypes)) return false;
  map.type = kTypes[value];
  map.element_bytes = size_of(map.type);
  map.floating = is_float(map.type);
  map.strides[0] = map.element_bytes;
  return true;
}

bool set(TensorMap& map, Field field, u32 ordinal, u64 value) {
  switch (field) {
    case kAddress:
      map.address = value;
      return value % 16 == 0;
    case kRank:  // counted from zero
      map.rank = static_cast<u32>(value) + 1;
      return value < 5;
    case kBox:
      map.box[ordinal] = static_cast<u32>(value);
      return value >= 1 && value <= 256;
    case kSize:
      map.sizes[ordinal] = static_cast<u32>(value);
      return value != 0;
    case kStride:
      if (ordinal >= 4) return false;
      map.strides[ordinal + 1] = value;
      return value % 16 == 0;
    case kStep:
      map.steps[ordinal] = static_cast<u32>(value);
      return value >= 1 && value <= 8;
    case kElement:
      return set_element(map, value);
    case kInterleave:
      return value == 0;
    case kSwizzle:
      map.swizzle_bytes = value == 0 ? 0 : 16u << value;
      return value <= 3;
    case kFill:
      map.fill = value == 0 ? TensorMap::Fill::zero : TensorMap::Fill::nan;
      return value <= 1;
  }
  return false;
}

/// a[0] the map's address, a[1] the new value. count: the field, width: its ordinal, flags: the space.
void replace(Warp& w, const Instr& in, Lanes mask) {
  alignas(64) u64 at[kWarpSize];
  addresses(w, in.a[0], in.immediate, mask, at);
  const auto space = static_cast<ptx::Space>(in.flags & 7);
  w.require_defined(in.a[1], mask, "a field of a tensor map");
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    const Lanes lane = Lanes{1} << l;
    u8 bytes[kMapBytes];
    TensorMap map;
    read_bytes(w, l, space, at[l], bytes);
    // A map is also made from nothing: 128 zeros of which every field is replaced.
    const bool blank = std::all_of(std::begin(bytes), std::end(bytes), [](u8 b) { return b == 0; });
    if (!blank && !TensorMap::decode(bytes, map)) w.fail(Check::invalid, lane, "the address holds no tensor map");
    if (blank) map.rank = 1;
    const u64 value = in.a[1].bytes == 8 ? w.source<u64>(in.a[1])[l] : w.source<u32>(in.a[1])[l];
    const auto field = static_cast<Field>(in.count);
    if (!set(map, field, in.width, value))
      w.fail(Check::invalid, lane,
             std::string(kFields[field]) + " cannot be " + std::to_string(value) + " on the virtual GPU");
    write_bytes(w, l, space, at[l], map.encode().data());
  }
}

/// a[0] global, a[1] shared: the warp copies one map and releases it.
void copy_and_fence(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  alignas(64) u64 to[kWarpSize], from[kWarpSize];
  addresses(w, in.a[0], in.immediate, mask, to);
  addresses(w, in.a[1], static_cast<s32>(in.flags), mask, from);
  const int l = std::countr_zero(mask);
  u8 bytes[kMapBytes];
  read_bytes(w, l, ptx::Space::shared, from[l], bytes);
  write_bytes(w, l, ptx::Space::global, to[l], bytes);
  w.cta->order.fence(w.index);
}

void decode_replace(Decoder& d, Instr& in) {
  d.take("tile");
  while (in.count < std::size(kFields) && !d.take(kFields[in.count])) ++in.count;
  if (in.count == std::size(kFields)) d.unsupported("expected a field of a tensor map");
  const ptx::Space space = take_space(d);
  d.take("b1024");
  const Type t = d.need_type();
  in.flags = static_cast<u32>(space);
  in.a[0] = d.address(d.operand(0), space, in);
  std::size_t next = 1;
  if (in.count >= kBox && in.count <= kStep) {
    const s64 ordinal = d.integer(d.operand(next++));
    if (ordinal < 0 || ordinal > 4) d.unsupported("expected an ordinal from 0 to 4");
    in.width = static_cast<u8>(ordinal);
  }
  in.a[1] = d.source(d.operand(next), t);
  in.run = replace;
}

void decode(Decoder& d, Instr& in) {
  in.kind = Kind::async;
  if (d.take("replace")) {
    decode_replace(d, in);
    return;
  }
  if (!d.take("cp_fenceproxy")) d.unsupported("expected tensormap.replace or tensormap.cp_fenceproxy");
  d.take("global");
  d.take("shared::cta");
  d.take("tensormap::generic");
  d.take("release");
  d.take_one_of({"cta", "cluster", "gpu", "sys"});
  d.take("sync");
  d.take("aligned");
  if (d.integer(d.operand(2)) != kMapBytes) d.unsupported("expected 128 bytes");
  Instr from;
  in.a[0] = d.address(d.operand(0), ptx::Space::global, in);
  in.a[1] = d.address(d.operand(1), ptx::Space::shared, from);
  in.flags = static_cast<u32>(static_cast<s32>(from.immediate));
  in.run = copy_and_fence;
}

}  // namespace

void add_tensormap(OpTable& table) { table["tensormap"] = decode; }

}  // namespace vgpu::VGPU_LEVEL
