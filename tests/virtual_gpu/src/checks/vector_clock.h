// Happens-before inside of one cluster: vector clocks over the warps and the mbarriers of its blocks.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace vgpu {

/// Agents of a block: its warps, then its mbarriers, which stand for the asynchronous copies that complete on them.
constexpr int kMaxWarps = 32;
constexpr int kMaxMbarriers = 92;
constexpr int kMbarrierAgent = kMaxWarps;
constexpr int kAgents = 128;

/// For each agent of one block, the latest of its clock ticks that the owner is ordered after.
struct VectorClock {
  alignas(64) std::array<std::uint32_t, kAgents> seen{};

  void join(const VectorClock& other) {
    for (int i = 0; i < kAgents; ++i) seen[i] = seen[i] > other.seen[i] ? seen[i] : other.seen[i];
  }
};

/// What a warp (or whatever synchronises warps) is ordered after: through the generic proxy, and with the proxy fence
/// that the asynchronous proxy needs. PTX ISA, 8.2 "Memory Consistency Model", Proxies.
///
/// The clocks of one block, the home, lie in the view itself: a cluster of one block, as most launches have, allocates
/// nothing. Those of the other blocks follow once something orders the owner after them.
struct View {
  static constexpr std::uint8_t kNoBlock = 0xff;
  struct Peer {
    VectorClock generic;
    VectorClock async;
  };

  VectorClock generic;
  VectorClock async;
  /// The grids that a programmatic dependent launch depends on have ended: griddepcontrol.wait.
  bool grids_waited = false;
  std::uint8_t home = kNoBlock;  ///< rank of the home block; none before the first join
  std::vector<Peer> peers;       ///< by rank, the home's unused
  /// By rank, what was executed before, with or without its effects in memory being visible: what relaxed
  /// synchronisation tells beside `generic`. Empty where there was none.
  std::vector<VectorClock> executed;

  std::uint32_t clock(std::uint32_t rank, std::uint32_t agent) const {
    if (rank == home) [[likely]]
      return generic.seen[agent];
    return rank < peers.size() ? peers[rank].generic.seen[agent] : 0;
  }
  std::uint32_t async_clock(std::uint32_t rank, std::uint32_t agent) const {
    if (rank == home) [[likely]]
      return async.seen[agent];
    return rank < peers.size() ? peers[rank].async.seen[agent] : 0;
  }
  std::uint32_t executed_clock(std::uint32_t rank, std::uint32_t agent) const {
    const std::uint32_t visible = clock(rank, agent);
    if (rank >= executed.size()) return visible;
    return visible > executed[rank].seen[agent] ? visible : executed[rank].seen[agent];
  }
  /// Orders the owner after a tick of an agent, through both proxies.
  void advance(std::uint32_t rank, std::uint32_t agent, std::uint32_t tick);
  /// fence.proxy.async
  void fence_async();

  void join(const View& other) {
    grids_waited = grids_waited || other.grids_waited;
    if (home == other.home && other.peers.empty() && other.executed.empty()) [[likely]] {
      generic.join(other.generic);
      async.join(other.async);
      return;
    }
    join_cluster(other);
  }
  /// As join, of synchronisation that is relaxed: what was executed before is known, not what became visible.
  void join_executed(const View& other);

 private:
  void join_cluster(const View& other);
};

}  // namespace vgpu
