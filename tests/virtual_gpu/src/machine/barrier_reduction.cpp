// bar.red's results, handed to the waiters when the barrier completes. PTX ISA, 9.7.13.1.
#include "machine/module.h"

namespace vgpu {

void finish_barrier_reduction(Warp& warp, Frame& frame, const Instr& instr, Lanes lanes, std::uint32_t matching,
                              std::uint32_t voting) {
  (void)warp;
  const Arg& result = instr.more[0];
  constexpr std::uint32_t kPopc = 4, kAnd = 8;
  if ((instr.flags & kPopc) != 0) {
    auto* d = reinterpret_cast<std::uint32_t*>(frame.registers + result.at);
    for (int l = 0; l < kWarpSize; ++l) {
      if ((lanes >> l & 1) != 0) d[l] = matching;
    }
  } else {
    const bool holds = (instr.flags & kAnd) != 0 ? matching == voting : matching != 0;
    auto& p = frame.predicates[static_cast<std::size_t>(result.at)];
    p = holds ? p | lanes : p & ~lanes;
  }
  frame.undefined[result.shadow] &= ~lanes;
}

}  // namespace vgpu
