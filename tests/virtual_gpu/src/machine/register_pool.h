// The registers of a block that setmaxnreg moves between its warps. PTX ISA, 9.7.19.5 "setmaxnreg".
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "machine/instr.h"

namespace vgpu {

struct Warp;

/// Registers a thread that a kernel is launched with: .maxnreg's, else the most that .maxntid and .minnctapersm leave
/// a thread; 0 where no directive tells. ptxas ignores setmaxnreg there.
std::uint32_t registers_at_launch(const Program& kernel);

class RegisterPool {
 public:
  /// Carries setmaxnreg out for a whole warp. False where .inc must wait until others have released registers. Throws
  /// Fault where the count is on the wrong side of what the warp has, or isn't the one of its warpgroup's other warps.
  bool set(Warp& warp, const Instr& instr, bool increase, std::uint32_t count);
  /// Throws Fault where a warp exits without a setmaxnreg that others of its warpgroup have executed.
  void check_exit(const Warp& warp) const;
  /// Throws Fault, the report of a deadlock, where this warp waits for registers.
  void report_wait(const Warp& warp) const;

 private:
  static constexpr std::size_t kWarps = 32, kGroups = kWarps / 4;
  struct Request {
    const Instr* instr = nullptr;
    bool increase = false;
    std::uint32_t count = 0;
    std::uint32_t warp = 0;  ///< the first of the warpgroup that made it
  };
  struct Owner {
    std::uint32_t registers = 0;   ///< a thread; 0 before the first setmaxnreg: as launched
    std::uint32_t requests = 0;    ///< how many it has made
    const Instr* waits = nullptr;  ///< the setmaxnreg.inc that waits
    std::uint32_t waits_for = 0;   ///< its count
  };
  void check_request(const Warp& warp, const Instr& instr, bool increase, std::uint32_t count);

  std::uint32_t spare_ = 0;  ///< released and not taken: the sum over warps of registers a thread
  std::array<Owner, kWarps> owners_;
  std::array<std::vector<Request>, kGroups> requests_;  ///< by warpgroup, in order
};

}  // namespace vgpu
