// A warp: 32 lanes side by side, the fragments into which divergence has split them, and the definedness of registers.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "checks/report.h"
#include "checks/vector_clock.h"
#include "machine/instr.h"

namespace vgpu {

struct Cta;
struct Frame;
struct LineCount;
using FramePtr = std::shared_ptr<Frame>;

/// One call's registers, for all lanes that made the call together.
struct Frame {
  Frame(const Program& program, FramePtr caller);

  const Program* program;
  FramePtr parent;
  std::uint32_t depth = 0;
  std::uint32_t return_pc = 0;
  std::uint32_t local_base = 0;  ///< where this call's local memory starts in each thread's
  const Instr* call = nullptr;   ///< the call that made it
  std::unique_ptr<std::byte[]> storage;
  std::byte* registers;  ///< aligned to 64
  std::vector<std::uint32_t> predicates;
  /// Per register one bit a lane: some byte of it is not defined. Index 0 stands for constants and is always 0.
  std::vector<Lanes> undefined;
  std::vector<Lanes> tainted;                  ///< the undefined ones that were computed from undefined data
  std::vector<std::uint16_t> undefined_bytes;  ///< [register][lane]: one bit a byte
  std::vector<std::uint8_t> pending;           ///< per register: how many asynchronous wgmmas still write it
  std::vector<Lanes> undefined_when_done;      ///< what `undefined` becomes of a pending register
  std::uint32_t pending_count = 0;
  std::vector<std::byte> fenced;  ///< what the registers of Program::fenced held at the last wgmma.fence, or got since
  std::array<std::uint32_t, kWarpSize> allocated{};  ///< by alloca when it was called
  std::vector<std::uint8_t> params;                  ///< [lane][param_bytes]
  std::vector<std::uint8_t> params_undefined;
};

/// Lanes that share a program counter.
struct Fragment {
  enum class State : std::uint8_t { ready, barrier, warp_sync, cluster_barrier };
  FramePtr frame;
  std::uint32_t pc = 0;
  Lanes lanes = 0;
  State state = State::ready;
  Lanes sync_mask = 0;  ///< mask of warp_sync
};

/// One lane's cp.async that has been issued and not yet carried out.
struct PendingCopy {
  std::uint64_t source = 0;       ///< generic address
  std::uint32_t destination = 0;  ///< address in shared memory
  std::uint8_t bytes = 0;
  std::uint8_t source_bytes = 0;  ///< the rest is zero
  std::uint8_t lane = 0;
  std::uint32_t group = 0;  ///< group of its thread; commit_group closes it
  const Instr* instr = nullptr;
};

/// Work that is carried out when its warp waits for the group it belongs to: as late as the manual allows.
struct PendingGroupWork {
  std::uint8_t lane = 0;
  std::uint32_t group = 0;
  const Instr* instr = nullptr;
  std::function<void()> run;
};

/// A wgmma that has been issued. Its warpgroup's shares are computed together, once all of its warps have issued it and
/// one of them waits for it; until a warp waits itself, its accumulators remain pending.
struct PendingMma {
  std::uint32_t group = 0;   ///< commit_group closes it
  std::uint64_t number = 0;  ///< sequence number among the wgmma of its warp
  bool computed = false;
  const Instr* instr = nullptr;
  std::function<void()> compute;
  std::function<void()> publish;
};

struct alignas(64) Warp {
  // The running fragment.
  std::byte* registers = nullptr;
  const std::byte* constants = nullptr;
  std::uint32_t* predicates = nullptr;
  Lanes* undefined = nullptr;
  const Instr* code = nullptr;
  std::uint32_t pc = 0;
  Lanes active = 0;
  std::uint32_t stop_pc = 0;         ///< another fragment waits there or before: choose again
  bool leave = false;                ///< the handler changed the fragments: choose again
  bool yielded = false;              ///< it waits for others
  std::uint32_t diverged_turns = 0;  ///< consecutive turns of one fragment while others were ready
  FramePtr frame;

  Cta* cta = nullptr;
  std::uint32_t index = 0;  ///< index in the block
  Lanes lanes = 0;          ///< lanes that exist
  Lanes exited = 0;
  Lanes cluster_arrived = 0;   ///< at barrier.cluster, in the phase that runs
  Lanes cluster_passed = 0;    ///< whose phase is over, and which have not waited for it yet
  std::uint32_t meetings = 0;  ///< how often its lanes have met at an instruction that makes them wait for each other
  Lanes carry = 0;             ///< CC.CF of the extended-precision instructions
  std::vector<Fragment> waiting;

  std::vector<std::uint8_t> local;  ///< [lane][stack bytes]
  std::vector<std::uint8_t> local_states;
  std::uint32_t stack_bytes = 0;
  std::array<std::uint32_t, kWarpSize> allocated{};  ///< bytes taken by alloca after the static stack

  View view;
  std::uint32_t clock = 1;  ///< its own tick, mirrored in view
  /// What the warp's last releasing fence covers, at block scope and at cluster scope or wider: what a relaxed arrival
  /// after it publishes. Null before the first.
  std::unique_ptr<View> fenced_in_block, fenced_in_cluster;
  std::unique_ptr<View> observed;             ///< by relaxed waits: counts from the next acquiring fence on
  std::shared_ptr<const View> cluster_phase;  ///< what the phase of barrier.cluster that passed has released

  // Asynchronous work. Group numbers count up per thread (copies, bulk) and per warp (wgmma).
  std::vector<PendingCopy> copies;
  std::uint32_t copy_group[kWarpSize] = {};
  std::vector<PendingMma> mmas;
  std::uint32_t mma_group = 0;
  std::uint64_t mmas_issued = 0;
  bool mma_fenced = false;        ///< at all
  bool mma_fenced_again = false;  ///< since it last waited for a wgmma
  std::vector<PendingGroupWork> bulk;
  std::uint32_t bulk_group[kWarpSize] = {};
  LineCount* counts = nullptr;  ///< counts of the running program's instructions; null where counters are off

  template <class T>
  T* at(const Arg& arg) {
    return reinterpret_cast<T*>(registers + arg.at);
  }
  template <class T>
  const T* source(const Arg& arg) const {
    return reinterpret_cast<const T*>(arg.at >= 0 ? registers + arg.at : constants + ~arg.at);
  }
  Lanes predicate(const Arg& arg) const { return arg.negated ? ~predicates[arg.at] : predicates[arg.at]; }
  void set_predicate(const Arg& arg, Lanes mask, Lanes value) {
    predicates[arg.at] = (predicates[arg.at] & ~mask) | (value & mask);
  }
  /// The lanes that have not exited.
  Lanes live() const { return lanes & ~exited; }
  Lanes undefined_in(const Arg& arg) const { return undefined[arg.shadow]; }

  /// After a write: the destination is defined where all sources are; else all its bytes are tainted.
  void define(const Arg& destination, Lanes mask, Lanes sources_undefined) {
    if (((sources_undefined | undefined[destination.shadow]) & mask) != 0) [[unlikely]] {
      taint(destination, mask, sources_undefined);
    }
  }
  void taint(const Arg& destination, Lanes mask, Lanes sources_undefined);
  /// For instructions that move bytes: sets which bytes of one lane are undefined (bit per byte).
  void set_undefined_bytes(const Arg& destination, int lane, std::uint32_t bytes, bool tainted_value);
  std::uint32_t undefined_bytes(const Arg& arg, int lane) const;
  bool is_tainted(const Arg& arg, int lane) const { return (frame->tainted[arg.shadow] >> lane & 1) != 0; }
  /// Reports where the running instruction touches a register that a wgmma still writes.
  void check_pending(Lanes mask) const;
  /// Reports where a lane of the mask uses an undefined value as an address, a condition, ...
  void require_defined(const Arg& arg, Lanes mask, const char* use) {
    if ((undefined[arg.shadow] & mask) != 0) [[unlikely]]
      undefined_use(arg, mask, use);
  }
  [[noreturn]] void undefined_use(const Arg& arg, Lanes mask, const char* use);

  /// Ends the launch with a report about the running instruction and the lowest lane of the mask.
  [[noreturn]] void fail(Check check, Lanes mask, const std::string& message) const;
  /// `other` is the instruction that made the earlier access of a race.
  [[noreturn]] void fail_at(const Instr& instr, Check check, Lanes mask, const std::string& message,
                            const Instr* other = nullptr) const;

  // Fragments.
  bool runnable() const;
  bool finished() const { return active == 0 && waiting.empty(); }
  /// Saves the running fragment, merges fragments at the same place, and loads the one with the deepest call and the
  /// lowest program counter. False where every fragment waits.
  bool choose(bool fair = false);
  void load(Fragment fragment);
  /// Some of the running lanes go on elsewhere.
  void split(Lanes lanes_elsewhere, std::uint32_t pc_elsewhere);
  /// The running lanes of the mask wait at the running instruction, which runs again when they are ready.
  void wait_here(Lanes mask, Fragment::State state, Lanes sync_mask);
  void exit_lanes(Lanes mask);
  /// For instructions that all threads of the warp execute together (PTX ISA: the .aligned modifier). False where lanes
  /// are missing that can still arrive: then this fragment waits and the handler returns. Throws Fault where none is.
  bool converged(Lanes mask) {
    if (mask == (lanes & ~exited)) [[likely]]
      return true;
    wait_for_lanes(mask);
    return false;
  }
  void wait_for_lanes(Lanes mask);
  [[noreturn]] void fail_divergent(Lanes mask) const;

  /// After others may be ordered after this warp: what it does next is new to them.
  void tick() { view.generic.seen[index] = ++clock; }
  /// A fence of the generic proxy.
  void fence(bool acquires, bool releases, bool beyond_block);
  /// What an arrival adds to `to`: all that the warp is ordered after or, where relaxed, what its last fence covers.
  void release_to(View& to, bool relaxed, bool beyond_block) const;
  /// A wait that finds what was released in `from`.
  void acquire(const View& from, bool relaxed);
};

}  // namespace vgpu
