// What every instruction that touches memory shares: operands to addresses, opcodes to state spaces and orderings.
#pragma once

#include "isa/lanes.h"
#include "machine/access.h"

namespace vgpu::VGPU_LEVEL {

/// The lanes' addresses: base register plus offset. Undefined bases are reported.
inline void addresses(Warp& w, const Arg& base, s64 offset, Lanes mask, u64* out) {
  w.require_defined(base, mask, "an address");
  if (base.bytes == 4) {
    const u32* a = w.source<u32>(base);
    for (int l = 0; l < kWarpSize; ++l) out[l] = static_cast<u32>(a[l] + static_cast<u32>(offset));
  } else {
    const u64* a = w.source<u64>(base);
    for (int l = 0; l < kWarpSize; ++l) out[l] = a[l] + static_cast<u64>(offset);
  }
}

/// The state space that an opcode names; generic where it names none. .const lies in device memory.
inline ptx::Space take_space(Decoder& d) {
  const std::string_view name = d.take_one_of(
      {"global", "shared", "shared::cta", "shared::cluster", "local", "const", "param", "param::entry", "param::func"});
  if (name.empty()) return ptx::Space::generic;
  if (name.starts_with("shared")) return ptx::Space::shared;
  if (name == "local") return ptx::Space::local;
  if (name.starts_with("param")) return ptx::Space::param;
  return ptx::Space::global;
}

/// Cache operators and hints change nothing that a program could see. PTX ISA, 9.7.9.1 "Cache Operators".
inline void take_cache_hints(Decoder& d) {
  d.take_one_of({"ca", "cg", "cs", "lu", "cv", "wb", "wt"});
  d.take("nc");
  d.take_one_of({"L1::evict_normal", "L1::evict_unchanged", "L1::evict_first", "L1::evict_last", "L1::no_allocate"});
  d.take_one_of({"L2::evict_normal", "L2::evict_first", "L2::evict_last"});
  d.take_one_of({"L2::64B", "L2::128B", "L2::256B"});
  d.take("L2::cache_hint");
}

struct Ordering {
  bool strong = false;
  bool acquire = false;
  bool release = false;
  bool gpu = false;  ///< scope is gpu, cluster or sys
};

/// PTX ISA, 8.5 "Scope" and 8.7: .weak is the default of ld and st, .relaxed of atomics.
inline Ordering take_ordering(Decoder& d) {
  Ordering o;
  const std::string_view sem = d.take_one_of({"weak", "volatile", "relaxed", "acquire", "release", "acq_rel"});
  const std::string_view scope = d.take_one_of({"cta", "cluster", "gpu", "sys"});
  d.take("mmio");
  o.strong = !sem.empty() && sem != "weak";
  o.acquire = sem == "acquire" || sem == "acq_rel";
  o.release = sem == "release" || sem == "acq_rel";
  o.gpu = scope != "cta";
  return o;
}

constexpr u32 kStrong = 1u << 8, kAcquire = 1u << 9, kRelease = 1u << 10, kSigned = 1u << 11;

inline u32 ordering_flags(const Ordering& o) {
  return (o.strong ? kStrong : 0) | (o.acquire && o.gpu ? kAcquire : 0) | (o.release && o.gpu ? kRelease : 0);
}

inline bool is_global(ptx::Space space, u64 address) {
  return space == ptx::Space::global || (space == ptx::Space::generic && (address & kWindowMask) == 0);
}

inline bool is_shared(ptx::Space space, u64 address) {
  return space == ptx::Space::shared || (space == ptx::Space::generic && (address & kWindowMask) == kSharedWindow);
}

/// Happens-before of the synchronising accesses to a word of shared memory, whichever block's it is.
inline View& shared_updates(const Warp& w, const Instr& in, int lane, u64 address) {
  const SharedRange range = shared_range(w, in, Lanes{1} << lane, (address & ~kWindowMask) & ~u64{3}, 4);
  return range.cta->shared_atomics[range.offset];
}

}  // namespace vgpu::VGPU_LEVEL
