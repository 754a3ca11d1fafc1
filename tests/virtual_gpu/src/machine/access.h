// One lane's access to memory: address resolution, bounds and race checks.
#pragma once

#include <cstdint>
#include <string>

#include "machine/cta.h"
#include "ptx/ast.h"

namespace vgpu {

struct Access {
  bool write = false;
  bool strong = false;  ///< an atomic, or volatile, relaxed, acquire, release: PTX ISA, 8.4 "Operation types"
  bool atomic = false;
  /// A plain load or store by the lane: lanes of a diverged warp are told apart, races in global memory between warps
  /// of the block are looked for, and two writes by one instruction are left to the caller (Place::repeats).
  bool by_lane = false;
  bool diverged = false;  ///< part of the warp executes it
};

struct Place {
  std::uint8_t* data = nullptr;
  std::uint8_t* states = nullptr;  ///< state of each byte; null where everything is defined (parameters)
  bool defined = true;             ///< all bytes are
  bool repeats = false;  ///< the same instruction has written here, unordered: a race unless it wrote the same
};

/// The running warp as the agent of an access by `instr`.
Accessor accessor_of(const Warp& w, const Instr& instr);
/// "warp 3", with the block where it is not `cta`; "an asynchronous copy".
std::string describe_agent(const Cta& cta, const Accessor& who);

/// Finds and checks `bytes` (1 to 32) at an address of a state space, as the running instruction of `w` accesses it in
/// `lane`, and records the access for the race checks. Throws Fault.
Place place(Warp& w, int lane, ptx::Space space, std::uint64_t address, std::uint32_t bytes, Access access);

/// A range in a block's shared memory, for copies and matrix instructions that touch more than one lane's bytes.
struct SharedRange {
  Cta* cta = nullptr;
  std::uint32_t offset = 0;  ///< in Cta::shared
};
/// `address` as instructions hold it, the block's rank in its upper bits. Throws Fault where the range is outside.
SharedRange shared_range(const Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, std::uint32_t bytes);

/// The block and bytes of a shared address that an asynchronous operation reads or writes, on behalf of `w`'s
/// instruction and ordered as `view` was when that was issued. `who` stands for the operation. Throws Fault.
const std::uint8_t* read_shared_async(const Warp& w, const Instr& instr, Lanes lanes, const View& view,
                                      const Accessor& who, SharedRange range, std::uint32_t bytes, bool async_proxy);
void write_shared_async(const Warp& w, const Instr& instr, Lanes lanes, const View& view, const Accessor& who,
                        SharedRange range, const std::uint8_t* data, const std::uint8_t* states, std::uint32_t bytes);
/// Marks the destination of an asynchronous copy. Throws Fault where an unordered access uses it.
void mark_pending(const Warp& w, const Instr& instr, Lanes lanes, SharedRange range, std::uint32_t bytes);

/// Checks that a range of global memory lies inside an allocation, for a prefetch: it counts as no access, so that it
/// may be unwritten and takes part in no race. Throws Fault.
void check_prefetch(const Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, std::uint32_t bytes);
/// A range of global memory that an asynchronous operation reads or writes. Throws Fault.
Place place_global(Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, std::uint32_t bytes, Access access);

/// After `place` with `repeats`: throws the report of the race.
[[noreturn]] void fail_repeated(Warp& w);

/// Throws the report of a race in shared memory.
[[noreturn]] void fail_shared_race(const Warp& w, const Instr& instr, Lanes lanes, const Cta& cta,
                                   const RaceFound& race, bool writes);

/// Counts one request of a warp.
void count_global(Warp& w, Lanes mask, const std::uint64_t* addresses, std::uint32_t bytes);
void count_shared(Warp& w, Lanes mask, const std::uint64_t* addresses, std::uint32_t bytes);
/// A contiguous range of global memory that `instr`, an asynchronous copy of this warp, reads or writes at once.
void count_stretch(const Warp& w, const Instr& instr, std::uint64_t address, std::uint32_t bytes);

}  // namespace vgpu
