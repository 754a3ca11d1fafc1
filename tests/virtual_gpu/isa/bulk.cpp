// Bulk copies. PTX ISA, 9.7.9.25.4 cp.async.bulk, 9.7.9.25.5 cp.async.bulk.prefetch, 9.7.9.25.6 commit_group and
// wait_group, 9.7.9.27 cp.async.bulk.tensor, cp.async.bulk.prefetch.tensor.
//
// Copies into shared memory land at some later time, in no particular order; copies out of it when their thread waits.
#include "isa/addressing.h"
#include "isa/families.h"
#include "isa/lanes.h"
#include "machine/mbarrier.h"
#include "machine/tensor_map.h"

namespace vgpu::VGPU_LEVEL {
namespace {

constexpr u32 kMulticast = 1, kTensor = 2, kIm2col = 4, kToShared = 8;

/// A view that is ordered after everything: for shared memory of other blocks, whose clocks mean nothing here.
const View& omniscient() {
  static const View view = [] {
    View v;
    v.generic.seen.fill(~u32{0});
    v.async.seen.fill(~u32{0});
    return v;
  }();
  return view;
}

/// Where one lane's copy goes and comes from.
struct Copy {
  Warp* w = nullptr;
  const Instr* in = nullptr;
  Lanes lane = 0;
  View view;  ///< at issue
  u64 shared = 0, global = 0, barrier = 0;
  u32 bytes = 0;
  TensorMap map;
  s32 coordinates[5] = {};
  u32 offsets[3] = {};
};

/// Scatters data over a block's shared memory, 16 bytes at a time for the swizzle.
void land(const Copy& c, const MbarrierRef& barrier, SharedRange range, const BoxData& data) {
  const Accessor who = barrier.accessor(*c.in, *c.w);
  const View& view = range.cta == c.w->cta ? c.view : omniscient();
  const auto bytes = static_cast<u32>(data.bytes.size());
  View own = view;
  own.generic.seen[c.w->index] = ~u32{0};
  for (u32 at = 0; at < bytes; at += 16) {
    const u32 to = swizzled(c.map, range.offset + kSharedBase, at) - kSharedBase;
    const u32 n = bytes - at < 16 ? bytes - at : 16;
    write_shared_async(*c.w, *c.in, c.lane, own, who, {range.cta, to}, data.bytes.data() + at, data.states.data() + at,
                       n);
  }
}

/// The address of the same place in block `rank` of the cluster.
u64 in_block(u64 address, u32 rank) {
  return (address & ((u64{1} << kClusterRankShift) - 1)) | static_cast<u64>(rank + 1) << kClusterRankShift;
}

BoxData read_global(const Copy& c) {
  if ((c.in->flags & kTensor) != 0) return read_box(*c.w, *c.in, c.lane, c.map, c.coordinates, c.offsets);
  BoxData data;
  const Place p = place_global(*c.w, *c.in, c.lane, c.global, c.bytes, {});
  data.bytes.assign(p.data, p.data + c.bytes);
  data.states.assign(p.states, p.states + c.bytes);
  return data;
}

/// Global to shared memory, of one block or of those in the multicast mask.
void start_load(Copy copy, u32 mask_of_blocks) {
  Warp& w = *copy.w;
  Cluster& cluster = *w.cta->cluster;
  std::vector<u32> ranks;
  if ((copy.in->flags & kMulticast) != 0) {
    for (u32 r = 0; r < 16; ++r) {
      if ((mask_of_blocks >> r & 1) == 0) continue;
      if (r >= cluster.ctas.size())
        w.fail(Check::invalid, copy.lane, "the multicast mask names a block that the cluster lacks");
      ranks.push_back(r);
    }
  } else {
    const u64 named = copy.shared >> kClusterRankShift & 0xff;
    ranks.push_back(named == 0 ? w.cta->rank : static_cast<u32>(named) - 1);
  }
  for (const u32 rank : ranks) {
    const u64 to = in_block(copy.shared, rank);
    mark_pending(w, *copy.in, copy.lane, shared_range(w, *copy.in, copy.lane, to, copy.bytes), copy.bytes);
    find_mbarrier(w, *copy.in, copy.lane, in_block(copy.barrier, rank));
    cluster.later([copy, rank, to] {
      MbarrierRef barrier = find_mbarrier(*copy.w, *copy.in, copy.lane, in_block(copy.barrier, rank));
      land(copy, barrier, shared_range(*copy.w, *copy.in, copy.lane, to, copy.bytes), read_global(copy));
      barrier.complete_transactions(*copy.w, *copy.in, copy.lane, copy.bytes);
    });
  }
}

/// Shared to global memory: read when waited for, as ordered at issue.
void carry_out_store(const Copy& c) {
  BoxData data;
  data.bytes.resize(c.bytes);
  data.states.resize(c.bytes);
  for (u32 at = 0; at < c.bytes; at += 16) {
    const u32 from = swizzled(c.map, static_cast<u32>(c.shared), at);
    const u32 n = c.bytes - at < 16 ? c.bytes - at : 16;
    const SharedRange range = shared_range(*c.w, *c.in, c.lane, from, n);
    const u8* bytes = read_shared_async(*c.w, *c.in, c.lane, c.view, range, n, true);
    std::memcpy(data.bytes.data() + at, bytes, n);
    std::memcpy(data.states.data() + at, range.cta->shadow.state(range.offset), n);
  }
  if ((c.in->flags & kTensor) != 0) {
    write_box(*c.w, *c.in, c.lane, c.map, c.coordinates, data);
    return;
  }
  const Place p = place_global(*c.w, *c.in, c.lane, c.global, c.bytes, {true, false, false});
  std::memcpy(p.data, data.bytes.data(), c.bytes);
  std::memcpy(p.states, data.states.data(), c.bytes);
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

/// a[0] shared, a[1] global or the tensor map, a[2] the mbarrier, a[3] bytes, a[4] multicast mask; immediates of the
/// addresses in more[0 .. 2].at; then coordinates, then im2col offsets. count: coordinates.
void bulk(Warp& w, const Instr& in, Lanes mask) {
  alignas(64) u64 shared[kWarpSize], global[kWarpSize], barrier[kWarpSize];
  addresses(w, in.a[0], in.more[0].at, mask, shared);
  addresses(w, in.a[1], in.more[1].at, mask, global);
  const bool load = (in.flags & kToShared) != 0, tensor = (in.flags & kTensor) != 0;
  if (load) addresses(w, in.a[2], in.more[2].at, mask, barrier);
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    Copy c;
    c.w = &w;
    c.in = &in;
    c.lane = Lanes{1} << l;
    c.view = w.view;
    c.shared = shared[l] & ~kWindowMask;
    c.global = global[l];
    c.barrier = load ? barrier[l] & ~kWindowMask : 0;
    if (tensor) {
      c.map = read_map(w, c.lane, global[l]);
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
      const u32 needed = alignment > 128 ? 128 : alignment;
      if (c.shared % needed != 0)
        w.fail(Check::misaligned, c.lane, "the shared memory of a tensor copy lies at a multiple of 128");
    } else {
      w.require_defined(in.a[3], c.lane, "the size of a bulk copy");
      c.bytes = w.source<u32>(in.a[3])[l];
      if (c.bytes % 16 != 0 || c.shared % 16 != 0 || c.global % 16 != 0)
        w.fail(Check::misaligned, c.lane, "addresses and size of a bulk copy are multiples of 16");
      if (c.bytes == 0) continue;
    }
    if (load) {
      u32 blocks = 0;
      if ((in.flags & kMulticast) != 0) blocks = w.source<u16>(in.a[4])[l];
      start_load(c, blocks);
    } else {
      w.bulk.push_back({static_cast<u8>(l), w.bulk_group[l], &in, [c] { carry_out_store(c); }});
    }
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

void decode_copy(Decoder& d, Instr& in) {
  const std::string_view dimensions = d.take_one_of({"1d", "2d", "3d", "4d", "5d"});
  const bool tensor = d.take("tensor");
  // The first space named is the destination.
  const std::string_view to = d.take_any(), from = d.take_any();
  const bool load = to.starts_with("shared") && from == "global", store = to == "global" && from == "shared::cta";
  if (!load && !store) d.unsupported("expected a copy between global and shared memory");
  const std::string_view mode = d.take_one_of({"tile", "im2col", "im2col_no_offs"});
  if (mode == "im2col_no_offs") d.unsupported("expected a tiled store");
  d.take("mbarrier::complete_tx::bytes");
  d.take("bulk_group");
  const bool multicast = d.take("multicast::cluster");
  const bool hint = d.take("L2::cache_hint");
  if (tensor != !dimensions.empty()) d.unsupported("expected dimensions with .tensor");
  if (mode == "im2col" && store) d.unsupported("expected a tiled store");
  in.flags =
      (multicast ? kMulticast : 0) | (tensor ? kTensor : 0) | (mode == "im2col" ? kIm2col : 0) | (load ? kToShared : 0);
  in.count = tensor ? static_cast<u8>(dimensions[0] - '0') : 0;
  std::vector<Arg> more;
  const std::size_t shared_at = load ? 0 : 1, global_at = load ? 1 : 0;
  in.a[0] = take_address(d, d.operand(shared_at), ptx::Space::shared, more);
  in.a[1] = take_address(d, d.operand(global_at), ptx::Space::global, more);
  std::size_t next = 2;
  if (!tensor) in.a[3] = d.source(d.operand(next++), Type::u32);
  if (load) {
    in.a[2] = take_address(d, d.operand(next++), ptx::Space::shared, more);
  } else {
    more.emplace_back();
  }
  if (tensor) {
    const auto& items = d.operand(global_at).items;
    if (items.size() != 1 || items[0].items.size() != in.count) d.unsupported("expected one coordinate a dimension");
    for (const auto& c : items[0].items) more.push_back(d.source(c, Type::s32));
    if (mode == "im2col") {
      for (const auto& o : d.operand(next++).items) more.push_back(d.source(o, Type::u16));
      if (more.size() != 3u + in.count + in.count - 2u) d.unsupported("expected an offset for each spatial dimension");
    }
  }
  if (multicast) in.a[4] = d.source(d.operand(next++), Type::u16);
  if (hint) ++next;
  if (next != d.operand_count()) d.unsupported("expected " + std::to_string(next) + " operands");
  d.set_more(in, more);
  in.run = bulk;
}

}  // namespace

void decode_bulk(Decoder& d, Instr& in) {
  if (d.take("commit_group")) {
    in.run = commit;
  } else if (d.take("wait_group")) {
    d.take("read");
    in.immediate = d.integer(d.operand(0));
    in.run = wait;
  } else if (d.take("prefetch")) {
    while (!d.take_any().empty()) {
    }
  } else {
    decode_copy(d, in);
  }
}

}  // namespace vgpu::VGPU_LEVEL
