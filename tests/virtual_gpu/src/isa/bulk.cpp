// Bulk copies and reductions. PTX ISA, 9.7.9.25.4 cp.async.bulk, cp.reduce.async.bulk, 9.7.9.25.5
// cp.async.bulk.prefetch, 9.7.9.25.6 commit_group and wait_group, 9.7.9.27 cp.async.bulk.tensor,
// cp.reduce.async.bulk.tensor, cp.async.bulk.prefetch.tensor.
//
// Copies into shared memory land at some later time, in no particular order; copies out of it when their thread waits.
#include "isa/addressing.h"
#include "isa/atomic_ops.h"
#include "isa/bulk_transfer.h"
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

constexpr u32 kMulticast = 1, kTensor = 2, kIm2col = 4, kReduce = 64;
/// From where to where, in bits 4 and 5 of the flags.
enum Route : u32 { kLoad = 0 << 4, kStore = 1 << 4, kWithinCluster = 2 << 4 };
u32 route(const Instr& in) { return in.flags & 3 << 4; }

// The operations of a reduction, in the order of in.width's numbers.
constexpr std::string_view kOperations[] = {"add", "min", "max", "inc", "dec", "and", "or", "xor"};

Update updater(std::string_view op, Type type) {
  const bool bitwise = op == "and" || op == "or" || op == "xor";
  if (bitwise && is_float(type)) return nullptr;
  return with_operation(op, type, []<class T, class Op>() -> Update {
    return [](u8* memory, const u8* operand) {
      T b;
      std::memcpy(&b, operand, sizeof b);
      update_element<T, Op>(memory, b, T{});
    };
  });
}

/// Global to shared memory, of one block or of those in the multicast mask.
void start_load(const BulkCopy& copy, u32 mask_of_blocks) {
  Warp& w = *copy.w;
  if ((copy.in->flags & kMulticast) == 0) {
    start_arrival(copy, rank_of(w, copy.shared), read_global);
    return;
  }
  for (u32 r = 0; r < 16; ++r) {
    if ((mask_of_blocks >> r & 1) == 0) continue;
    if (r >= w.cta->cluster->ctas.size())
      w.fail(Check::invalid, copy.lane, "the multicast mask names a block that the cluster lacks");
    start_arrival(copy, r, read_global);
  }
}

TensorMap read_map(Warp& w, Lanes lane, u64 address) {
  TensorMap map;
  if (address % 64 != 0) w.fail(Check::misaligned, lane, "a tensor map lies at a multiple of 64");
  const bool param = (address & kWindowMask) == kParamWindow;
  const auto& params = w.cta->launch->params;
  bool valid = false;
  if (param) {
    const u64 at = address & ~kWindowMask;
    valid = at + 128 <= params.size() && TensorMap::decode(params.data() + at, map);
  } else {
    valid = TensorMap::decode(place_global(w, w.code[w.pc - 1], lane, address, 128, {}).data, map);
  }
  if (!valid) w.fail(Check::invalid, lane, "the address holds no tensor map");
  return map;
}

/// Reads the tensor map, coordinates and offsets of one lane.
void prepare_tensor(Warp& w, const Instr& in, int l, BulkCopy& c) {
  c.tensor = true;
  c.map = read_map(w, c.lane, c.global);
  if (c.map.rank != in.count)
    w.fail(Check::invalid, c.lane,
           "the tensor map has " + std::to_string(c.map.rank) + " dimensions, the instruction " +
               std::to_string(in.count));
  if (c.map.im2col != ((in.flags & kIm2col) != 0))
    w.fail(Check::invalid, c.lane, "the tensor map's mode is not the instruction's");
  for (u32 i = 0; i < in.count; ++i) {
    w.require_defined(in.more[3 + i], c.lane, "a coordinate");
    c.coordinates[i] = w.source<s32>(in.more[3 + i])[l];
  }
  for (u32 i = 3u + in.count, k = 0; i < in.more_count; ++i, ++k) c.offsets[k] = w.source<u16>(in.more[i])[l];
  c.bytes = c.map.box_bytes();
  const u32 alignment = c.map.swizzle_bytes == 0 ? 128 : c.map.swizzle_bytes * 8;
  if (c.shared % (alignment > 128 ? 128 : alignment) != 0)
    w.fail(Check::misaligned, c.lane, "the shared memory of a tensor copy lies at a multiple of 128");
  if ((in.flags & kReduce) == 0) return;
  c.element = c.map.element_bytes;
  c.update = updater(kOperations[in.width], c.map.type);
  if (c.update == nullptr)
    w.fail(Check::invalid, c.lane,
           "the tensor map's elements, of type ." + std::string(name_of(c.map.type)) + ", do not take ." +
               std::string(kOperations[in.width]));
}

/// a[0] shared, a[1] global, the tensor map or the block's own shared memory, a[2] the mbarrier, a[3] bytes, a[4]
/// multicast mask; immediates of the addresses in more[0 .. 2].at; then coordinates, then im2col offsets. count:
/// coordinates. width: the operation of a reduction, immediate: the type of its elements where no tensor map tells.
void bulk(Warp& w, const Instr& in, Lanes mask) {
  alignas(64) u64 shared[kWarpSize], global[kWarpSize], barrier[kWarpSize];
  addresses(w, in.a[0], in.more[0].at, mask, shared);
  addresses(w, in.a[1], in.more[1].at, mask, global);
  if (route(in) != kStore) addresses(w, in.a[2], in.more[2].at, mask, barrier);
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    BulkCopy c;
    c.w = &w;
    c.in = &in;
    c.lane = Lanes{1} << l;
    c.view = w.view;
    c.shared = shared[l] & ~kWindowMask;
    c.global = global[l];
    c.barrier = route(in) != kStore ? barrier[l] & ~kWindowMask : 0;
    if ((in.flags & kTensor) != 0) {
      prepare_tensor(w, in, l, c);
    } else {
      w.require_defined(in.a[3], c.lane, "the size of a bulk copy");
      c.bytes = w.source<u32>(in.a[3])[l];
      if (c.bytes % 16 != 0 || c.shared % 16 != 0 || c.global % 16 != 0)
        w.fail(Check::misaligned, c.lane, "addresses and size of a bulk copy are multiples of 16");
      if (c.bytes == 0) continue;
      if ((in.flags & kReduce) != 0) {
        const auto type = static_cast<Type>(in.immediate);
        c.element = size_of(type);
        c.update = updater(kOperations[in.width], type);
      }
    }
    switch (route(in)) {
      case kLoad:
        start_load(c, (in.flags & kMulticast) != 0 ? w.source<u16>(in.a[4])[l] : 0);
        break;
      case kStore:
        w.bulk.push_back({static_cast<u8>(l), w.bulk_group[l], &in, [c] { carry_out_store(c); }});
        break;
      default:
        start_arrival(c, rank_of(w, c.shared), [](const BulkCopy& copy, const Accessor& who) {
          return read_shared(copy, who, copy.global & ~kWindowMask);
        });
    }
  }
}

/// A prefetch changes nothing that a program could see; its operands must be those of a copy. Operands as of `bulk`.
void prefetch(Warp& w, const Instr& in, Lanes mask) {
  alignas(64) u64 global[kWarpSize];
  addresses(w, in.a[1], in.more[1].at, mask, global);
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    BulkCopy c;
    c.w = &w;
    c.in = &in;
    c.lane = Lanes{1} << l;
    c.global = global[l];
    if ((in.flags & kTensor) != 0) {
      prepare_tensor(w, in, l, c);
      prefetch_box(w, in, c.lane, c.map, c.coordinates, c.offsets);
      continue;
    }
    w.require_defined(in.a[3], c.lane, "the size of a bulk prefetch");
    c.bytes = w.source<u32>(in.a[3])[l];
    if (c.bytes % 16 != 0 || c.global % 16 != 0) {
      w.fail(Check::misaligned, c.lane,
             "expected an address and a size of a bulk prefetch that are multiples of 16, found " +
                 std::to_string(c.bytes) + " bytes at " + w.cta->launch->memory.describe(c.global));
    }
    if (c.bytes != 0) check_prefetch(w, in, c.lane, c.global, c.bytes);
  }
}

void commit(Warp& w, const Instr&, Lanes mask) {
  for (int l = 0; l < kWarpSize; ++l) w.bulk_group[l] += has(mask, l) ? 1 : 0;
}
void wait(Warp& w, const Instr& in, Lanes mask) {
  const auto left = static_cast<u32>(in.immediate);
  std::vector<PendingGroupWork> kept;
  for (PendingGroupWork& work : w.bulk) {
    if (has(mask, work.lane) && work.group + left < w.bulk_group[work.lane]) {
      work.run();
    } else {
      kept.push_back(std::move(work));
    }
  }
  w.bulk = std::move(kept);
}

/// An address operand whose offset goes into a list entry.
Arg take_address(Decoder& d, const ptx::Operand& operand, ptx::Space space, std::vector<Arg>& offsets) {
  Instr address;
  const Arg arg = d.address(operand, space, address);
  Arg offset;
  offset.at = static_cast<s32>(address.immediate);
  offsets.push_back(offset);
  return arg;
}

u32 take_route(Decoder& d) {
  // The first space named is the destination.
  const std::string_view to = d.take_any(), from = d.take_any();
  if (to.starts_with("shared") && from == "global") return kLoad;
  if (to == "global" && from == "shared::cta") return kStore;
  if (to == "shared::cluster" && from == "shared::cta") return kWithinCluster;
  d.unsupported("expected a copy between global and shared memory, or from the block's to the cluster's");
}

void take_reduction(Decoder& d, Instr& in, bool tensor) {
  in.flags |= kReduce;
  while (in.width < std::size(kOperations) && !d.take(kOperations[in.width])) ++in.width;
  if (in.width == std::size(kOperations)) d.unsupported("expected an operation of a reduction");
  if (tensor) return;
  d.take("noftz");
  const Type type = d.need_type();
  if (updater(kOperations[in.width], type) == nullptr) d.unsupported("expected a type that this operation takes");
  in.immediate = static_cast<s64>(type);
}

/// The coordinates beside a tensor map's address, and an im2col load's offsets.
void take_coordinates(Decoder& d, const Instr& in, const ptx::Operand& operand, std::vector<Arg>& more) {
  const auto& items = operand.items;
  if (items.size() != 1 || items[0].items.size() != in.count) d.unsupported("expected one coordinate a dimension");
  for (const auto& c : items[0].items) more.push_back(d.source(c, Type::s32));
}
void take_offsets(Decoder& d, const Instr& in, const ptx::Operand& operand, std::vector<Arg>& more) {
  for (const auto& o : operand.items) more.push_back(d.source(o, Type::u16));
  if (more.size() != 3u + in.count + in.count - 2u) d.unsupported("expected an offset for each spatial dimension");
}

void decode_copy(Decoder& d, Instr& in, bool reduce) {
  const std::string_view dimensions = d.take_one_of({"1d", "2d", "3d", "4d", "5d"});
  const bool tensor = d.take("tensor");
  if (tensor != !dimensions.empty()) d.unsupported("expected dimensions with .tensor");
  const u32 way = take_route(d);
  if (tensor && way == kWithinCluster) d.unsupported("expected a tensor copy from or to global memory");
  if (reduce && way == kLoad) d.unsupported("expected a reduction of what shared memory holds");
  const std::string_view mode = d.take_one_of({"tile", "im2col", "im2col_no_offs"});
  const bool im2col = !mode.empty() && mode != "tile";
  if (im2col && mode != (way == kLoad ? "im2col" : "im2col_no_offs"))
    d.unsupported("expected .im2col of loads and .im2col_no_offs of stores");
  d.take("mbarrier::complete_tx::bytes");
  d.take("bulk_group");
  const bool multicast = d.take("multicast::cluster");
  const bool hint = d.take("L2::cache_hint");
  in.flags = way | (multicast ? kMulticast : 0) | (tensor ? kTensor : 0) | (im2col ? kIm2col : 0);
  in.count = tensor ? static_cast<u8>(dimensions[0] - '0') : 0;
  if (im2col && in.count < 3) d.unsupported("expected at least 3 dimensions with im2col");
  if (reduce) take_reduction(d, in, tensor);
  std::vector<Arg> more;
  const std::size_t shared_at = way == kStore ? 1 : 0, other_at = 1 - shared_at;
  in.a[0] = take_address(d, d.operand(shared_at), ptx::Space::shared, more);
  in.a[1] = take_address(d, d.operand(other_at), way == kWithinCluster ? ptx::Space::shared : ptx::Space::global, more);
  std::size_t next = 2;
  if (!tensor) in.a[3] = d.source(d.operand(next++), Type::u32);
  if (way != kStore) {
    in.a[2] = take_address(d, d.operand(next++), ptx::Space::shared, more);
  } else {
    more.emplace_back();
  }
  if (tensor) {
    take_coordinates(d, in, d.operand(other_at), more);
    if (mode == "im2col") take_offsets(d, in, d.operand(next++), more);
  }
  if (multicast) in.a[4] = d.source(d.operand(next++), Type::u16);
  if (hint) ++next;
  if (next != d.operand_count()) d.unsupported("expected " + std::to_string(next) + " operands");
  d.set_more(in, more);
  in.run = bulk;
}

void decode_prefetch(Decoder& d, Instr& in) {
  const bool tensor = d.take("tensor");
  const std::string_view dimensions = tensor ? d.take_one_of({"1d", "2d", "3d", "4d", "5d"}) : std::string_view{};
  if (tensor && dimensions.empty()) d.unsupported("expected dimensions with .tensor");
  if (!d.take("L2") || !d.take("global")) d.unsupported("expected a prefetch of global memory into L2");
  const std::string_view mode = tensor ? d.take_one_of({"tile", "im2col"}) : std::string_view{};
  const bool hint = d.take("L2::cache_hint");
  in.flags = (tensor ? kTensor : 0) | (mode == "im2col" ? kIm2col : 0);
  in.count = tensor ? static_cast<u8>(dimensions[0] - '0') : 0;
  std::vector<Arg> more(1);
  in.a[1] = take_address(d, d.operand(0), ptx::Space::global, more);
  more.emplace_back();
  std::size_t next = 1;
  if (tensor) {
    take_coordinates(d, in, d.operand(0), more);
    if (mode == "im2col") take_offsets(d, in, d.operand(next++), more);
  } else {
    in.a[3] = d.source(d.operand(next++), Type::u32);
  }
  if (hint) ++next;
  if (next != d.operand_count()) d.unsupported("expected " + std::to_string(next) + " operands");
  d.set_more(in, more);
  in.run = prefetch;
}

}  // namespace

void decode_bulk(Decoder& d, Instr& in, bool reduce) {
  if (reduce) {
    decode_copy(d, in, true);
  } else if (d.take("commit_group")) {
    in.run = commit;
  } else if (d.take("wait_group")) {
    d.take("read");
    in.immediate = d.integer(d.operand(0));
    in.run = wait;
  } else if (d.take("prefetch")) {
    decode_prefetch(d, in);
  } else {
    decode_copy(d, in, false);
  }
}

}  // namespace vgpu::VGPU_LEVEL
