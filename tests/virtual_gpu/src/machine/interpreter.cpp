// The loop that fetches, guards and runs a warp's instructions.
#include "machine/cta.h"

namespace vgpu {

void run_warp(Warp& w, std::uint32_t turn) {
  if (w.active == 0 && !w.choose()) return;
  w.yielded = false;
  // The counts belong to the worker that runs the cluster now.
  std::vector<LineCount>* counts = w.cta->cluster->counts;
  w.counts = counts != nullptr ? counts->data() + w.frame->program->first_count : nullptr;
  while (turn-- > 0) {
    if (w.pc >= w.stop_pc && !w.choose()) return;
    const Instr& in = w.code[w.pc];
    ++w.pc;
    Lanes mask = w.active;
    if (in.guard.at >= 0) {
      w.require_defined(in.guard, mask, "a predicate that guards an instruction");
      mask &= w.predicate(in.guard);
      if (mask == 0) continue;
    }
    if (w.counts != nullptr) {
      LineCount& count = w.counts[w.pc - 1];
      ++count.issued;
      count.lanes += static_cast<std::uint64_t>(__builtin_popcount(mask));
      count.divergent += mask != kAllLanes;
    }
    in.run(w, in, mask);
    if (w.leave) {
      w.leave = false;
      if (!w.choose(w.yielded)) return;
    }
    if (w.yielded) {
      // What this fragment waits for may have to come from another of the same warp.
      if (!w.waiting.empty()) w.choose(true);
      return;
    }
  }
  // A fragment that runs on and on while others of its warp are ready may be spinning until one of them acts.
  w.diverged_turns = w.waiting.empty() ? 0 : w.diverged_turns + 1;
  if (w.diverged_turns > 64) {
    w.diverged_turns = 0;
    w.choose(true);
  }
}

}  // namespace vgpu
