#include "machine/cta.h"

#include <algorithm>
#include <bit>

#include "machine/module.h"

namespace vgpu {
namespace {

std::uint32_t volume(const Dim3& d) { return d[0] * d[1] * d[2]; }

}  // namespace

Cta::Cta(Cluster& in, Dim3 where, std::uint32_t cluster_rank)
    : cluster(&in),
      launch(in.launch),
      index(where),
      rank(cluster_rank),
      shared(launch->kernel.static_shared + launch->config.dynamic_shared, 0xff),
      shadow(static_cast<std::uint32_t>(shared.size())) {
  const Dim3& grid = launch->config.grid;
  order.block = (where[2] * grid[1] + where[1]) * grid[0] + where[0];
  const std::uint32_t threads = volume(launch->config.block);
  for (std::uint32_t first = 0; first < threads; first += kWarpSize) {
    auto warp = std::make_unique<Warp>();
    warp->cta = this;
    warp->index = first / kWarpSize;
    const std::uint32_t count = std::min<std::uint32_t>(threads - first, kWarpSize);
    warp->lanes = count == kWarpSize ? kAllLanes : (Lanes{1} << count) - 1;
    warp->stack_bytes = launch->kernel.stack_bytes;
    warp->local.assign(std::size_t{warp->stack_bytes} * kWarpSize, 0xff);
    warp->local_states.assign(warp->local.size(), static_cast<std::uint8_t>(ByteState::undefined));
    warp->view.home = static_cast<std::uint8_t>(rank);
    warp->view.generic.seen[warp->index] = warp->clock;
    auto frame = std::make_shared<Frame>(launch->kernel, nullptr);
    fill_specials(*warp, *frame);
    warp->waiting.push_back({std::move(frame), 0, warp->lanes, Fragment::State::ready, 0});
    run_order.push_back(warp->index);
    warps.push_back(std::move(warp));
  }
}

bool Cta::finished() const {
  return std::all_of(warps.begin(), warps.end(), [](const auto& w) { return w->finished(); });
}

Dim3 Cta::thread_index(const Warp& warp, int lane) const {
  const Dim3& block = launch->config.block;
  const std::uint32_t linear = warp.index * kWarpSize + static_cast<std::uint32_t>(lane);
  return {linear % block[0], linear / block[0] % block[1], linear / block[0] / block[1]};
}

std::string Cta::thread_name(const Warp& warp, int lane) const {
  const Dim3 t = thread_index(warp, lane);
  return "thread (" + std::to_string(t[0]) + ", " + std::to_string(t[1]) + ", " + std::to_string(t[2]) + ")";
}

void Cta::complete(Barrier& barrier) {
  ++cluster->progress;
  if (barrier.whole_block) order.barrier();
  const View view = barrier.view;
  const std::uint32_t matching = barrier.matching, voting = barrier.voting;
  const std::vector<Barrier::Waiter> waiters = std::move(barrier.waiters);
  barrier = Barrier{};
  for (const auto& waiter : waiters) {
    Warp& w = *waiter.warp;
    w.view.join(view);
    if (waiter.instr->more != nullptr)
      finish_barrier_reduction(w, *waiter.frame, *waiter.instr, waiter.lanes, matching, voting);
    const auto fragment = std::find_if(w.waiting.begin(), w.waiting.end(), [&](const Fragment& f) {
      return f.state == Fragment::State::barrier && f.lanes == waiter.lanes;
    });
    if (fragment != w.waiting.end()) fragment->state = Fragment::State::ready;
  }
}

void Cta::check_exited(const Warp& warp, Lanes mask) {
  for (const Barrier& barrier : barriers) {
    if (!barrier.whole_block || barrier.waiters.empty()) continue;
    const auto& first = barrier.waiters.front();
    warp.fail_at(*first.instr, Check::barrier_not_reached, mask,
                 "this thread has exited while others wait at a barrier for every thread of the block");
  }
}

Cluster::Cluster(Launch& of, std::uint64_t linear) : launch(&of) {
  const LaunchConfig& config = of.config;
  random.seed(of.settings.seed * 0x9e3779b97f4a7c15u + linear * 0xbf58476d1ce4e5b9u + 1);
  Dim3 clusters{};
  for (int i = 0; i < 3; ++i) clusters[i] = config.grid[i] / config.cluster[i];
  const Dim3 first{static_cast<std::uint32_t>(linear % clusters[0]) * config.cluster[0],
                   static_cast<std::uint32_t>(linear / clusters[0] % clusters[1]) * config.cluster[1],
                   static_cast<std::uint32_t>(linear / clusters[0] / clusters[1]) * config.cluster[2]};
  for (std::uint32_t rank = 0; rank < volume(config.cluster); ++rank) {
    const Dim3 index{first[0] + rank % config.cluster[0], first[1] + rank / config.cluster[0] % config.cluster[1],
                     first[2] + rank / config.cluster[0] / config.cluster[1]};
    ctas.push_back(std::make_unique<Cta>(*this, index, rank));
  }
}

void Cluster::check_barrier() {
  std::uint32_t alive = 0;
  for (const auto& cta : ctas) {
    for (const auto& w : cta->warps) alive += static_cast<std::uint32_t>(std::popcount(w->lanes & ~w->exited));
  }
  if (barrier_arrived == 0 || barrier_arrived < alive) return;
  barrier_arrived = 0;
  ++progress;
  const auto phase = std::make_shared<const View>(std::move(arriving));
  arriving = View{};
  for (auto& cta : ctas) {
    // Global memory: each warp has published at its arrival what it wrote, unless that was relaxed.
    if (!cta->arrived_relaxed) {
      cta->order.barrier();
      for (std::uint32_t w = 0; w < cta->warps.size(); ++w) {
        if (cta->warps[w]->finished()) cta->order.fence(w);
      }
    }
    cta->arrived_relaxed = false;
    for (auto& warp : cta->warps) {
      warp->cluster_phase = phase;
      for (Fragment& f : warp->waiting) {
        if (f.state != Fragment::State::cluster_barrier) continue;
        f.state = Fragment::State::ready;
        warp->cluster_arrived &= ~f.lanes;
        warp->view.join(*phase);
      }
      warp->cluster_passed |= warp->cluster_arrived;
      warp->cluster_arrived = 0;
    }
  }
  // The wait acquires at cluster scope: each block is ordered after what the others published.
  for (auto& cta : ctas) {
    for (const auto& other : ctas) {
      if (other != cta) cta->order.acquired[other->order.block & 0x1fffff] = other->order.published;
    }
  }
}

void Cluster::run_pending() {
  const std::size_t index = random() % pending.size();
  const std::function<void()> work = std::move(pending[index]);
  pending[index] = std::move(pending.back());
  pending.pop_back();
  ++progress;
  work();
}

Cluster::Outcome Cluster::run() {
  for (int rounds = 0; rounds < 8; ++rounds) {
    bool ran = false, only_waits = true;
    for (auto& cta : ctas) {
      std::shuffle(cta->run_order.begin(), cta->run_order.end(), random);
      for (const std::uint32_t index : cta->run_order) {
        Warp& warp = *cta->warps[index];
        if (!warp.runnable()) continue;
        ran = true;
        // Turns of very different lengths: warps drift apart, which is when a missing barrier shows.
        const std::uint64_t dice = random();
        run_warp(warp, 1u << (3 + dice % 8));
        only_waits &= warp.yielded;
      }
    }
    if (std::all_of(ctas.begin(), ctas.end(), [](const auto& cta) { return cta->finished(); })) {
      while (!pending.empty()) run_pending();
      return Outcome::finished;
    }
    const bool idle = !ran || only_waits;
    if (!pending.empty() && (idle || random() % 16 == 0)) {
      run_pending();
    } else if (!ran) {
      report_deadlock();
    } else if (idle && progress == seen_progress) {
      if (++idle_rounds > 100) report_deadlock();
    } else {
      idle_rounds = 0;
    }
    seen_progress = progress;
  }
  return Outcome::running;
}

void Cluster::report_deadlock() {
  // The report names a warp that waits for registers where there is one, else a barrier that waits, else a warp that
  // polls in vain.
  for (const auto& cta : ctas) {
    for (const auto& warp : cta->warps) cta->register_pool.report_wait(*warp);
  }
  for (const auto& cta : ctas) {
    for (const Barrier& barrier : cta->barriers) {
      if (barrier.waiters.empty()) continue;
      const auto& first = barrier.waiters.front();
      first.warp->fail_at(*first.instr, Check::barrier_not_reached, first.lanes,
                          "this barrier waits for " + std::to_string(barrier.expected) + " threads, of which " +
                              std::to_string(barrier.arrived) + " have come and no other can");
    }
  }
  for (const auto& cta : ctas) {
    for (const auto& warp : cta->warps) {
      if (warp->finished()) continue;
      // The largest fragment is the most informative.
      bool polls = true;
      if (warp->active == 0) {
        const auto largest = std::max_element(
            warp->waiting.begin(), warp->waiting.end(),
            [](const Fragment& f, const Fragment& g) { return std::popcount(f.lanes) < std::popcount(g.lanes); });
        polls = largest->state != Fragment::State::warp_sync;
        Fragment fragment = std::move(*largest);
        warp->waiting.erase(largest);
        warp->load(std::move(fragment));
      }
      const std::uint32_t at = polls && warp->pc != 0 ? warp->pc - 1 : warp->pc;
      warp->fail_at(warp->code[at], Check::deadlock, warp->active,
                    "no thread of the block can go on; this one waits here");
    }
  }
  throw Error("expected a warp that waits, found none");
}

}  // namespace vgpu
