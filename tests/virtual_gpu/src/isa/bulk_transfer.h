// How bulk copies and bulk reductions move their bytes, once their time has come. PTX ISA, 9.7.9.25.4 and 9.7.9.25.5.
#pragma once

#include "isa/lanes.h"
#include "machine/access.h"
#include "machine/mbarrier.h"
#include "machine/tensor_map.h"

namespace vgpu::VGPU_LEVEL {

/// Where one lane's copy goes and comes from.
struct BulkCopy {
  Warp* w = nullptr;
  const Instr* in = nullptr;
  Lanes lane = 0;
  View view;  ///< at issue
  u64 shared = 0, global = 0, barrier = 0;
  u32 bytes = 0;
  bool tensor = false;
  TensorMap map;  ///< of a tensor (TMA) copy; for bulk copies a map without swizzle
  s32 coordinates[5] = {};
  u32 offsets[3] = {};
  Update update = nullptr;  ///< operation of a reduction
  u32 element = 1;          ///< bytes of one of its elements
};

/// The address of the same place in block `rank` of the cluster.
inline u64 in_block(u64 address, u32 rank) {
  return (address & ((u64{1} << kClusterRankShift) - 1)) | static_cast<u64>(rank + 1) << kClusterRankShift;
}

/// The rank of the block whose shared memory an address names.
inline u32 rank_of(const Warp& w, u64 shared) {
  const u64 named = shared >> kClusterRankShift & 0xff;
  return named == 0 ? w.cta->rank : static_cast<u32>(named) - 1;
}

/// What a copy to shared memory brings from global memory.
inline BoxData read_global(const BulkCopy& c, const Accessor&) {
  if (c.tensor) return read_box(*c.w, *c.in, c.lane, c.map, c.coordinates, c.offsets);
  BoxData data;
  const Place p = place_global(*c.w, *c.in, c.lane, c.global, c.bytes, {});
  count_stretch(*c.w, *c.in, c.global, c.bytes);
  data.bytes.assign(p.data, p.data + c.bytes);
  data.states.assign(p.states, p.states + c.bytes);
  return data;
}

/// Gathers what a copy takes out of shared memory from `address`, 16 bytes at a time for the swizzle, as ordered at
/// issue. `who` has read once those who wait for the copy go on.
inline BoxData read_shared(const BulkCopy& c, const Accessor& who, u64 address) {
  BoxData data;
  data.bytes.resize(c.bytes);
  data.states.resize(c.bytes);
  for (u32 at = 0; at < c.bytes; at += 16) {
    const u32 from = swizzled(c.map, static_cast<u32>(address), at);
    const u32 n = c.bytes - at < 16 ? c.bytes - at : 16;
    const SharedRange range = shared_range(*c.w, *c.in, c.lane, from, n);
    std::memcpy(data.bytes.data() + at, read_shared_async(*c.w, *c.in, c.lane, c.view, who, range, n, true), n);
    std::memcpy(data.states.data() + at, range.cta->shadow.state(range.offset), n);
  }
  return data;
}

/// Applies a reduction to a range of shared memory, whose new contents replace `data`.
inline void reduce_shared(const BulkCopy& c, SharedRange range, BoxData& data) {
  const u8* states = range.cta->shadow.state(range.offset);
  std::vector<u8> now(range.cta->shared.begin() + range.offset, range.cta->shared.begin() + range.offset + c.bytes);
  for (u32 i = 0; i < c.bytes; ++i) {
    if (states[i] != static_cast<u8>(ByteState::defined) || data.states[i] != static_cast<u8>(ByteState::defined)) {
      c.w->fail_at(*c.in, Check::uninitialised, c.lane,
                   "a reduction in shared memory at " + std::to_string(range.offset + kSharedBase + i) +
                       " updates, or takes, what was never written");
    }
  }
  for (u32 i = 0; i < c.bytes; i += c.element) c.update(now.data() + i, data.bytes.data() + i);
  data.bytes = std::move(now);
}

/// Scatters data over a block's shared memory, 16 bytes at a time for the swizzle.
inline void land(const BulkCopy& c, const MbarrierRef& barrier, SharedRange range, BoxData data) {
  if (c.update != nullptr) reduce_shared(c, range, data);
  Accessor who = barrier.accessor(*c.in, *c.w);
  who.atomic = c.update != nullptr;
  View own = c.view;
  own.advance(c.w->cta->rank, c.w->index, ~u32{0});  // the issuing warp has marked the destination
  const auto bytes = static_cast<u32>(data.bytes.size());
  for (u32 at = 0; at < bytes; at += 16) {
    const u32 to = swizzled(c.map, range.offset + kSharedBase, at) - kSharedBase;
    const u32 n = bytes - at < 16 ? bytes - at : 16;
    write_shared_async(*c.w, *c.in, c.lane, own, who, {range.cta, to}, data.bytes.data() + at, data.states.data() + at,
                       n);
  }
}

/// Into shared memory of the block of this rank, at some later time; then the mbarrier there hears of the bytes.
template <class Read>
void start_arrival(const BulkCopy& copy, u32 rank, Read read) {
  Warp& w = *copy.w;
  const u64 to = in_block(copy.shared, rank);
  const SharedRange range = shared_range(w, *copy.in, copy.lane, to, copy.bytes);
  // Several reductions of one place may be under way.
  if (copy.update == nullptr) mark_pending(w, *copy.in, copy.lane, range, copy.bytes);
  find_mbarrier(w, *copy.in, copy.lane, in_block(copy.barrier, rank));
  w.cta->cluster->later([copy, rank, to, read] {
    MbarrierRef barrier = find_mbarrier(*copy.w, *copy.in, copy.lane, in_block(copy.barrier, rank));
    land(copy, barrier, shared_range(*copy.w, *copy.in, copy.lane, to, copy.bytes),
         read(copy, barrier.accessor(*copy.in, *copy.w)));
    barrier.complete_transactions(*copy.w, *copy.in, copy.lane, copy.bytes);
  });
}

/// Shared to global memory: read when waited for, as ordered at issue.
inline void carry_out_store(const BulkCopy& c) {
  const BoxData data = read_shared(c, accessor_of(*c.w, *c.in), c.shared);
  if (c.tensor) {
    write_box(*c.w, *c.in, c.lane, c.map, c.coordinates, data, c.update);
  } else {
    write_global(*c.w, *c.in, c.lane, c.global, data.bytes.data(), data.states.data(), c.bytes, c.element, c.update);
  }
}

}  // namespace vgpu::VGPU_LEVEL
