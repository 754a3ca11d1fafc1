#include "machine/warp.h"

#include <algorithm>
#include <bit>

#include "machine/cta.h"
#include "machine/module.h"

namespace vgpu {

Frame::Frame(const Program& of, FramePtr caller)
    : program(&of),
      parent(std::move(caller)),
      storage(new std::byte[of.register_bytes + 64]),
      predicates(of.predicates, 0),
      undefined(of.shadows, kAllLanes),
      tainted(of.shadows, 0),
      undefined_bytes(std::size_t{of.shadows} * kWarpSize, 0xffff),
      pending(of.shadows, 0),
      undefined_when_done(of.shadows, 0),
      params(std::size_t{of.param_bytes} * kWarpSize, 0),
      params_undefined(params.size(), 1) {
  const auto address = reinterpret_cast<std::uintptr_t>(storage.get());
  registers = storage.get() + (64 - address % 64) % 64;
  predicates[1] = kAllLanes;
  undefined[0] = 0;
  depth = parent ? parent->depth + 1 : 0;
}

bool Warp::runnable() const {
  if (active != 0) return true;
  return std::any_of(waiting.begin(), waiting.end(),
                     [](const Fragment& f) { return f.state == Fragment::State::ready; });
}

bool Warp::choose(bool fair) {
  if (active != 0) {
    waiting.push_back({std::move(frame), pc, active, Fragment::State::ready, 0});
    active = 0;
  }
  // Fragments at the same place merge; one that waits for lanes to arrive checks again.
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    Fragment& f = waiting[i];
    if (f.state == Fragment::State::barrier || f.state == Fragment::State::cluster_barrier) continue;
    for (std::size_t j = i + 1; j < waiting.size();) {
      Fragment& g = waiting[j];
      const bool meets = g.pc == f.pc && g.frame == f.frame &&
                         (g.state == Fragment::State::ready || g.state == Fragment::State::warp_sync);
      if (!meets) {
        ++j;
        continue;
      }
      f.lanes |= g.lanes;
      f.state = Fragment::State::ready;
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(j));
    }
    if (f.state == Fragment::State::warp_sync && (f.sync_mask & ~exited & ~f.lanes) == 0)
      f.state = Fragment::State::ready;
  }
  std::size_t best = waiting.size();
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    const Fragment& f = waiting[i];
    if (f.state != Fragment::State::ready) continue;
    if (best == waiting.size()) {
      best = i;
      continue;
    }
    const Fragment& b = waiting[best];
    const bool lower = f.frame->depth != b.frame->depth ? f.frame->depth > b.frame->depth : f.pc < b.pc;
    // Lanes that spin while they wait for others of their warp must let those run: then the one that lies last goes
    // first.
    if (lower != fair) best = i;
  }
  if (best == waiting.size()) return false;
  Fragment chosen = std::move(waiting[best]);
  waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(best));
  load(std::move(chosen));
  return true;
}

void Warp::load(Fragment fragment) {
  frame = std::move(fragment.frame);
  pc = fragment.pc;
  active = fragment.lanes;
  registers = frame->registers;
  constants = frame->program->constants.data();
  predicates = frame->predicates.data();
  undefined = frame->undefined.data();
  code = frame->program->code.data();
  if (cta->cluster->counts != nullptr) counts = cta->cluster->counts->data() + frame->program->first_count;
  stop_pc = ~std::uint32_t{0};
  for (const Fragment& f : waiting) {
    const bool can_meet = f.state == Fragment::State::ready || f.state == Fragment::State::warp_sync;
    if (can_meet && f.frame == frame && f.pc > pc) stop_pc = std::min(stop_pc, f.pc);
  }
}

void Warp::split(Lanes lanes_elsewhere, std::uint32_t pc_elsewhere) {
  waiting.push_back({frame, pc_elsewhere, lanes_elsewhere, Fragment::State::ready, 0});
  active &= ~lanes_elsewhere;
  leave = true;
}

void Warp::wait_here(Lanes mask, Fragment::State state, Lanes sync_mask) {
  // A warp-wide rendezvous executes the instruction again; a completed barrier continues after it.
  const std::uint32_t at = state == Fragment::State::warp_sync ? pc - 1 : pc;
  waiting.push_back({frame, at, mask, state, sync_mask});
  active &= ~mask;
  leave = true;
}

void Warp::exit_lanes(Lanes mask) {
  for (const PendingGroupWork& work : bulk) {
    if ((mask >> work.lane & 1) == 0) continue;
    fail_at(*work.instr, Check::async_not_waited, Lanes{1} << work.lane,
            "the thread exits before this copy out of its block's shared memory was waited for");
  }
  exited |= mask;
  active &= ~mask;
  leave = true;
  ++cta->cluster->progress;
  cta->check_exited(*this, mask);
  if (finished()) cta->register_pool.check_exit(*this);
  cta->cluster->check_barrier();
}

void Warp::fence(bool acquires, bool releases, bool beyond_block) {
  if (acquires && observed) {
    view.join(*observed);
    observed.reset();
  }
  if (!releases) return;
  const auto keep = [this](std::unique_ptr<View>& fenced) {
    if (!fenced) fenced = std::make_unique<View>();
    *fenced = view;
  };
  keep(fenced_in_block);
  if (beyond_block) keep(fenced_in_cluster);
  tick();
}

void Warp::release_to(View& to, bool relaxed, bool beyond_block) const {
  if (!relaxed) {
    to.join(view);
    return;
  }
  const auto& fenced = beyond_block ? fenced_in_cluster : fenced_in_block;
  if (fenced) to.join(*fenced);
  to.join_executed(view);
}

void Warp::acquire(const View& from, bool relaxed) {
  if (!relaxed) {
    view.join(from);
    return;
  }
  view.join_executed(from);
  if (!observed) observed = std::make_unique<View>();
  observed->join(from);
}

void Warp::taint(const Arg& destination, Lanes mask, Lanes sources_undefined) {
  check_pending(mask);
  const std::uint16_t d = destination.shadow;
  const Lanes bad = sources_undefined & mask;
  undefined[d] = (undefined[d] & ~mask) | bad;
  frame->tainted[d] = (frame->tainted[d] & ~mask) | bad;
  if (bad == 0) return;  // the bytes of defined lanes need no check
  for (int lane = 0; lane < kWarpSize; ++lane) {
    if ((mask >> lane & 1) != 0) frame->undefined_bytes[d * kWarpSize + lane] = (bad >> lane & 1) != 0 ? 0xffff : 0;
  }
}

void Warp::set_undefined_bytes(const Arg& destination, int lane, std::uint32_t bytes, bool tainted_value) {
  const std::uint16_t d = destination.shadow;
  const Lanes bit = Lanes{1} << lane;
  undefined[d] = bytes != 0 ? undefined[d] | bit : undefined[d] & ~bit;
  frame->tainted[d] = bytes != 0 && tainted_value ? frame->tainted[d] | bit : frame->tainted[d] & ~bit;
  frame->undefined_bytes[d * kWarpSize + lane] = static_cast<std::uint16_t>(bytes);
}

std::uint32_t Warp::undefined_bytes(const Arg& arg, int lane) const {
  return (undefined[arg.shadow] >> lane & 1) != 0 ? frame->undefined_bytes[arg.shadow * kWarpSize + lane] : 0;
}

void Warp::check_pending(Lanes mask) const {
  if (frame->pending_count == 0) return;
  const Instr& in = code[pc - 1];
  const auto check = [&](const Arg& arg) {
    if (arg.shadow != 0 && frame->pending[arg.shadow] != 0) {
      fail(Check::async_not_waited, mask,
           "a register that an asynchronous wgmma.mma_async writes is used before wgmma.wait_group");
    }
  };
  for (const Arg& arg : in.a) check(arg);
  for (std::uint32_t i = 0; i < in.more_count; ++i) check(in.more[i]);
}

void Warp::undefined_use(const Arg& arg, Lanes mask, const char* use) {
  check_pending(mask);
  fail(Check::uninitialised, undefined[arg.shadow] & mask,
       std::string("a value that was never written is used as ") + use);
}

void Warp::fail(Check check, Lanes mask, const std::string& message) const {
  fail_at(code[pc - 1], check, mask, message);
}

void Warp::fail_at(const Instr& instr, Check check, Lanes mask, const std::string& message, const Instr* other) const {
  Report report;
  report.check = check;
  report.kernel = cta->launch->kernel.name;
  report.block = cta->index;
  report.thread = cta->thread_index(*this, mask != 0 ? std::countr_zero(mask) : 0);
  report.message = message;
  if (other != nullptr) {
    cta->launch->module.locate(*other, report);
    report.other_ptx_line = report.ptx_line;
    report.other_ptx_text = report.ptx_text;
    report.other_source = report.source;
  }
  cta->launch->module.locate(instr, report);
  throw Fault{std::move(report)};
}

void Warp::wait_for_lanes(Lanes mask) {
  // Fragments run lowest first, so that what is missing should be here. Only where this fragment was let past one that
  // spins can lanes still come.
  const bool coming = mask == active && std::any_of(waiting.begin(), waiting.end(), [&](const Fragment& f) {
                        if (f.state != Fragment::State::ready) return false;
                        return f.frame->depth != frame->depth ? f.frame->depth > frame->depth : f.pc < pc;
                      });
  if (!coming) fail_divergent(mask);
  wait_here(mask, Fragment::State::warp_sync, lanes);
}

void Warp::fail_divergent(Lanes mask) const {
  const Lanes missing = lanes & ~exited & ~mask;
  fail(Check::divergent, mask,
       "an instruction that all threads of the warp must execute together is executed by " +
           std::to_string(std::popcount(mask)) + " of them; " +
           (missing != 0 ? cta->thread_name(*this, std::countr_zero(missing)) : std::string("one")) + " is elsewhere");
}

}  // namespace vgpu
