// Barriers and fences. PTX ISA, 9.7.13.1 bar, barrier, 9.7.13.2 bar.warp.sync, 9.7.13.3 barrier.cluster,
// 9.7.13.4 membar, fence.
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

constexpr u32 kArrive = 1, kAligned = 2, kPopc = 4, kAnd = 8, kOr = 16, kCounted = 32, kRelaxed = 64;
/// Of fences: kGlobal where they concern global memory, too, beyond the block.
constexpr u32 kAcquires = 1, kReleases = 2, kBeyondBlock = 4, kGlobal = 8;

u32 uniform(Warp& w, const Arg& arg, Lanes mask, const char* what) {
  w.require_defined(arg, mask, what);
  const u32* a = w.source<u32>(arg);
  const u32 value = a[std::countr_zero(mask)];
  const Lanes other = mask & bits_of([&](int l) { return a[l] != value; });
  if (other != 0) w.fail(Check::invalid, other, std::string(what) + " differs between the threads of a warp");
  return value;
}

void barrier(Warp& w, const Instr& in, Lanes mask) {
  Cta& cta = *w.cta;
  if ((in.flags & kAligned) != 0 && !w.converged(mask)) return;
  const u32 id = uniform(w, in.a[0], mask, "the barrier's number");
  if (id >= 16) w.fail(Check::invalid, mask, "there are 16 barriers, found number " + std::to_string(id));
  const bool counted = (in.flags & kCounted) != 0;
  const u32 all = static_cast<u32>(cta.warps.size()) * kWarpSize;
  const u32 expected = counted ? uniform(w, in.a[1], mask, "the barrier's thread count") : all;
  if (expected == 0 || expected % kWarpSize != 0 || expected > all) {
    w.fail(Check::invalid, mask,
           "a barrier's thread count is a multiple of 32 of at most the block's " + std::to_string(all) + ", found " +
               std::to_string(expected));
  }
  Barrier& b = cta.barriers[id];
  if (b.expected != 0 && b.expected != expected) {
    w.fail(Check::invalid, mask,
           "barrier " + std::to_string(id) + " expects " + std::to_string(expected) + " threads here and " +
               std::to_string(b.expected) + " for those that have come");
  }
  if (!counted) {
    b.whole_block = true;
    for (const auto& other : cta.warps) {
      if (other->exited == 0) continue;
      w.fail(Check::barrier_not_reached, mask,
             cta.thread_name(*other, std::countr_zero(other->exited)) +
                 " has exited and cannot reach this barrier for every thread of the block");
    }
  }
  b.expected = expected;
  // The last warp counts whole, whatever lanes it lacks.
  const Lanes last = Lanes{1} << (31 - std::countl_zero(w.lanes));
  b.arrived += static_cast<u32>(std::popcount(mask)) +
               ((mask & last) != 0 ? kWarpSize - static_cast<u32>(std::popcount(w.lanes)) : 0);
  if (b.arrived > b.expected) {
    w.fail(Check::invalid, mask,
           "more threads come to barrier " + std::to_string(id) + " than the " + std::to_string(expected) +
               " that it expects");
  }
  b.view.join(w.view);
  w.tick();
  ++w.meetings;
  cta.order.settle(w.index);
  ++cta.cluster->progress;
  if ((in.flags & (kPopc | kAnd | kOr)) != 0) {
    w.require_defined(in.more[1], mask, "the predicate of a reduction");
    b.matching += static_cast<u32>(std::popcount(w.predicate(in.more[1]) & mask));
    b.voting += static_cast<u32>(std::popcount(mask));
  }
  if ((in.flags & kArrive) == 0) {
    b.waiters.push_back({&w, mask, &in, w.frame});
    w.wait_here(mask, Fragment::State::barrier, 0);
  }
  if (b.arrived == b.expected) cta.complete(b);
}

/// The id operand of `bar` may be an immediate or a register; a count may follow.
void take_barrier_operands(Decoder& d, Instr& in, std::size_t first, bool more_follow) {
  in.a[0] = d.source(d.operand(first), Type::u32);
  if (d.operand_count() > first + 1 + (more_follow ? 1 : 0)) {
    in.a[1] = d.source(d.operand(first + 1), Type::u32);
    in.flags |= kCounted;
  }
}

// 9.7.13.2: the lanes of the mask wait for each other, wherever they are.
void warp_sync(Warp& w, const Instr& in, Lanes mask) {
  w.require_defined(in.a[0], mask, "a membermask");
  const u32* members = w.source<u32>(in.a[0]);
  while (mask != 0) {
    const u32 group = members[std::countr_zero(mask)];
    const Lanes same = mask & bits_of([&](int l) { return members[l] == group; });
    if ((same & ~group) != 0) w.fail(Check::invalid, same & ~group, "a thread is not in the membermask that it gives");
    mask &= ~same;
    Lanes present = same;
    for (const Fragment& f : w.waiting) {
      if (f.state == Fragment::State::warp_sync && f.sync_mask == group && f.frame->program->code[f.pc].run == in.run)
        present |= f.lanes;
    }
    if ((group & w.lanes & ~w.exited & ~present) != 0) {
      w.wait_here(same, Fragment::State::warp_sync, group);
      continue;
    }
    ++w.meetings;
    w.cta->order.settle(w.index);
    // Lanes that arrived at another instance of the instruction continue after that one.
    for (Fragment& f : w.waiting) {
      if (f.state != Fragment::State::warp_sync || f.sync_mask != group || f.frame->program->code[f.pc].run != in.run)
        continue;
      f.state = Fragment::State::ready;
      ++f.pc;
      w.leave = true;
    }
  }
}

// 9.7.13.3: arrive releases and wait acquires what the cluster's threads did before, except that a relaxed arrival
// publishes only what a fence before it covers.
void cluster_arrive(Warp& w, const Instr& in, Lanes mask) {
  if ((in.flags & kAligned) != 0 && !w.converged(mask)) return;
  const bool relaxed = (in.flags & kRelaxed) != 0;
  Cluster& cluster = *w.cta->cluster;
  if ((w.cluster_arrived & mask) != 0) {
    w.fail(Check::invalid, w.cluster_arrived & mask,
           "barrier.cluster.arrive comes twice without barrier.cluster.wait between");
  }
  w.cluster_arrived |= mask;
  ++w.meetings;
  w.release_to(cluster.arriving, relaxed, true);
  if (relaxed) {
    w.cta->arrived_relaxed = true;
  } else {
    w.cta->order.fence(w.index);
  }
  w.tick();
  cluster.barrier_arrived += static_cast<u32>(std::popcount(mask));
  cluster.check_barrier();
}
void cluster_wait(Warp& w, const Instr& in, Lanes mask) {
  if ((in.flags & kAligned) != 0 && !w.converged(mask)) return;
  const Lanes waits = mask & w.cluster_arrived;
  const Lanes done = mask & w.cluster_passed;
  if ((mask & ~waits & ~done) != 0)
    w.fail(Check::invalid, mask & ~waits & ~done, "barrier.cluster.wait comes without barrier.cluster.arrive");
  w.cluster_passed &= ~done;
  if (done != 0) w.view.join(*w.cluster_phase);
  if (waits != 0) w.wait_here(waits, Fragment::State::cluster_barrier, 0);
}

// 9.7.13.4
void fence(Warp& w, const Instr& in, Lanes) {
  w.fence((in.flags & kAcquires) != 0, (in.flags & kReleases) != 0, (in.flags & kBeyondBlock) != 0);
  if ((in.flags & kGlobal) != 0) w.cta->order.fence(w.index);
}
void fence_proxy_async(Warp& w, const Instr&, Lanes) {
  w.view.fence_async();
  w.tick();
}
/// Orders the warp's mbarrier.init before what others of the cluster do once they are ordered after it in any way.
void fence_mbarrier_init(Warp& w, const Instr&, Lanes) {
  for (auto& [offset, known] : w.cta->mbarriers) {
    const bool own = known.initialised.rank == w.cta->rank && known.initialised.agent == w.index;
    if (own && known.init_fenced == 0) known.init_fenced = w.clock;
  }
}
void no_effect(Warp&, const Instr&, Lanes) {}

void decode_warp_sync(Decoder& d, Instr& in) {
  d.take("sync");
  in.a[0] = d.source(d.operand(0), Type::b32);
  in.run = warp_sync;
}

void decode_cluster(Decoder& d, Instr& in) {
  const std::string_view what = d.take_one_of({"arrive", "wait"});
  const bool relaxed = what == "arrive" && d.take("relaxed");
  d.take(what == "arrive" ? "release" : "acquire");
  in.flags = (d.take("aligned") ? kAligned : 0) | (relaxed ? kRelaxed : 0);
  in.run = what == "arrive" ? cluster_arrive : cluster_wait;
}

void decode_barrier(Decoder& d, Instr& in) {
  in.kind = Kind::barrier;
  if (d.take("cluster")) {
    decode_cluster(d, in);
    return;
  }
  if (d.take("warp")) {
    decode_warp_sync(d, in);
    return;
  }
  d.take("cta");
  in.flags = d.opcode() == "bar" || d.take("aligned") ? kAligned : 0;
  in.run = barrier;
  const std::string_view what = d.take_one_of({"sync", "arrive", "red"});
  if (what == "red") {
    const std::string_view op = d.take_one_of({"popc", "and", "or"});
    in.flags |= op == "popc" ? kPopc : op == "and" ? kAnd : kOr;
    const Type t = d.need_type();
    take_barrier_operands(d, in, 1, true);
    d.set_more(in, {d.destination(d.operand(0), t), d.predicate(d.operand(d.operand_count() - 1))});
  } else {
    take_barrier_operands(d, in, 0, false);
    if (what == "arrive") {
      in.flags |= kArrive;
      if ((in.flags & kCounted) == 0) d.unsupported("expected a thread count");
    }
  }
}

void decode_fence(Decoder& d, Instr& in) {
  in.kind = Kind::barrier;
  in.run = fence;
  if (d.take("proxy")) {
    const std::string_view proxy = d.take_one_of({"alias", "async", "async::generic", "tensormap::generic"});
    const std::string_view space = d.take_one_of({"global", "shared::cta", "shared::cluster", "generic"});
    d.take_one_of({"acquire", "release"});
    d.take_one_of({"cta", "cluster", "gpu", "sys"});
    d.take_one_of({"sync_restrict::shared::cta", "sync_restrict::shared::cluster"});
    in.run = proxy == "async" && space != "global" ? fence_proxy_async : no_effect;
    return;
  }
  if (d.take("mbarrier_init")) {
    d.take("release");
    d.take("cluster");
    in.run = fence_mbarrier_init;
    return;
  }
  const std::string_view sem = d.take_one_of({"sc", "acq_rel", "acquire", "release"});
  const bool shared_alone = !d.take_one_of({"sync_restrict::shared::cta", "sync_restrict::shared::cluster"}).empty();
  const std::string_view scope = d.take_one_of({"cta", "cluster", "gpu", "gl", "sys"});
  in.flags = (sem != "release" ? kAcquires : 0) | (sem != "acquire" ? kReleases : 0) |
             (scope != "cta" ? kBeyondBlock : 0) | (scope != "cta" && !shared_alone ? kGlobal : 0);
}

}  // namespace

void add_barriers(OpTable& table) {
  table["bar"] = decode_barrier;
  table["barrier"] = decode_barrier;
  table["membar"] = decode_fence;
  table["fence"] = decode_fence;
}

}  // namespace vgpu::VGPU_LEVEL
